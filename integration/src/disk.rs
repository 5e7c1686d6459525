//! A small disk that can be full, read-only, or gone: a file system in memory.
//!
//! Only the thread that mounts it, and the threads and programs that it starts from then on, see
//! it: the disk goes with the last of them, whatever becomes of them.

mod mounts;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const FILLER_BYTES: usize = 1 << 20;
/// Room in the folder while the disk is not mounted.
const COVER_BYTES: u64 = 1 << 20;

/// A disk, mounted until it is dropped.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk of this size at a new folder.
    ///
    /// # Errors
    ///
    /// The system does not let this user mount one.
    pub fn mount(folder: &Path, bytes: u64) -> Result<Self, String> {
        fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        mounts::mount(folder, bytes)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Leaves no room on it.
    ///
    /// # Panics
    ///
    /// When it does not fill.
    pub fn fill(&self) {
        self.fill_but(0);
    }

    /// Leaves so much room on it, to the block.
    ///
    /// # Panics
    ///
    /// When it does not fill.
    pub fn fill_but(&self, bytes: u64) {
        let mut filler = File::create(self.filler()).expect("a file can be made");
        let block = vec![0; FILLER_BYTES];
        // The last write takes what is left, if that is less.
        let full = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        let filled = filler.metadata().expect("a file has a length").len();
        filler.set_len(filled.saturating_sub(bytes)).expect("a file can be cut");
    }

    /// Makes room again.
    ///
    /// # Panics
    ///
    /// When the room cannot be had back.
    pub fn free(&self) {
        match fs::remove_file(self.filler()) {
            // Another fault that is over has freed it.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                panic!("{}: {error}", self.filler().display())
            }
            _ => {}
        }
    }

    /// Leaves an empty folder in its place, as if it was not mounted, until [`Disk::uncover`].
    ///
    /// # Panics
    ///
    /// When it cannot be covered.
    pub fn hide(&self) {
        mounts::cover_with_nothing(&self.folder, COVER_BYTES).expect("a disk can be hidden");
    }

    /// Lets no file on it be opened for writing, made, renamed or removed, until [`Disk::uncover`].
    ///
    /// # Panics
    ///
    /// When it cannot be covered.
    pub fn make_read_only(&self) {
        mounts::cover_with_itself(&self.folder).expect("a disk can be made read-only");
    }

    /// Ends what [`Disk::hide`] or [`Disk::make_read_only`] has begun.
    ///
    /// # Panics
    ///
    /// When nothing is mounted there.
    pub fn uncover(&self) {
        assert!(mounts::unmount(&self.folder), "nothing covers {}", self.folder.display());
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        while mounts::unmount(&self.folder) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skip::skip;

    #[test]
    fn a_disk_that_is_full_takes_nothing_until_it_is_freed() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("roll");
        let disk = match Disk::mount(&roll, 4 << 20) {
            Ok(disk) => disk,
            Err(problem) => return skip(&problem),
        };
        disk.fill();
        let refused = fs::write(roll.join("file"), "something").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        disk.free();
        fs::write(roll.join("file"), "something").unwrap();
        drop(disk);
        assert!(!roll.join("file").exists());
    }

    #[test]
    fn disk_that_is_hidden_or_read_only_has_its_files_when_it_is_uncovered() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("roll");
        let disk = match Disk::mount(&roll, 4 << 20) {
            Ok(disk) => disk,
            Err(problem) => return skip(&problem),
        };
        let file = roll.join("file");
        fs::write(&file, "something").unwrap();
        let mut open = File::create(roll.join("open")).unwrap();
        disk.hide();
        assert!(!file.exists());
        fs::write(&file, "other").unwrap();
        disk.uncover();
        disk.make_read_only();
        assert_eq!(fs::read_to_string(&file).unwrap(), "something");
        open.write_all(b"what was opened before stays open").unwrap();
        for refused in [fs::write(&file, "new"), fs::remove_file(&file)] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
        }
        disk.uncover();
        fs::write(&file, "new").unwrap();
    }
}
