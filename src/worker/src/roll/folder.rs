//! The folder of the roll, as a writer finds it. Everything here blocks.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use muster_queue::RollState;
use muster_roll::{FILE_NAME, Manifest};

use super::agreement::{self, Agreement};
use super::lock::{Held, Lock};
use super::settle::new_id;
use super::standing::Standing;
use super::status::{Look, Status};
use super::{Error, probe, replace};
use crate::{FileMode, metrics};

/// How long another writer may hold the lock without progress. It shows progress every second, unless a
/// step of the file system takes longer.
const SILENT_MAX: Duration = Duration::from_secs(7);

/// The folder of the roll.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The time whose last writes the store may lose.
    may_forget: Duration,
    mode: Option<FileMode>,
    pub(super) status: Arc<Status>,
    found: Arc<Mutex<Found>>,
}

/// What was found lately.
#[derive(Debug, Default)]
struct Found {
    /// The roll that was read last because it was touched, and how it differs from its manifest.
    read: Option<(Version, Option<&'static str>)>,
    /// The lock that another writer holds, and since when it shows no progress.
    held: Option<(Held, Instant)>,
    /// When the folder was last probed.
    probed: Option<Instant>,
}

/// A version of the roll and of its manifest: two of the same length and time are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    bytes: u64,
    modified: SystemTime,
    manifest_sha256: String,
}

impl Folder {
    pub(super) fn new(path: &Path, may_forget: Duration, mode: Option<FileMode>) -> Self {
        let (status, found) = Default::default();
        Self { path: path.to_owned(), may_forget, mode, status, found }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn roll_path(&self) -> PathBuf {
        self.path.join(FILE_NAME)
    }

    pub(super) fn manifest(&self) -> Result<Option<Manifest>, Error> {
        Ok(Manifest::read(&self.path)?)
    }

    /// Makes the folder, if it is missing.
    pub(super) fn make(&self) -> Result<(), Error> {
        std::fs::create_dir_all(&self.path)
            .map_err(|source| Error::io("create", &self.path, source))
    }

    /// Compares the manifest with what the store knows, which was asked first.
    pub(super) fn compare(
        &self,
        store: Option<&RollState>,
    ) -> Result<(Agreement, Option<Manifest>), Error> {
        let _step = self.status.step();
        let manifest = self.manifest()?;
        let agreement = agreement::compare(store, manifest.as_ref(), self.may_forget);
        let agreement = agreement.map_err(|difference| Error::Differs {
            folder: self.path.clone(),
            difference: Box::new(difference),
            missing: Vec::new(),
        })?;
        Ok((agreement, manifest))
    }

    fn has_roll(&self) -> Result<bool, Error> {
        let path = self.roll_path();
        path.try_exists().map_err(|source| Error::io("look for", &path, source))
    }

    /// Removes the roll before this one under this name, if the rotation that began this one was interrupted
    /// before it could. It must be there under its other name.
    pub(super) fn finish_rotation(&self, manifest: &Manifest) -> Result<(), Error> {
        let Some(kept) = self.kept(manifest).filter(|_| manifest.batches == 0) else {
            return Ok(());
        };
        let path = self.roll_path();
        let (Ok(standing), Ok(kept)) = (std::fs::metadata(&path), std::fs::metadata(kept)) else {
            return Ok(());
        };
        let is_link = (standing.dev(), standing.ino()) == (kept.dev(), kept.ino());
        let is_copied = kept.nlink() == 1 && standing.len() == kept.len();
        if is_link || is_copied {
            std::fs::remove_file(&path).map_err(|source| Error::io("remove", &path, source))?;
            replace::sync_folder(&self.path)?;
        }
        Ok(())
    }

    /// Where the roll before this one is kept.
    fn kept(&self, manifest: &Manifest) -> Option<PathBuf> {
        manifest.kept.as_ref().map(|kept| self.path.join(kept))
    }

    /// Begins an empty roll with its manifest. A roll without a manifest was written by something else.
    pub(super) fn begin(&self) -> Result<Manifest, Error> {
        if self.has_roll()? {
            return Err(Error::Changed {
                path: self.roll_path(),
                problem: "the manifest is missing",
            });
        }
        let manifest = Manifest::of_new_roll(new_id());
        self.write_manifest(&manifest)?;
        Ok(manifest)
    }

    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let _step = self.status.step();
        self.prepare_manifest(manifest)?;
        replace::publish_manifest(&self.path)
    }

    /// Writes a manifest next to the one that stands.
    pub(super) fn prepare_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        replace::prepare_manifest(&self.path, manifest, self.mode)
    }

    /// Creates the file that is to take the place of the roll.
    pub(super) fn create_roll(&self, manifest: &Manifest) -> Result<(PathBuf, File), Error> {
        let path = self.roll_path();
        let new = replace::beside(&path);
        let like = self.kept(manifest).filter(|_| !path.exists());
        let file = replace::create(&path, like.as_deref().unwrap_or(&path), self.mode);
        file.map(|file| (new.clone(), file)).map_err(|source| Error::io("create", &new, source))
    }

    /// Whether nobody has touched the roll since this manifest was written.
    pub(super) fn is_untouched(&self, manifest: &Manifest) -> Result<bool, Error> {
        let _step = self.status.step();
        if manifest.batches > 0 {
            return Standing::open(&self.path)?.is_untouched(manifest);
        }
        self.has_roll().map(|has_roll| !has_roll)
    }

    /// Makes sure that the roll is what this manifest says: reads it, if it was touched. One version is
    /// read once.
    pub(super) fn verify(&self, manifest: &Manifest, lock: &mut Lock) -> Result<(), Error> {
        if self.is_untouched(manifest)? {
            return Ok(());
        }
        if manifest.batches == 0 {
            let problem = "something else put it there";
            return Err(Error::Changed { path: self.roll_path(), problem });
        }
        let standing = Standing::open(&self.path)?;
        let found = standing.file.metadata().map_err(|error| standing.failed("read", error))?;
        let version = Version {
            bytes: found.len(),
            modified: found.modified().map_err(|error| standing.failed("read", error))?,
            manifest_sha256: manifest.sha256.clone(),
        };
        if version.bytes > manifest.bytes {
            return Err(standing.changed("something was added to it"));
        }
        let known = |found: &mut Found| found.read.clone().filter(|(read, _)| *read == version);
        let problem = match self.found(known) {
            Some((_, problem)) => problem,
            None => {
                let read = standing.read_records(manifest, &self.status, |_| {
                    lock.sign();
                    Ok(())
                });
                let problem = match read {
                    Ok(_) => None,
                    Err(Error::Changed { problem, .. }) => Some(problem),
                    Err(error) => return Err(error),
                };
                self.found(|found| found.read = Some((version, problem)));
                problem
            }
        };
        problem.map_or(Ok(()), |problem| Err(standing.changed(problem)))
    }

    /// Publishes the manifest of the roll that stands, if a writer was lost before it could.
    pub(super) fn finish_publication(&self) -> Result<(), Error> {
        let Some(prepared) = replace::prepared_manifest(&self.path) else { return Ok(()) };
        let Some(manifest) = self.manifest()? else { return Ok(()) };
        let is_next = prepared.id == manifest.id && prepared.batches > manifest.batches;
        if is_next && self.has_roll()? && Standing::open(&self.path)?.is_untouched(&prepared)? {
            let _step = self.status.step();
            replace::publish_manifest(&self.path)?;
        }
        Ok(())
    }

    /// Takes the lock; `None` while another writer has it.
    ///
    /// # Errors
    ///
    /// The file system fails, or the other writer has shown no progress for long.
    pub(super) fn lock(&self) -> Result<Option<Lock>, Error> {
        let _step = self.status.step();
        let held = match Lock::take(&self.path)? {
            Ok(lock) => {
                self.found(|found| found.held = None);
                return Ok(Some(lock));
            }
            Err(held) => held,
        };
        let silent = self.found(|found| match &found.held {
            Some((before, since)) if *before == held => since.elapsed(),
            _ => {
                found.held = Some((held.clone(), Instant::now()));
                Duration::ZERO
            }
        });
        if silent < SILENT_MAX {
            return Ok(None);
        }
        Err(Error::Locked { folder: self.path.clone(), holder: held.holder })
    }

    /// Tries to write in the folder, unless that was done a moment ago and there was no problem since. While
    /// another writer has the lock, that one finds out.
    pub(super) fn probe(&self) -> Result<Look, Error> {
        let probed = self.found(|found| found.probed);
        let is_well = probed.is_some() && self.status.problem().is_none();
        if is_well && probed.is_some_and(|probed| probed.elapsed() < probe::INTERVAL) {
            return Ok(Look::Well);
        }
        let Some(lock) = self.lock()? else { return Ok(Look::Unknown) };
        let _step = self.status.step();
        probe::run(&self.path, &lock, !is_well)?;
        self.found(|found| found.probed = Some(Instant::now()));
        Ok(Look::Well)
    }

    /// Measures the roll and the room for it.
    pub(super) fn measure(&self, manifest: Option<&Manifest>) {
        let _step = self.status.step();
        if let Ok(found) = rustix::fs::statvfs(&self.path) {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            metrics::roll_room(manifest.map_or(0, |manifest| manifest.bytes), free);
        }
    }

    fn found<T>(&self, of: impl FnOnce(&mut Found) -> T) -> T {
        of(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
