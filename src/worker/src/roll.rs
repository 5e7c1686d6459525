//! The roll: `all_users.json`, a JSON array with one record a line, and its manifest.
//!
//! The roll grows by a batch at a time, and each growth replaces the file atomically. One writer
//! at a time holds the folder's lock, and takes the complete batches in their order. Its steps
//! for a batch:
//!
//! 1. copy the roll as the manifest describes it, and add the batch, in a new file;
//! 2. put that file in the roll's place;
//! 3. put a new manifest in its place, which names the batch;
//! 4. tell the store that the batch is written.
//!
//! A writer that is lost after 2 leaves a roll that is longer than its manifest says: the next
//! one copies the part that is described, and adds the same batch again. One that is lost after
//! 3 leaves a manifest that names the batch: the next one goes on with 4. So a batch is in the
//! roll once, whenever a writer is lost. The first writer begins with the manifest of an empty
//! roll: a roll without a manifest is none of ours, and is left alone.
//!
//! A store that loses its last seconds (a power cut, a failover) can forget that batches were
//! written. The manifest names the last ones, each with a digest of its records: what it has
//! already is not added again.

mod error;
mod file;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use muster_program::shutdown::Shutdown;
use muster_queue::{Batch, BatchState, Queue, ResultChunk};
use tracing::Instrument as _;

pub use error::Error;
pub use muster_roll::{Entry, FILE_NAME, MANIFEST_NAME, Manifest};

use crate::{metrics, spans};
use file::{BatchDigest, Lock, NewRoll};

/// The file beside them that the writer has locked.
const LOCK_NAME: &str = "all_users.lock";

/// How much of a batch's results is read from the store at once, in bytes.
const PAGE_BYTES_MAX: usize = 1 << 20;
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
    /// written until then are in the roll, the others can be written later.
    pub async fn write(&self, queue: &dyn Queue, shutdown: &Shutdown) -> Result<(), Error> {
        while !shutdown.has_begun() {
            let Some(batch) = queue.next_complete().await? else {
                return Ok(());
            };
            self.make_folder()?;
            let Some(lock) = Lock::take(&self.folder)? else {
                tokio::time::sleep(LOCK_INTERVAL).await;
                continue;
            };
            // Another writer may have written it before the lock was had.
            let is_complete = |batch: Batch| batch.state == BatchState::Complete;
            if queue.batch(&batch.id).await?.is_some_and(is_complete) {
                let span = spans::write_roll(&batch);
                self.write_batch(queue, &batch, lock).instrument(span).await?;
            }
        }
        Ok(())
    }

    async fn write_batch(&self, queue: &dyn Queue, batch: &Batch, lock: Lock) -> Result<(), Error> {
        let began = Instant::now();
        let before = match Manifest::read(&self.folder)? {
            Some(manifest) => manifest,
            None => self.begin()?,
        };
        let (after, _lock) = if self.has(&before, queue, batch).await? {
            (before, lock)
        } else {
            let mut roll = NewRoll::after(&self.folder, before, lock).await?;
            let mut pages = Pages::of(queue, batch);
            while let Some(page) = pages.next().await? {
                roll = roll.add(page).await?;
            }
            roll.publish(batch).await?
        };
        queue.mark_written(&batch.id, &after.sha256).await?;
        metrics::wrote(began.elapsed());
        tracing::info!(
            records = batch.kept,
            dead = batch.dead,
            roll_records = after.records,
            sha256 = after.sha256,
            "the roll is written"
        );
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
            digest.add(page, |_| Ok(()))?;
        }
        Ok(digest.finish() == (entry.records, entry.sha256.clone()))
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
        file::write_manifest(&self.folder, &empty)?;
        Ok(empty)
    }
}

/// The results of a batch, page by page.
struct Pages<'a> {
    queue: &'a dyn Queue,
    batch: &'a Batch,
    place: u64,
}

impl<'a> Pages<'a> {
    fn of(queue: &'a dyn Queue, batch: &'a Batch) -> Self {
        Self { queue, batch, place: 0 }
    }

    /// The next page; `None` after the last, when every place of the batch was covered.
    async fn next(&mut self) -> Result<Option<Vec<ResultChunk>>, Error> {
        let Batch { id, received, .. } = self.batch;
        let page = self.queue.results(id, self.place, PAGE_BYTES_MAX).await?;
        if let Some(last) = page.last() {
            self.place = last.first + u64::from(last.count);
            return Ok(Some(page));
        }
        if self.place == *received {
            return Ok(None);
        }
        Err(Error::ResultsMissing { batch: id.clone(), found: self.place, expected: *received })
    }
}
