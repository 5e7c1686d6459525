//! Files that are replaced, so that there is always the old one or the new one, whole.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::io::Errno;

use super::{Error, MANIFEST_NAME, Manifest};
use crate::FileMode;

/// Puts the manifest that was prepared in the place of the one before.
pub(super) fn publish_manifest(folder: &Path) -> Result<(), Error> {
    let path = folder.join(MANIFEST_NAME);
    rename(&beside(&path), &path)
}

/// The manifest that was prepared last, if there is one that can be read.
pub(super) fn prepared_manifest(folder: &Path) -> Option<Manifest> {
    let text = std::fs::read(beside(&folder.join(MANIFEST_NAME))).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Writes a manifest next to the one that stands.
pub(super) fn prepare_manifest(
    folder: &Path,
    manifest: &Manifest,
    mode: Option<FileMode>,
) -> Result<(), Error> {
    let path = folder.join(MANIFEST_NAME);
    let new = beside(&path);
    let write = || {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        let mut file = create(&path, &path, mode)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(|source| Error::io("write", &new, source))
}

/// Creates the file that is to take the place of this one, with this mode, or else with that of the file
/// `like`.
pub(super) fn create(path: &Path, like: &Path, mode: Option<FileMode>) -> io::Result<File> {
    let standing = std::fs::metadata(like).ok().map(|found| found.permissions().mode() & 0o777);
    let mode = mode.map(FileMode::bits).or(standing);
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    let file = options.mode(mode.unwrap_or(0o666)).open(beside(path))?;
    // The system has taken away what the umask says, and a file that was there keeps its mode.
    if let Some(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

/// Where a file is written that is to take the place of this one.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("tmp")
}

/// Renames a file that is on the disk, and waits until the rename is as well.
pub(super) fn rename(new: &Path, path: &Path) -> Result<(), Error> {
    std::fs::rename(new, path).map_err(|source| Error::io("rename", new, source))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Waits until the names in a folder are on the disk. A file system that cannot do that gets one warning.
///
/// # Errors
///
/// The folder cannot be opened, or its file system fails.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cannot_sync_folders(&error) => {
            warn_of_unsynced(folder, &error);
            Ok(())
        }
        synced => synced.map_err(|source| Error::io("sync", folder, source)),
    }
}

/// Whether the file system has no sync of folders, as some network file systems.
fn cannot_sync_folders(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Unsupported
        || error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

/// Warns once that names in this folder are as durable as its file system makes them by itself.
fn warn_of_unsynced(folder: &Path, error: &io::Error) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            folder = %folder.display(),
            %error,
            "the file system of the roll cannot sync folders: after a power cut, the roll may be the one \
             before the last growth, and is then reported as an older copy"
        );
    });
}
