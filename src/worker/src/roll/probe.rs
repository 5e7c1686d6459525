//! Whether a writer can write in a folder.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::lock::Lock;
use super::{Error, replace};

/// How often a folder is probed in which all is well.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// The name of the file. It is there for a moment only.
const PROBE_NAME: &str = "all_users.probe";

/// How much is written, in bytes: a block of most file systems.
const PROBE_BYTES: usize = 4096;

/// Does what a writer does, with a file of its own: writes, renames and removes it. Syncs it as well where
/// `sync` says so. The lock keeps other processes from the file.
///
/// # Errors
///
/// One of these fails.
pub(super) fn run(folder: &Path, _lock: &Lock, sync: bool) -> Result<(), Error> {
    let path = folder.join(PROBE_NAME);
    let new = replace::beside(&path);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&[b' '; PROBE_BYTES])?;
        if sync { file.sync_all() } else { Ok(()) }
    };
    let written = write().map_err(|source| Error::io("write", &new, source));
    let renamed = written.and_then(|()| match sync {
        true => replace::rename(&new, &path),
        false => std::fs::rename(&new, &path).map_err(|source| Error::io("rename", &new, source)),
    });
    if renamed.is_err() {
        // A disk that is full must not keep it.
        let _ = std::fs::remove_file(&new);
    }
    renamed?;
    std::fs::remove_file(&path).map_err(|source| Error::io("remove", &path, source))
}
