//! The roll and its manifest, as they belong together.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{FILE_NAME, Manifest, Unreadable};

/// The roll as it was when it was opened: one that is written later is another file.
#[derive(Debug)]
pub struct OpenRoll {
    /// What it holds.
    pub manifest: Manifest,
    /// When it was written.
    pub written_at: SystemTime,
    /// The file, at its beginning.
    pub file: File,
}

/// Why the roll was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// The manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] Unreadable),
    /// The file system refused.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The roll.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A writer has put the roll in its place, and not yet the manifest; or was lost in between,
    /// and the next one will.
    #[error("{} is being written", path.display())]
    BeingWritten {
        /// The roll.
        path: PathBuf,
    },
}

/// Opens the roll in this folder. `None` while nothing is written.
///
/// # Errors
///
/// See [`NotOpened`]. After [`NotOpened::BeingWritten`] it is worth trying again.
pub fn open(folder: &Path) -> Result<Option<OpenRoll>, NotOpened> {
    let path = folder.join(FILE_NAME);
    let not_opened = |source| NotOpened::Io { path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(not_opened(error)),
    };
    let found = file.metadata().map_err(not_opened)?;
    let written_at = found.modified().map_err(not_opened)?;
    match Manifest::read(folder)? {
        Some(manifest) if manifest.bytes == found.len() => {
            Ok(Some(OpenRoll { manifest, written_at, file }))
        }
        _ => Err(NotOpened::BeingWritten { path }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;
    use crate::MANIFEST_NAME;

    fn write(folder: &Path, roll: &str, bytes: u64) {
        let manifest = Manifest { records: 1, bytes, ..Manifest::default() };
        fs::write(folder.join(FILE_NAME), roll).unwrap();
        fs::write(folder.join(MANIFEST_NAME), serde_json::to_vec(&manifest).unwrap()).unwrap();
    }

    #[test]
    fn nothing_is_there_before_the_first_batch() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open(folder.path()).unwrap().is_none());
    }

    #[test]
    fn a_roll_stays_what_it_was_when_it_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "[\n]\n", 4);
        let mut roll = open(folder.path()).unwrap().unwrap();
        fs::write(folder.path().join("new"), "[\n{}\n]\n").unwrap();
        fs::rename(folder.path().join("new"), folder.path().join(FILE_NAME)).unwrap();
        let mut text = String::new();
        roll.file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), roll.manifest.bytes), ("[\n]\n", 4));
    }

    #[test]
    fn a_roll_without_its_manifest_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "[\n{}\n]\n", 4);
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, NotOpened::BeingWritten { .. }), "{error}");
        fs::remove_file(folder.path().join(MANIFEST_NAME)).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, NotOpened::BeingWritten { .. }), "{error}");
    }

    #[test]
    fn a_manifest_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "[\n]\n", 4);
        fs::write(folder.path().join(MANIFEST_NAME), "{").unwrap();
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("all_users.manifest.json is not a manifest"), "{error}");
    }
}
