//! Files that are replaced, so that there is always the old one or the new one, whole.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Error, MANIFEST_NAME, Manifest};

/// Puts this manifest into the folder, in the place of the one before.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let path = folder.join(MANIFEST_NAME);
    let new = beside(&path);
    let write = || {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(|source| Error::io("write", &new, source))?;
    rename(&new, &path)
}

/// Where a file is written that is to take the place of this one.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("tmp")
}

/// Renames a file that is on the disk, and waits until the rename is as well.
pub(super) fn rename(new: &Path, path: &Path) -> Result<(), Error> {
    std::fs::rename(new, path).map_err(|source| Error::io("rename", new, source))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::io("sync", folder, source))
}
