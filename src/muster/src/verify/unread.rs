//! What of the inputs could not be read, or is passed over: how much, and the first of it.

use std::fmt;
use std::path::PathBuf;

use muster_program::printable;
use serde::Serialize;

use super::inputs::Unread;

/// How many stretches, or entries, are shown one by one.
const SHOWN_MAX: usize = 20;
/// How many entries are named in a line.
const NAMED_MAX: usize = 3;

/// Stretches of the inputs that could not be read as records.
#[derive(Debug, Default, Serialize)]
pub(super) struct Stretches {
    /// How many there are.
    pub(super) stretches: u64,
    /// Their length in all, in bytes. Where only something is missing it is 0.
    pub(super) bytes: u64,
    /// The first of them.
    pub(super) first: Vec<Unread>,
}

impl Stretches {
    /// Counts a stretch.
    pub(super) fn add(&mut self, stretch: Unread) {
        self.stretches += 1;
        self.bytes += stretch.bytes;
        if self.first.len() < SHOWN_MAX {
            self.first.push(stretch);
        }
    }
}

impl fmt::Display for Stretches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stretch in &self.first {
            writeln!(f, "unread    {}", printable::text(&stretch.to_string()))?;
        }
        match self.stretches.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => writeln!(f, "          and {more} more"),
        }
    }
}

/// Entries of folders that are not read.
#[derive(Debug, Default, Serialize)]
pub(super) struct Skipped {
    /// How many there are.
    pub(super) entries: usize,
    /// The first of them.
    pub(super) first: Vec<String>,
}

impl Skipped {
    pub(super) fn of(entries: &[PathBuf]) -> Self {
        let first = entries.iter().take(SHOWN_MAX).map(|entry| entry.display().to_string());
        Self { entries: entries.len(), first: first.collect() }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, first } = self;
        if *entries == 0 {
            return Ok(());
        }
        let named = &first[..first.len().min(NAMED_MAX)];
        let names = printable::text(&named.join(", "));
        let noun = if *entries == 1 { "entry" } else { "entries" };
        write!(f, "skipped   {entries} {noun} of folders ({names}")?;
        match entries.saturating_sub(named.len()) {
            0 => writeln!(f, ")"),
            more => writeln!(f, " and {more} more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(lines: std::ops::RangeInclusive<u64>) -> Stretches {
        let mut stretches = Stretches::default();
        for line in lines {
            let (file, reason) = ("1\u{1b}.json".to_owned(), "it is not JSON".to_owned());
            stretches.add(Unread { file, line, offset: 0, bytes: 10, reason });
        }
        stretches
    }

    #[test]
    fn first_stretches_are_shown_and_all_are_counted() {
        let few = stretches(1..=2);
        assert_eq!((few.stretches, few.bytes), (2, 20));
        let text = few.to_string();
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("unread    1") && !first.contains('\u{1b}'), "{first}");
        assert!(first.ends_with(".json:1: 10 bytes: it is not JSON"), "{first}");
        assert_eq!(text.lines().count(), 2);
        let text = stretches(1..=25).to_string();
        assert_eq!(text.lines().count(), 21);
        assert!(text.ends_with("\n          and 5 more\n"), "{text}");
        assert_eq!(Stretches::default().to_string(), "");
    }

    #[test]
    fn first_skipped_entries_are_named() {
        let skipped = |names: &[&str]| {
            Skipped::of(&names.iter().map(PathBuf::from).collect::<Vec<_>>()).to_string()
        };
        assert_eq!(skipped(&[]), "");
        assert_eq!(skipped(&["a"]), "skipped   1 entry of folders (a)\n");
        let expected = "skipped   4 entries of folders (a, b, c and 1 more)\n";
        assert_eq!(skipped(&["a", "b", "c", "d"]), expected);
    }
}
