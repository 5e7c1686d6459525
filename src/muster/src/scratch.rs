//! The folder in which a run keeps its queue, and makes the roll, until it is done.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A hidden folder beside the output, so that the finished roll is only renamed. It goes when it
/// is dropped; what a killed run left behind goes when the next one begins.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    /// Held as long as this run lasts.
    _lock: File,
}

impl Scratch {
    /// Makes the folder beside `output`.
    ///
    /// # Errors
    ///
    /// Another run has it, or the file system refuses.
    pub(crate) fn beside(output: &Path) -> io::Result<Self> {
        let name = output.file_name().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the output must be a file")
        })?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".muster");
        let folder = output.with_file_name(hidden);
        fs::create_dir_all(&folder)?;
        let lock = File::open(&folder)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another run is writing the same output"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        for left_behind in fs::read_dir(&folder)? {
            let left_behind = left_behind?;
            if left_behind.file_type()?.is_dir() {
                fs::remove_dir_all(left_behind.path())?;
            } else {
                fs::remove_file(left_behind.path())?;
            }
        }
        Ok(Self { folder, _lock: lock })
    }

    /// The file of the queue.
    pub(crate) fn queue(&self) -> PathBuf {
        self.folder.join("queue.redb")
    }

    /// The file of the access list.
    pub(crate) fn access(&self) -> PathBuf {
        self.folder.join("access.toml")
    }

    /// The folder of the roll, which has a lock of its own.
    pub(crate) fn roll(&self) -> PathBuf {
        self.folder.join("roll")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "left behind");
        }
    }
}
