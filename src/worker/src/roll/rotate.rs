//! A roll that an operator ends, so that a new one begins.
//!
//! The files of the roll get second names first. If the rotation is interrupted then, the roll goes on, and
//! the next rotation removes these names. Then the manifest of the new roll takes the place of the old one; it
//! names the old roll, so that a rotation that is interrupted from there on is completed by the next writer.
//! Then the old roll loses its first name, and the store is told.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use muster_queue::Queue;
use muster_roll::{MANIFEST_NAME, Manifest, manifest_of};

use super::agreement::state_of;
use super::folder::Folder;
use super::lock::Lock;
use super::{Error, background, replace, settle};

/// What became of a roll that was to be rotated.
#[derive(Debug)]
pub enum Rotated {
    /// It has no batch: it goes on.
    Nothing,
    /// It was ended.
    To {
        /// Where it is kept.
        kept: PathBuf,
        /// What it holds.
        manifest: Box<Manifest>,
    },
}

/// Ends the roll, under the lock.
///
/// # Errors
///
/// The store or the file system fails, or the roll cannot be written.
pub(super) async fn rotate(
    queue: &dyn Queue,
    folder: &Folder,
    lock: Lock,
) -> Result<Rotated, Error> {
    let (manifest, lock) = settle::settle(queue, folder, lock).await?;
    if manifest.batches == 0 {
        settle::release(lock).await?;
        return Ok(Rotated::Nothing);
    }
    let before = state_of(&manifest);
    let (here, ended) = (folder.clone(), manifest.clone());
    let (kept, new, _lock) = background::run(move || {
        remove_leftovers(here.path(), &ended)?;
        let name = free_name(here.path(), SystemTime::now());
        let kept = here.path().join(&name);
        keep_both(&here, &kept)?;
        let new = ended.followed_by(settle::new_id(), name);
        here.write_manifest(&new)?;
        here.finish_rotation(&new)?;
        Ok((kept, new, lock))
    })
    .await?;
    settle::tell(queue, folder, Some(&before), &new).await?;
    Ok(Rotated::To { kept, manifest: Box::new(manifest) })
}

/// Removes what an interrupted rotation kept of a roll that went on: this one has it all.
fn remove_leftovers(folder: &Path, roll: &Manifest) -> Result<(), Error> {
    let failed = |source| Error::io("list", folder, source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".manifest.json").filter(|stem| stem.starts_with(KEPT))
        else {
            continue;
        };
        let kept = std::fs::read(&path).ok();
        let kept = kept.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let is_leftover = kept.is_some_and(|kept| {
            kept.id == roll.id && roll.sha256_at(kept.batches) == Some(&kept.sha256)
        });
        if is_leftover {
            // The manifest last: it is what tells that the roll is a leftover.
            for path in [folder.join(format!("{stem}.json")), path] {
                match std::fs::remove_file(&path) {
                    Err(source) if source.kind() != ErrorKind::NotFound => {
                        return Err(Error::io("remove", &path, source));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Gives the roll and its manifest second names: the manifest first, since it tells what the roll is.
fn keep_both(folder: &Folder, kept: &Path) -> Result<(), Error> {
    keep(&folder.path().join(MANIFEST_NAME), &manifest_of(kept))?;
    keep(&folder.roll_path(), kept)?;
    replace::sync_folder(folder.path())
}

/// What the names of rolls begin with that were ended.
const KEPT: &str = "all_users-";

/// A name that no file has, for a roll that is ended at this time: `all_users-2026-11-30T114500Z.json`, or with
/// `-2` behind the time, and so on.
fn free_name(folder: &Path, time: SystemTime) -> String {
    let time = humantime::format_rfc3339_seconds(time).to_string().replace(':', "");
    let mut name = format!("{KEPT}{time}.json");
    let mut number = 2;
    while [folder.join(&name), manifest_of(&folder.join(&name))].iter().any(|path| path.exists()) {
        name = format!("{KEPT}{time}-{number}.json");
        number += 1;
    }
    name
}

/// Gives a file a second name: a link, or a copy where the file system has no links.
fn keep(path: &Path, kept: &Path) -> Result<(), Error> {
    match std::fs::hard_link(path, kept) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Error::io("keep the roll as", kept, error))
        }
        Err(_) => copy(path, kept),
        Ok(()) => Ok(()),
    }
}

fn copy(path: &Path, kept: &Path) -> Result<(), Error> {
    let copied = std::fs::copy(path, kept).and_then(|_| std::fs::File::open(kept)?.sync_all());
    copied.map_err(|source| Error::io("copy the roll to", kept, source))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn name_has_the_time_and_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let name = || {
            free_name(folder.path(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_039_100))
        };
        assert_eq!(name(), "all_users-2026-11-30T114500Z.json");
        std::fs::write(folder.path().join(name()), "").unwrap();
        assert_eq!(name(), "all_users-2026-11-30T114500Z-2.json");
        std::fs::write(manifest_of(&folder.path().join(name())), "").unwrap();
        assert_eq!(name(), "all_users-2026-11-30T114500Z-3.json");
    }
}
