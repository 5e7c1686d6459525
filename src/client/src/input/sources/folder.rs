//! A folder: the files that it stands for, and what is skipped.

use std::fmt;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use super::super::content::without_compression;
use super::super::natural;
use super::{SourceError, unreadable};

/// The endings of the files that are taken from a folder, in any case. Another ending, of a
/// compressed file, may follow.
const EXTENSIONS: [&str; 5] = ["json", "ndjson", "jsonl", "csv", "tsv"];

/// How many skipped entries are kept.
const KEPT_MAX: usize = 20;

/// One walk through a folder.
pub(super) struct Walk {
    pub(super) files: Vec<PathBuf>,
    pub(super) skipped: Skipped,
    recursive: bool,
}

impl Walk {
    pub(super) fn through(folder: &Path, recursive: bool) -> Result<Self, SourceError> {
        let skipped = Skipped { folder: Some(folder.to_owned()), ..Skipped::default() };
        let mut walk = Self { files: Vec::new(), skipped, recursive };
        walk.enter(folder)?;
        Ok(walk)
    }

    fn enter(&mut self, folder: &Path) -> Result<(), SourceError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let entry = entry.map_err(|source| unreadable(folder, source))?;
            let kind = entry.file_type().map_err(|source| unreadable(folder, source))?;
            entries.push((entry.path(), kind));
        }
        entries.sort_unstable_by(|(a, _), (b, _)| natural::compare(name(a), name(b)));
        entries.into_iter().try_for_each(|(path, kind)| self.take(path, kind))
    }

    fn take(&mut self, path: PathBuf, kind: FileType) -> Result<(), SourceError> {
        let is_folder = kind.is_dir() || kind.is_symlink() && path.is_dir();
        let reason = if name(&path).starts_with(b".") {
            Reason::Hidden
        } else if !is_folder {
            if has_records(&path) {
                self.files.push(path);
                return Ok(());
            }
            Reason::Ending
        } else if kind.is_symlink() {
            Reason::Link
        } else if self.recursive {
            return self.enter(&path);
        } else {
            Reason::Folder
        };
        self.skipped.push(path, reason);
        Ok(())
    }
}

/// Whether the name says that there may be records in the file.
fn has_records(path: &Path) -> bool {
    let extension = without_compression(path).extension().unwrap_or_default();
    EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e))
}

fn name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

/// What folders contain and what is not read. Its `Display` is one line, to be shown to a person
/// unless nothing is skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// The folder that contains all of it, if it is only one.
    folder: Option<PathBuf>,
    count: u64,
    /// The first entries.
    entries: Vec<(PathBuf, Reason)>,
}

/// Why an entry is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Ending,
    Folder,
    Hidden,
    Link,
}

impl Skipped {
    /// How many entries are skipped. A folder counts as one.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, at most 20.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.entries.iter().map(|(path, _)| path.as_path())
    }

    fn push(&mut self, path: PathBuf, reason: Reason) {
        self.count += 1;
        if self.entries.len() < KEPT_MAX {
            self.entries.push((path, reason));
        }
    }

    /// Adds what another folder contains.
    pub(super) fn add(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        if self.folder != other.folder {
            self.folder = None;
        }
        self.count += other.count;
        let room = KEPT_MAX - self.entries.len();
        self.entries.extend(other.entries.into_iter().take(room));
    }

    /// Writes the first entries, and how many more there are.
    fn write_entries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, reason)) in self.entries.iter().enumerate() {
            let inner = self.folder.as_ref().and_then(|folder| path.strip_prefix(folder).ok());
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}{reason}", inner.unwrap_or(path).display())?;
        }
        match self.count.saturating_sub(self.entries.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            // With one slash at its end, however it was written.
            write!(f, "{}: ", folder.join("").display())?;
        }
        match self.count {
            1 => write!(f, "1 entry was skipped: ")?,
            count => write!(f, "{count} entries were skipped: ")?,
        }
        self.write_entries(f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ending => "",
            Self::Folder => " (a folder: use --recursive)",
            Self::Hidden => " (hidden)",
            Self::Link => " (a link to a folder: name it to follow it)",
        })
    }
}

/// What to say about a folder in which there is nothing to read.
pub(super) fn no_files(skipped: &Skipped) -> impl fmt::Display {
    fmt::from_fn(|f| {
        let [first, others @ .., last] = EXTENSIONS.map(|ending| format!("*.{ending}"));
        let folder = skipped.folder.as_deref().unwrap_or(Path::new("")).display();
        write!(f, "{folder} has no {first}, {} or {last} files, ", others.join(", "))?;
        if skipped.count == 0 {
            return write!(f, "also none that are compressed (*.gz, *.zst): it is empty");
        }
        write!(f, "also none that are compressed (*.gz, *.zst), but it contains ")?;
        skipped.write_entries(f)?;
        write!(f, ": name the files themselves if they have records")
    })
}
