//! A queue with a deliberate bug.

use std::collections::{BTreeSet, HashMap};
use std::slice::from_ref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use muster_content::ContentDigest;
use muster_queue::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, DeadGroup, DeadLetter, Depth, Indexed, Lease, LetterId, NewChunk, Outcome, Outgrown,
    Queue, Replay, Replayed, Result, ResultChunk, RollState, SeenWorker, Stats, StoreInfo, Work,
    WorkerId, WorkerReport,
};

use crate::support::MemoryQueue;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Each chunk is appended in a step of its own: when one is refused, those before it are stored.
    AppendsOneByOne,
    /// A chunk leaves the queue when it is leased: what its worker held is gone with it.
    AcknowledgesWhenLeased,
    /// Whether a batch is complete is asked when it is sealed, and not when it is committed.
    CompletesInSealAlone,
    /// A lease that is lost is released all the same, and its heir loses it.
    ReleasesForAnybody,
}

/// A queue that does all as another does, but for its bug.
#[derive(Debug)]
pub(crate) struct Mutant {
    bug: Bug,
    queue: MemoryQueue,
    seen: Mutex<Seen>,
}

/// What the bug needs to know.
#[derive(Debug, Default)]
struct Seen {
    /// Who was given each entry last.
    holders: HashMap<String, WorkerId>,
    /// The batches that are sealed, and have work left.
    sealed: BTreeSet<BatchId>,
}

impl Mutant {
    pub(crate) fn new(bug: Bug, queue: MemoryQueue) -> Self {
        Self { bug, queue, seen: Mutex::default() }
    }

    fn see<T>(&self, see: impl FnOnce(&mut Seen) -> T) -> T {
        see(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn given<'a>(&self, leases: impl Iterator<Item = &'a Lease>) {
        self.see(|seen| {
            let holders = leases.map(|lease| (lease.entry().to_owned(), lease.worker.clone()));
            seen.holders.extend(holders);
        });
    }

    /// The lease as whoever holds the entry has it.
    fn stolen(&self, lease: &Lease) -> Lease {
        let holder = self.see(|seen| seen.holders.get(lease.entry()).cloned());
        let worker = holder.unwrap_or_else(|| lease.worker.clone());
        Lease::new(worker, lease.entry().to_owned())
    }

    /// A batch as the sealed one that it is said to be.
    fn disguised(&self, mut batch: Batch) -> Batch {
        if batch.state == BatchState::Open && self.see(|seen| seen.sealed.contains(&batch.id)) {
            batch.state = BatchState::Sealed;
            batch.times.sealed = batch.times.opened;
        }
        batch
    }
}

#[async_trait]
impl Queue for Mutant {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        Ok(self.disguised(self.queue.open(id, options).await?))
    }

    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        if self.bug != Bug::AppendsOneByOne {
            return self.queue.append(id, chunks).await;
        }
        for chunk in chunks {
            let appended = self.queue.append(id, from_ref(chunk)).await?;
            if appended != Appended::Accepted {
                return Ok(appended);
            }
        }
        Ok(Appended::Accepted)
    }

    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        let batch = self.queue.batch(id).await?;
        let has_work_left = batch.is_some_and(|batch| !batch.may_complete());
        if self.bug == Bug::CompletesInSealAlone && has_work_left {
            self.see(|seen| seen.sealed.insert(id.clone()));
            return self.open(id, &BatchOptions::default()).await;
        }
        self.queue.seal(id, records, digest).await
    }

    async fn abort(&self, id: &BatchId) -> Result<Batch> {
        self.queue.abort(id).await
    }

    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        self.queue.end_overdue(limit).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        let work = self.queue.lease(worker, max, wait).await?;
        self.given(work.iter().map(Work::lease));
        Ok(work)
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        if self.bug == Bug::AcknowledgesWhenLeased {
            return Ok(Vec::new());
        }
        let work = self.queue.take_over(worker, idle, max).await?;
        self.given(work.iter().map(Work::lease));
        Ok(work)
    }

    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>> {
        let chunk = self.queue.lease_isolated(worker, idle).await?;
        self.given(chunk.iter().map(|chunk| &chunk.lease));
        Ok(chunk)
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        self.queue.extend(leases).await
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        match self.bug {
            Bug::AcknowledgesWhenLeased => Ok(()),
            Bug::ReleasesForAnybody => {
                let stolen: Vec<Lease> = leases.iter().map(|lease| self.stolen(lease)).collect();
                self.queue.release(&stolen).await
            }
            Bug::AppendsOneByOne | Bug::CompletesInSealAlone => self.queue.release(leases).await,
        }
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        self.queue.commit(chunk, outcome).await
    }

    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        self.queue.next_complete(limit).await
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        self.queue.results(id, first, bytes_max).await
    }

    async fn roll(&self) -> Result<Option<RollState>> {
        self.queue.roll().await
    }

    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        self.queue.set_roll(before, after).await
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        self.queue.mark_written(id, roll_sha256).await
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        Ok(self.queue.batch(id).await?.map(|batch| self.disguised(batch)))
    }

    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        self.queue.checkpoints(id).await
    }

    async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        self.queue.indexed(id).await
    }

    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        let batches = self.queue.batches(state, after, limit).await?;
        Ok(batches.into_iter().map(|batch| self.disguised(batch)).collect())
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        self.queue.dead_letters(id, from_place, limit).await
    }

    async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        self.queue.dead_groups().await
    }

    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        self.queue.dead_in_group(group, after, limit).await
    }

    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        self.queue.replay(id, letters).await
    }

    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        self.queue.drop_letters(id, places).await
    }

    async fn depth(&self) -> Result<Depth> {
        self.queue.depth().await
    }

    async fn stats(&self) -> Result<Stats> {
        self.queue.stats().await
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        self.queue.pause(paused).await
    }

    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        self.queue.set_log_filter(filter).await
    }

    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        self.queue.heartbeat(report).await
    }

    async fn workers(&self) -> Result<Vec<SeenWorker>> {
        self.queue.workers().await
    }

    async fn retire(&self, id: &str) -> Result<()> {
        self.queue.retire(id).await
    }

    async fn store_info(&self) -> Result<StoreInfo> {
        self.queue.store_info().await
    }

    async fn outgrown(&self, id: &BatchId) -> Result<Option<Outgrown>> {
        self.queue.outgrown(id).await
    }

    async fn ping(&self) -> Result<()> {
        self.queue.ping().await
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        self.queue.forget(worker).await
    }
}
