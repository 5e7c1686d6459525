//! The right to write in a folder.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;

use super::Error;

/// The file next to the roll that the writer has locked.
const LOCK_NAME: &str = "all_users.lock";

/// How often a holder shows that it makes progress, at most.
const SIGN_INTERVAL: Duration = Duration::from_secs(1);

/// The right to write in a folder: against other writers in this process, in others on this
/// machine, and on others where the file system takes locks there. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    signed: Instant,
}

/// What was found of a lock that another writer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Who says to hold it. Empty if that cannot be read.
    pub(super) holder: String,
    /// When the holder last showed that it makes progress.
    sign: Option<SystemTime>,
}

impl Lock {
    /// Takes the lock, or says who holds it. The lock file has the name of the last holder.
    pub(super) fn take(folder: &Path) -> Result<Result<Self, Held>, Error> {
        // A file, since NFS keeps the lock of a folder to one machine; open for writing, since it
        // refuses an exclusive lock otherwise. It stays: who removed it could part two writers.
        let path = folder.join(LOCK_NAME);
        let file = File::options().create(true).read(true).append(true).open(&path);
        let file = file.map_err(|source| Error::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => {
                name_holder(&file);
                Ok(Ok(Self { file, signed: Instant::now() }))
            }
            Err(TryLockError::WouldBlock) => Ok(Err(Held::found(file))),
            Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                Err(Error::NoLocks { path })
            }
            Err(TryLockError::Error(source)) => Err(Error::io("lock", &path, source)),
        }
    }

    /// Shows others who wait for the lock that there is progress.
    pub(super) fn sign(&mut self) {
        if self.signed.elapsed() >= SIGN_INTERVAL {
            self.signed = Instant::now();
            // At worst, others say that this process holds the lock and does nothing.
            let _ = self.file.set_modified(SystemTime::now());
        }
    }
}

/// Whether the file system says that it has no locks.
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Unsupported
        || error.raw_os_error() == Some(Errno::NOLCK.raw_os_error())
}

/// Writes into the lock file who holds it. That only helps to find a holder that makes no progress: a
/// file system that is full must not keep a writer from the lock.
fn name_holder(mut file: &File) {
    let name = format!("process {} on {}\n", std::process::id(), crate::host_name());
    let _ = file.set_len(0).and_then(|()| file.write_all(name.as_bytes()));
}

impl Held {
    fn found(mut file: File) -> Self {
        let sign = file.metadata().and_then(|found| found.modified()).ok();
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        Self { holder: holder.trim().to_owned(), sign }
    }
}
