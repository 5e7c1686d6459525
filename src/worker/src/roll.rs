//! The roll: `all_users.json`, a JSON array with one record a line, and its manifest.
//!
//! The roll grows by the batches that are complete, and each growth replaces the file atomically.
//! One writer at a time holds the folder's lock, and takes the complete batches in their order,
//! all that there are: so the cost of a growth is shared by what became complete during the one
//! before. Its steps:
//!
//! 1. copy the roll as the manifest describes it, and add the batches, in a new file;
//! 2. put that file in the roll's place;
//! 3. put a new manifest in its place, which names the batches;
//! 4. tell the store of each batch that it is written.
//!
//! A writer that is lost after 2 leaves a roll that is longer than its manifest says: the next
//! one copies the part that is described, and adds the same batches again. One that is lost after
//! 3, or amid 4, leaves a manifest that names the batches: the next one goes on with 4. So a batch
//! is in the roll once, whenever a writer is lost. The first writer begins with the manifest of an
//! empty roll: a roll without a manifest is none of ours, and is left alone.
//!
//! A roll whose length and time are those that its manifest says is copied without a look at it:
//! on a file system where files can share what is the same, that costs the same for a roll of any
//! length. Any other is read, and must have the digest that the manifest says.
//!
//! A store that loses its last seconds (a power cut, a failover) can forget that batches were
//! written. The manifest names the last ones, each with a digest of its records: what it has
//! already is not added again.

mod background;
mod error;
pub mod lines;
mod lock;
mod new_roll;
mod pages;
mod replace;
mod stages;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use muster_program::shutdown::Shutdown;
use muster_queue::{Batch, Queue};
use tracing::Span;

pub use error::Error;
pub use muster_roll::{Entry, FILE_NAME, MANIFEST_NAME, Manifest, Resume};

use crate::{metrics, spans};
use lines::{BatchDigest, lay_out};
use lock::Lock;
use new_roll::NewRoll;
use pages::Pages;

/// How many batches one writing takes.
const BATCHES_MAX: usize = 1000;
/// How long to wait before looking again whether another writer has finished.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// The roll in a folder.
#[derive(Clone, Debug)]
pub struct Roll {
    folder: PathBuf,
}

impl Roll {
    /// The roll in this folder, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        let roll = Self { folder: folder.to_owned() };
        roll.make_folder()?;
        Ok(roll)
    }

    /// The roll's own file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    /// What the roll holds now: all zero before it is first written.
    ///
    /// # Errors
    ///
    /// The manifest is there and cannot be read.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        Ok(Manifest::read(&self.folder)?.unwrap_or_default())
    }

    /// Writes every complete batch into the roll, or waits until another writer has.
    ///
    /// Ends early, between two batches, when the shutdown begins.
    ///
    /// # Errors
    ///
    /// The store or the file system fails, or the roll is not what its manifest says. The batches
    /// before the one at fault are in the roll, the others can be written later.
    pub async fn write(&self, queue: &dyn Queue, shutdown: &Shutdown) -> Result<(), Error> {
        let mut batches_max = BATCHES_MAX;
        while !shutdown.has_begun() {
            if queue.next_complete(1).await?.is_empty() {
                return Ok(());
            }
            self.make_folder()?;
            let Some(lock) = Lock::take(&self.folder)? else {
                tokio::time::sleep(LOCK_INTERVAL).await;
                continue;
            };
            // Another writer may have written them before the lock was had.
            let batches = queue.next_complete(batches_max).await?;
            match self.write_batches(queue, batches, lock, shutdown).await {
                // One by one, those before the one at fault are written all the same.
                Err(error) if batches_max > 1 => {
                    tracing::debug!(%error, "the next batches are written one by one");
                    batches_max = 1;
                }
                written => written?,
            }
        }
        Ok(())
    }

    async fn write_batches(
        &self,
        queue: &dyn Queue,
        batches: Vec<Batch>,
        lock: Lock,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let before = match Manifest::read(&self.folder)? {
            Some(manifest) => manifest,
            None => self.begin()?,
        };
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for batch in batches {
            let is_known = self.has(&before, queue, &batch).await?;
            if is_known { known.push(batch) } else { new.push(batch) }
        }
        mark_written(queue, &known, &before).await?;
        if new.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let spans: Vec<Span> = new.iter().map(spans::write_roll).collect();
        let folder = self.folder.clone();
        let roll = background::run(move || NewRoll::after(folder, before, lock)).await?;
        let (roll, added) = stages::add(queue, new, roll, shutdown).await?;
        if added.is_empty() {
            return Ok(());
        }
        let (after, _lock) = background::run(move || roll.publish()).await?;
        mark_written(queue, &added, &after).await?;
        for (batch, span) in added.iter().zip(spans) {
            metrics::wrote(began.elapsed());
            let _entered = span.entered();
            tracing::info!(
                records = batch.kept,
                dead = batch.dead,
                roll_records = after.records,
                sha256 = after.sha256,
                "the roll is written"
            );
        }
        Ok(())
    }

    /// Whether the roll has the batch: these records, under this id.
    async fn has(
        &self,
        manifest: &Manifest,
        queue: &dyn Queue,
        batch: &Batch,
    ) -> Result<bool, Error> {
        let Some(entry) = manifest.entry(batch.id.as_str()) else {
            return Ok(false);
        };
        let mut digest = BatchDigest::default();
        let mut pages = Pages::of(queue, batch);
        while let Some(page) = pages.next().await? {
            lay_out(page, |block| {
                digest.add(&block);
                Ok(())
            })?;
        }
        Ok(digest.records == entry.records && digest.sha256() == entry.sha256)
    }

    fn make_folder(&self) -> Result<(), Error> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder).map_err(|source| Error::io("make", folder, source))
    }

    /// Begins an empty roll by its manifest: a roll that is there without one is someone else's.
    fn begin(&self) -> Result<Manifest, Error> {
        let path = self.path();
        if path.try_exists().map_err(|source| Error::io("look for", &path, source))? {
            return Err(Error::Changed { path, problem: "there is none" });
        }
        let empty = Manifest::default();
        replace::write_manifest(&self.folder, &empty)?;
        Ok(empty)
    }
}

/// Tells the store that these batches are in the roll.
async fn mark_written(queue: &dyn Queue, batches: &[Batch], roll: &Manifest) -> Result<(), Error> {
    let marks = batches.iter().map(|batch| queue.mark_written(&batch.id, &roll.sha256));
    futures::future::try_join_all(marks).await?;
    Ok(())
}
