//! What is rejected: shown to a person in groups, and written to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use indicatif::HumanCount;
use serde::Serialize;

use crate::input::{Note, Rejection};
use crate::progress::Progress;

/// How many rejections are shown for each reason.
const SHOWN_MAX: u64 = 5;
/// How many reasons are kept apart. Rejections for any other reason are counted together.
const GROUPS_MAX: usize = 100;

/// The rejections of one run.
#[derive(Debug)]
pub(super) struct Rejects {
    groups: Vec<Group>,
    file: Option<BufWriter<File>>,
    /// Why the file has not all of them.
    failure: Option<io::Error>,
}

/// Rejections, or notes, that have the same reason.
#[derive(Debug)]
struct Group {
    reason: String,
    count: u64,
}

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    file: String,
    line: u64,
    record: u64,
    offset: u64,
    bytes: u64,
    reason: String,
    /// The text, or as much of it as is kept.
    text: &'a str,
}

impl Rejects {
    /// Begins without any, and makes the file if one is named.
    ///
    /// # Errors
    ///
    /// The file cannot be made.
    pub(super) fn new(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self { groups: Vec::new(), file, failure: None })
    }

    /// Takes a rejection: shows it, if it is one of the first for its reason, and writes it.
    pub(super) fn take(&mut self, rejection: &Rejection, progress: &Progress) {
        self.show(rejection.reason.group(), rejection, progress);
        let Some(file) = &mut self.file else { return };
        if let Err(error) = write(file, rejection) {
            self.file = None;
            self.failure = Some(error);
        }
    }

    /// Shows a note, if it is one of the first of its kind.
    pub(super) fn note(&mut self, note: &Note, progress: &Progress) {
        self.show(note.kind.group().to_owned(), note, progress);
    }

    fn show(&mut self, reason: String, shown: &dyn std::fmt::Display, progress: &Progress) {
        let known = self.groups.iter().position(|group| group.reason == reason);
        let index = known.unwrap_or_else(|| {
            let is_full = self.groups.len() == GROUPS_MAX;
            let reason = if is_full { "for other reasons".to_owned() } else { reason };
            if self.groups.len() <= GROUPS_MAX {
                self.groups.push(Group { reason, count: 0 });
            }
            self.groups.len() - 1
        });
        let group = &mut self.groups[index];
        group.count += 1;
        if group.count <= SHOWN_MAX {
            progress.complain(shown);
        }
    }

    /// Shows how many there are beyond those that were shown, and completes the file.
    ///
    /// # Errors
    ///
    /// The file does not have all of them.
    pub(super) fn finish(self, progress: &Progress) -> io::Result<()> {
        for Group { reason, count } in &self.groups {
            if let more @ 1.. = count.saturating_sub(SHOWN_MAX) {
                progress.complain(&format_args!("… and {} more: {reason}", HumanCount(more)));
            }
        }
        match (self.failure, self.file) {
            (Some(error), _) => Err(error),
            (None, Some(mut file)) => file.flush(),
            (None, None) => Ok(()),
        }
    }
}

fn write(file: &mut BufWriter<File>, rejection: &Rejection) -> io::Result<()> {
    let Rejection { source, position, bytes, text, reason } = rejection;
    let line = Line {
        file: source.to_string(),
        line: position.line,
        record: position.record,
        offset: position.offset,
        bytes: *bytes,
        reason: reason.to_string(),
        text: &String::from_utf8_lossy(text),
    };
    serde_json::to_writer(&mut *file, &line)?;
    file.write_all(b"\n")
}
