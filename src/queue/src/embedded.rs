//! The store in this process, on disk.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `tables` | every table, and what one transaction does to them |
//! | `row` | a batch as its row holds it |
//! | `note` | what is known of a waiting chunk, beside its records |
//! | `writer` | the one thread that writes: steps that arrive together share one fsync |
//! | `append`, `complete`, `letters`, `written` | the steps: each checks first and writes after |
//! | `states` | how a batch comes from one state to the next, and the lists that it is in |
//! | `controls` | what an operator has set |
//! | `reports` | what processes that run workers say of themselves |
//! | `leases` | who holds which entry, in memory alone |
//! | `careful` | what a process that is ended in the middle leaves for the next one to know |
//! | `lease` | finding work for a worker |
//! | `read` | batches and results, read without waiting for the writer |
//! | `fault` | why a step failed |

mod append;
mod careful;
mod clock;
mod complete;
mod controls;
mod fault;
mod lease;
mod leases;
mod letters;
mod note;
mod read;
mod reports;
mod row;
mod states;
mod store;
mod tables;
mod writer;
mod written;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_content::ContentDigest;
use redb::ReadTransaction;
use tokio::time::{Instant, timeout};

use self::clock::now_ms;
use self::fault::Fault;
use self::lease::Found;
use self::store::Store;
use self::tables::Entry;
use self::writer::Writer;
use crate::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, DeadGroup, DeadLetter, Depth, Durability, Error, Indexed, Lease, LetterId, NewChunk,
    Outcome, Outgrown, Persistence, Places, Queue, Replay, Replayed, Result, ResultChunk,
    RollState, SeenWorker, Stats, StoreInfo, StoreOptions, Work, WorkerId, WorkerReport,
};

/// How many chunks whose time has come one step lets wait.
const PROMOTED_MAX: usize = 100;

/// A queue in one file, for one process.
///
/// What a method has returned `Ok` for is on disk, synced. Leases alone are in memory: when the
/// file is opened again, whatever was not committed is waiting.
pub struct EmbeddedQueue {
    store: Arc<Store>,
    writer: Writer,
    options: StoreOptions,
}

impl EmbeddedQueue {
    /// Opens the queue in this file, and creates it if there is none. Its folder must exist.
    ///
    /// After a crash, the file is checked as a whole first. Blocks until then. Of `options` the
    /// limits count: what is stored is always synced, and there are no replicas.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the file cannot be opened, or another process has it open;
    /// [`Error::Corrupt`] when it holds no queue.
    pub fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        Self::open_after(path, options, Store::repair)
    }

    /// The same, but a check after a crash does not block: it goes on in the background, and until it is
    /// over every step fails with [`Error::Unavailable`], which says how far it is.
    ///
    /// # Errors
    ///
    /// As [`EmbeddedQueue::open`]. What the check finds is the error of every later step.
    pub fn open_in_background(path: &Path, options: &StoreOptions) -> Result<Self> {
        Self::open_after(path, options, |_| Ok(()))
    }

    /// Opens the file, and repairs it now, or else in the background.
    fn open_after(
        path: &Path,
        options: &StoreOptions,
        repair: impl FnOnce(&Arc<Store>) -> Result<(), Fault>,
    ) -> Result<Self> {
        let name = format!("file:{}", path.display());
        let store = Store::open(&name, path).map(Arc::new);
        let store = store.and_then(|store| repair(&store).map(|()| store));
        let store = store.map_err(|fault| fault.into_error(&name))?;
        let writer = Writer::start(Arc::clone(&store))
            .map_err(|error| Error::Unavailable { store: name, reason: error.to_string() })?;
        Ok(Self { store, writer, options: *options })
    }

    /// Reads off the runtime: what is read may be large.
    async fn read_large<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        let reading = tokio::task::spawn_blocking(move || store.read(read));
        reading.await.map_err(|error| Error::Unavailable {
            store: self.store.name.clone(),
            reason: format!("reading was broken off: {error}"),
        })?
    }

    /// Writes down what was leased, as far as that is needed, before it is handed out.
    async fn hand_out(&self, found: Result<Vec<Found>, Fault>) -> Result<Vec<Work>> {
        let found = found.map_err(|fault| fault.into_error(&self.store.name))?;
        let entries: Vec<Entry> = found.iter().map(|(entry, _)| *entry).collect();
        let work: Vec<Work> = found.into_iter().map(|(_, work)| work).collect();
        let entries = self.store.to_write_down(entries);
        if !entries.is_empty() {
            let written = self.writer.write(move |tables| careful::lease(tables, &entries)).await;
            if let Err(error) = written {
                // Nobody gets it: that is no loss.
                let mut held = self.store.leases();
                work.iter().for_each(|work| held.release(work.lease()));
                return Err(error);
            }
        }
        Ok(work)
    }

    /// Lets chunks wait whose time has come. Returns how long the next one still waits for it.
    async fn promote(&self) -> Result<Option<Duration>> {
        let due_ms = self.store.read(read::next_due_ms)?;
        if due_ms.is_none_or(|due_ms| due_ms > now_ms()) {
            return Ok(due_ms.map(|due_ms| Duration::from_millis(due_ms - now_ms().min(due_ms))));
        }
        self.writer.write(|tables| complete::promote(tables, PROMOTED_MAX)).await?;
        Ok(None)
    }
}

impl fmt::Debug for EmbeddedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedQueue({})", self.store.name)
    }
}

#[async_trait]
impl Queue for EmbeddedQueue {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        let (id, options) = (id.clone(), *options);
        self.writer.write(move |tables| append::open(tables, &id, &options)).await
    }

    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        let places = Places::of_all(chunks);
        let (id, chunks, limits) = (id.clone(), chunks.to_vec(), self.options.limits);
        self.writer.write(move |tables| append::append(tables, &id, &places, &chunks, limits)).await
    }

    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        let id = id.clone();
        self.writer.write(move |tables| complete::seal(tables, &id, records, digest)).await
    }

    async fn abort(&self, id: &BatchId) -> Result<Batch> {
        let id = id.clone();
        self.writer.write(move |tables| complete::abort(tables, &id)).await
    }

    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        // Asked every now and then, mostly for nothing: that must not cost a write.
        if !self.store.read(read::is_any_overdue)? {
            return Ok(Vec::new());
        }
        self.writer.write(move |tables| complete::end_overdue(tables, limit)).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        let end = Instant::now() + wait;
        loop {
            // Listens before it looks: what happens in between is not missed.
            let changed = self.store.changed.notified();
            let due = self.promote().await?;
            let work = self.hand_out(lease::lease(&self.store, worker, max)).await?;
            let left = end.saturating_duration_since(Instant::now());
            if !work.is_empty() || left.is_zero() {
                return Ok(work);
            }
            // Over when the time of a retry has come, too: then it looks again.
            let _ = timeout(due.map_or(left, |due| due.min(left)), changed).await;
        }
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        self.hand_out(lease::take_over(&self.store, worker, idle, max)).await
    }

    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>> {
        let found = self.hand_out(lease::lease_isolated(&self.store, worker, idle)).await?;
        Ok(found.into_iter().find_map(|work| match work {
            Work::Chunk(chunk) => Some(chunk),
            Work::Roll(_) => None,
        }))
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        let mut held = self.store.leases();
        leases.iter().for_each(|lease| held.extend(lease));
        Ok(())
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        let mut held = self.store.leases();
        leases.iter().for_each(|lease| held.release(lease));
        drop(held);
        self.store.changed.notify_waiters();
        Ok(())
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let store = Arc::clone(&self.store);
        let (lease, outcome) = (chunk.lease.clone(), outcome.clone());
        self.writer.write(move |tables| complete::commit(tables, &store, &lease, &outcome)).await
    }

    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        self.store.read(|store| read::next_complete(store, limit))
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        let id = id.clone();
        self.read_large(move |store| read::results(store, &id, first, bytes_max)).await
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let (id, roll_sha256) = (id.clone(), roll_sha256.to_owned());
        self.writer.write(move |tables| written::mark_written(tables, &id, &roll_sha256)).await
    }

    async fn roll(&self) -> Result<Option<RollState>> {
        self.store.read(written::roll)
    }

    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        let (before, after) = (before.cloned(), after.clone());
        self.writer.write(move |tables| written::set_roll(tables, before, after)).await
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        self.store.read(|store| read::batch(store, id))
    }

    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        let id = id.clone();
        self.read_large(move |store| read::checkpoints(store, &id)).await
    }

    async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        let id = id.clone();
        self.read_large(move |store| read::indexed(store, &id)).await
    }

    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        let after = after.cloned();
        self.read_large(move |store| states::batches(store, state, after.as_ref(), limit)).await
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        let id = id.clone();
        self.read_large(move |store| letters::of_batch(store, &id, from_place, limit)).await
    }

    async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        self.read_large(letters::groups).await
    }

    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        let (group, after) = (group.to_owned(), after.cloned());
        self.read_large(move |store| letters::of_group(store, &group, after.as_ref(), limit)).await
    }

    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        let (id, letters) = (id.clone(), letters.to_vec());
        self.writer.write(move |tables| letters::replay(tables, &id, &letters)).await
    }

    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        let (id, places) = (id.clone(), places.to_vec());
        self.writer.write(move |tables| letters::drop_letters(tables, &id, &places)).await
    }

    async fn depth(&self) -> Result<Depth> {
        self.store.read(read::depth)
    }

    async fn stats(&self) -> Result<Stats> {
        let stats = self.store.read(read::stats)?;
        Ok(Stats { leased: self.store.leases().chunks(), ..stats })
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        let pause = move |controls: &mut Controls| controls.paused = paused;
        self.writer.write(move |tables| controls::set(tables, pause)).await
    }

    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        let log_filter = filter.filter(|filter| !filter.is_empty()).map(str::to_owned);
        let set = move |controls: &mut Controls| controls.log_filter = log_filter;
        self.writer.write(move |tables| controls::set(tables, set)).await
    }

    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        self.store.reports.keep(report);
        self.store.read(controls::get)
    }

    async fn workers(&self) -> Result<Vec<SeenWorker>> {
        Ok(self.store.reports.seen())
    }

    async fn retire(&self, id: &str) -> Result<()> {
        self.store.reports.remove(id);
        Ok(())
    }

    async fn store_info(&self) -> Result<StoreInfo> {
        let version = "embedded".to_owned();
        Ok(StoreInfo {
            version,
            used_bytes: self.store.size()?,
            limit_bytes: 0,
            is_full: false,
            persistence: Persistence::File,
            durability: Durability::Synced,
        })
    }

    async fn outgrown(&self, _: &BatchId) -> Result<Option<Outgrown>> {
        Ok(None)
    }

    async fn ping(&self) -> Result<()> {
        self.store.last_write().map_err(|fault| Fault::from(fault).into_error(&self.store.name))?;
        self.store.read(|_| Ok(()))
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        self.store.leases().release_all(worker);
        self.store.changed.notify_waiters();
        Ok(())
    }
}
