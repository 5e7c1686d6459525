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
//! 4. tell the store what the roll holds;
//! 5. tell the store of each batch that it is written.
//!
//! Before 2, a writer prepares the manifest in a file of its own. A writer that is lost after 2 leaves a roll
//! that the prepared manifest describes: the next one does 3 for it. One that is lost after 3, 4, or amid
//! 5, leaves a manifest that names the batches: the next one goes on with 4. So a batch is in the roll once,
//! whenever a writer is lost.
//!
//! A roll belongs to one store: both know the roll's id, how many batches it has, and its digest. They are
//! compared when a worker starts, every few seconds, and before each growth (`agreement`). A store that
//! loses its last seconds (a power cut, a failover) can forget that batches were written. The manifest
//! names the last ones, each with a digest of its records: what it has already is not added again. Any
//! other difference is an error that an operator resolves ([`Roll::accept`]).
//!
//! A roll whose length and time are those that its manifest says is copied without a look at it:
//! on a file system where files can share what is the same, that costs the same for a roll of any
//! length. Any other is read, and must have the digest that the manifest says.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `settle` | the store and the folder, made to mean the same roll |
//! | `agreement` | how they agree, or differ |
//! | `folder` | the folder, as a writer finds it |
//! | `standing` | the roll that stands |
//! | `new_roll`, `stages`, `lines`, `pages` | the next one: its file, and how batches get into it |
//! | `lock`, `replace`, `probe` | the right to write in the folder, and how files are replaced in it |
//! | `accept`, `rotate` | a roll that an operator accepts as it is, or ends |
//! | `status` | how it goes: what probes and reports say |
//! | `background` | threads that may block |

mod accept;
mod agreement;
mod background;
mod error;
mod folder;
pub mod lines;
mod lock;
mod new_roll;
mod pages;
mod probe;
mod replace;
mod rotate;
mod settle;
mod stages;
mod standing;
mod status;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use muster_content::ContentDigest;
use muster_program::shutdown::Shutdown;
use muster_queue::{Batch, BatchState, Durability, Queue, RollProblem};
use tracing::Span;

pub use accept::Accepted;
pub use agreement::Difference;
pub use error::Error;
pub use muster_roll::{Entry, FILE_NAME, MANIFEST_NAME, Manifest, Resume};
pub use replace::sync_folder;
pub use rotate::Rotated;
pub use status::Look;

use crate::{FileMode, metrics, spans};
use agreement::state_of;
use folder::Folder;
use lines::{BatchDigest, lay_out};
use lock::Lock;
use new_roll::{NewRoll, opened_ms};
use pages::Pages;

/// How many batches one writing takes.
const BATCHES_MAX: usize = 1000;
/// How long to wait before looking again whether another writer has finished.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// The roll in a folder. Clones share how it goes with it.
#[derive(Clone, Debug)]
pub struct Roll {
    folder: Folder,
}

impl Roll {
    /// The roll in this folder, which is made when the roll is begun. `durability` is that of the store;
    /// without a `mode`, the files keep theirs.
    pub fn in_folder(folder: &Path, durability: Durability, mode: Option<FileMode>) -> Self {
        let may_forget = match durability {
            Durability::Accepted => muster_roll::FORGETTING,
            Durability::Synced | Durability::Replicated => Duration::ZERO,
        };
        Self { folder: Folder::new(folder, may_forget, mode) }
    }

    /// The roll's own file.
    pub fn path(&self) -> PathBuf {
        self.folder.roll_path()
    }

    /// What the roll holds now: all zero before it is first written.
    ///
    /// # Errors
    ///
    /// The manifest is there and cannot be read.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        Ok(self.folder.manifest()?.unwrap_or_default())
    }

    /// Why the roll cannot be written, as far as the last check or writing tells, or because the file
    /// system does not answer.
    pub fn problem(&self) -> Option<RollProblem> {
        self.folder.status.problem()
    }

    /// Why the process that writes the roll is not ready to do so.
    pub fn not_ready(&self) -> Option<String> {
        match self.problem() {
            Some(problem) => Some(format!("the roll cannot be written: {}", problem.reason)),
            None if self.folder.status.is_checked() => None,
            None => Some("the roll has not been checked yet".to_owned()),
        }
    }

    /// Checks that the roll can be written: that it is the one that the store knows, that nobody has changed
    /// it, and that the folder takes files. Begins a roll if the store and the folder have none.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub async fn check(&self, queue: &dyn Queue) -> Result<Look, Error> {
        settle::check(queue, &self.folder).await
    }

    /// Makes what is in the folder the roll of the store, whatever the store knew before. A store that is
    /// too old a copy is refused unless batches `may_duplicate`: the manifest then does not name all batches
    /// that the roll has and the store would add again.
    ///
    /// # Errors
    ///
    /// The store or the file system fails, another writer is at work, what is there is not a roll, or the
    /// store is too old.
    pub async fn accept(&self, queue: &dyn Queue, may_duplicate: bool) -> Result<Accepted, Error> {
        let folder = self.folder.clone();
        background::run(move || folder.make()).await?;
        let lock = self.wait_for_lock(queue).await?;
        accept::accept(queue, &self.folder, lock, may_duplicate).await
    }

    /// Ends the roll: keeps it under another name, and begins a new one. Batches are written meanwhile as
    /// ever, each to one of the two.
    ///
    /// # Errors
    ///
    /// The store or the file system fails, or the roll cannot be written.
    pub async fn rotate(&self, queue: &dyn Queue) -> Result<Rotated, Error> {
        let lock = self.wait_for_lock(queue).await?;
        rotate::rotate(queue, &self.folder, lock).await
    }

    /// Notes how a check or a writing ended, for [`Roll::problem`]. Returns whether that is news.
    pub(crate) fn ended(&self, result: &Result<Look, Error>) -> bool {
        self.folder.status.ended(result)
    }

    /// Writes every complete batch into the roll, or waits until another writer has.
    ///
    /// Ends early, between two batches, when the shutdown begins.
    ///
    /// # Errors
    ///
    /// The store or the file system fails, or the roll is not what its manifest or the store says. The
    /// batches before the one at fault are in the roll, the others can be written later.
    pub async fn write(&self, queue: &dyn Queue, shutdown: &Shutdown) -> Result<(), Error> {
        let mut batches_max = BATCHES_MAX;
        while !shutdown.has_begun() {
            if queue.next_complete(1).await?.is_empty() {
                return Ok(());
            }
            let Some(lock) = self.lock(queue).await? else {
                tokio::time::sleep(LOCK_INTERVAL).await;
                continue;
            };
            self.write_next(queue, &mut batches_max, lock, shutdown).await?;
        }
        Ok(())
    }

    /// Writes the complete batches that nobody writes: those that a worker was given to write that cannot.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub(crate) async fn catch_up(
        &self,
        queue: &dyn Queue,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let mut batches_max = BATCHES_MAX;
        while !shutdown.has_begun() {
            // This is asked often: it must cost the store less than the next step does.
            if queue.batches(Some(BatchState::Complete), None, 1).await?.is_empty() {
                break;
            }
            let Some(lock) = self.lock(queue).await? else { break };
            self.write_next(queue, &mut batches_max, lock, shutdown).await?;
        }
        Ok(())
    }

    async fn wait_for_lock(&self, queue: &dyn Queue) -> Result<Lock, Error> {
        loop {
            match self.lock(queue).await? {
                Some(lock) => return Ok(lock),
                None => tokio::time::sleep(LOCK_INTERVAL).await,
            }
        }
    }

    async fn lock(&self, queue: &dyn Queue) -> Result<Option<Lock>, Error> {
        let folder = self.folder.clone();
        match background::run(move || folder.lock()).await {
            // There is nothing to lock: this says why, or makes the folder.
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                self.check(queue).await.map(|_| None)
            }
            taken => taken,
        }
    }

    /// Writes the next complete batches: one by one after those of a writing failed.
    async fn write_next(
        &self,
        queue: &dyn Queue,
        batches_max: &mut usize,
        lock: Lock,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let (before, lock) = settle::settle(queue, &self.folder, lock).await?;
        // Another writer may have written them before the lock was had.
        let batches = queue.next_complete(*batches_max).await?;
        match self.write_batches(queue, batches, before, lock, shutdown).await {
            // One by one, those before the one at fault are written all the same.
            Err(error) if *batches_max > 1 => {
                tracing::debug!(%error, "the next batches are written one by one");
                *batches_max = 1;
                Ok(())
            }
            written => written,
        }
    }

    async fn write_batches(
        &self,
        queue: &dyn Queue,
        batches: Vec<Batch>,
        before: Manifest,
        lock: Lock,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for mut batch in batches {
            batch.digest = match batch.digest {
                None => digest_of_indexed(queue, &batch).await?,
                digest => digest,
            };
            let is_known = self.has(&before, queue, &batch).await?;
            if is_known { known.push(batch) } else { new.push(batch) }
        }
        mark_written(queue, &known, &before).await?;
        if new.is_empty() {
            return settle::release(lock).await;
        }
        let began = Instant::now();
        let spans: Vec<Span> = new.iter().map(spans::write_roll).collect();
        let folder = self.folder.clone();
        let store = state_of(&before);
        let roll = background::run(move || NewRoll::after(folder, before, lock)).await?;
        let (roll, added) = stages::add(queue, new, roll, shutdown).await?;
        if added.is_empty() {
            return Ok(());
        }
        let (after, lock) = background::run(move || roll.publish()).await?;
        settle::tell(queue, &self.folder, Some(&store), &after).await?;
        mark_written(queue, &added, &after).await?;
        settle::release(lock).await?;
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

    /// Whether the roll has the batch: this one, or one of the same id and records.
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
        let (in_roll, in_store) = (entry.records, digest.records);
        if in_store == in_roll && digest.sha256() == entry.sha256 {
            return Ok(true);
        }
        let received = batch.digest.map(|digest| digest.to_string());
        let is_same_batch = entry.opened_ms != 0 && entry.opened_ms == opened_ms(batch);
        let has_same_records = received.is_some() && received == entry.received;
        if !is_same_batch && !has_same_records {
            return Ok(false);
        }
        // The store is an older copy, or lost its data: the batch was processed a second time.
        let batch = &batch.id;
        if in_store > in_roll {
            tracing::error!(
                %batch, in_roll, in_store,
                "not written again: the roll has this batch, and the store has more records of it: send \
                 those that are missing as another batch"
            );
        } else {
            tracing::warn!(
                %batch, in_roll, in_store,
                "not written again: the roll has this batch, and the store an older copy of it"
            );
        }
        Ok(true)
    }
}

/// The digest of a batch whose records came each with its own index, if all of them are known.
async fn digest_of_indexed(
    queue: &dyn Queue,
    batch: &Batch,
) -> Result<Option<ContentDigest>, Error> {
    let indexed = queue.indexed(&batch.id).await?;
    Ok((indexed.records() > 0 && indexed.records() == batch.received).then(|| indexed.digest()))
}

/// Tells the store that these batches are in the roll.
async fn mark_written(queue: &dyn Queue, batches: &[Batch], roll: &Manifest) -> Result<(), Error> {
    let marks = batches
        .iter()
        .map(|batch| queue.mark_written(&batch.id, &roll.holder(batch.id.as_str()).sha256));
    futures::future::try_join_all(marks).await?;
    Ok(())
}
