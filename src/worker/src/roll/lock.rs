//! The right to write in a folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::Error;

/// The file beside the roll that the writer has locked.
const LOCK_NAME: &str = "all_users.lock";

/// The right to write in a folder: against other writers in this process, in others on this
/// machine, and on others where the file system takes locks there. It ends when this is dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not read")] File);

impl Lock {
    /// Takes the lock; `None` while another has it.
    pub(super) fn take(folder: &Path) -> Result<Option<Self>, Error> {
        // A file, since NFS keeps the lock of a folder to one machine; open for writing, since it
        // refuses an exclusive lock otherwise. It stays: who removed it could part two writers.
        let path = folder.join(LOCK_NAME);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|source| Error::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::io("lock", &path, source)),
        }
    }
}
