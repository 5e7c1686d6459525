//! A store behind a gate: it counts what is appended, holds appends back, and can be away.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use muster_content::ContentDigest;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, DeadGroup, DeadLetter, Depth, Error, Indexed, Lease, LetterId, NewChunk, Outcome,
    Outgrown, Queue, Replay, Replayed, Result, ResultChunk, RollState, SeenWorker, Stats,
    StoreInfo, Work, WorkerId, WorkerReport,
};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Gate {
    store: EmbeddedQueue,
    away: AtomicBool,
    appends: AtomicUsize,
    last_opened: Mutex<Option<BatchId>>,
    held: watch::Sender<Held>,
}

/// Which appends are held back.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Nothing,
    All,
    Of(BatchId),
}

impl Gate {
    pub(crate) fn before(store: EmbeddedQueue) -> Self {
        let (held, _) = watch::channel(Held::Nothing);
        let (away, appends, last_opened) = Default::default();
        Self { store, away, appends, last_opened, held }
    }

    /// Says whether the store is away: then every step is refused.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Says whether appends are held back before they reach the store.
    pub(crate) fn hold_appends(&self, held: bool) {
        self.held.send_replace(if held { Held::All } else { Held::Nothing });
    }

    /// Holds back only the appends to this batch.
    pub(crate) fn hold_appends_to(&self, batch: &BatchId) {
        self.held.send_replace(Held::Of(batch.clone()));
    }

    /// How many appends were begun.
    pub(crate) fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }

    /// The batch that was opened last.
    pub(crate) fn last_opened(&self) -> Option<BatchId> {
        self.last_opened.lock().unwrap().clone()
    }

    fn store(&self) -> Result<&EmbeddedQueue> {
        if self.away.load(Ordering::SeqCst) {
            let (store, reason) = ("secret-host".to_owned(), "connection refused".to_owned());
            return Err(Error::Unavailable { store, reason });
        }
        Ok(&self.store)
    }
}

#[tonic::async_trait]
impl Queue for Gate {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        *self.last_opened.lock().unwrap() = Some(id.clone());
        self.store()?.open(id, options).await
    }

    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        let mut held = self.held.subscribe();
        let passes = |held: &Held| *held != Held::All && *held != Held::Of(id.clone());
        held.wait_for(passes).await.expect("the gate stands as long as it is used");
        self.store()?.append(id, chunks).await
    }

    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        self.store()?.seal(id, records, digest).await
    }

    async fn abort(&self, id: &BatchId) -> Result<Batch> {
        self.store()?.abort(id).await
    }

    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        self.store()?.end_overdue(limit).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        self.store()?.lease(worker, max, wait).await
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        self.store()?.take_over(worker, idle, max).await
    }

    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>> {
        self.store()?.lease_isolated(worker, idle).await
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        self.store()?.extend(leases).await
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        self.store()?.release(leases).await
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        self.store()?.commit(chunk, outcome).await
    }

    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        self.store()?.next_complete(limit).await
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        self.store()?.results(id, first, bytes_max).await
    }

    async fn roll(&self) -> Result<Option<RollState>> {
        self.store()?.roll().await
    }

    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        self.store()?.set_roll(before, after).await
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        self.store()?.mark_written(id, roll_sha256).await
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        self.store()?.batch(id).await
    }

    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        self.store()?.checkpoints(id).await
    }

    async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        self.store()?.indexed(id).await
    }

    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        self.store()?.batches(state, after, limit).await
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        self.store()?.dead_letters(id, from_place, limit).await
    }

    async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        self.store()?.dead_groups().await
    }

    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        self.store()?.dead_in_group(group, after, limit).await
    }

    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        self.store()?.replay(id, letters).await
    }

    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        self.store()?.drop_letters(id, places).await
    }

    async fn depth(&self) -> Result<Depth> {
        self.store()?.depth().await
    }

    async fn stats(&self) -> Result<Stats> {
        self.store()?.stats().await
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        self.store()?.pause(paused).await
    }

    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        self.store()?.set_log_filter(filter).await
    }

    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        self.store()?.heartbeat(report).await
    }

    async fn workers(&self) -> Result<Vec<SeenWorker>> {
        self.store()?.workers().await
    }

    async fn retire(&self, id: &str) -> Result<()> {
        self.store()?.retire(id).await
    }

    async fn store_info(&self) -> Result<StoreInfo> {
        self.store()?.store_info().await
    }

    async fn outgrown(&self, id: &BatchId) -> Result<Option<Outgrown>> {
        self.store()?.outgrown(id).await
    }

    async fn ping(&self) -> Result<()> {
        self.store()?.ping().await
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        self.store()?.forget(worker).await
    }
}
