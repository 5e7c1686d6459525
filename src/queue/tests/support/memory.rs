//! The queue as plain maps in memory: the store that is too simple to be wrong.

mod row;
mod state;
mod work;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use muster_content::ContentDigest;
use muster_queue::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, DeadGroup, DeadLetter, Depth, Durability, Indexed, Lease, LetterId, NewChunk,
    Outcome, Outgrown, Persistence, Queue, Replay, Replayed, Result, ResultChunk, RollState,
    SeenWorker, Stats, StoreInfo, StoreOptions, Work, WorkerId, WorkerReport,
};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use state::State;

/// A queue that is gone with the process.
#[derive(Debug)]
pub(crate) struct MemoryQueue {
    state: Mutex<State>,
    changed: Notify,
}

impl MemoryQueue {
    pub(crate) fn new(options: StoreOptions) -> Self {
        Self { state: Mutex::new(State::new(options.limits)), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a step that may bring work, and wakes those who wait for some.
    fn change<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let answer = step(&mut self.state());
        self.changed.notify_waiters();
        answer
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        Ok(self.state().open(id, options))
    }

    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        self.change(|state| state.append(id, chunks))
    }

    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        self.change(|state| state.seal(id, records, digest))
    }

    async fn abort(&self, id: &BatchId) -> Result<Batch> {
        self.state().abort(id)
    }

    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        self.change(|state| state.end_overdue(limit))
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        let limit = Instant::now() + wait;
        loop {
            let changed = self.changed.notified();
            let work = self.state().lease(worker, max);
            if !work.is_empty() || timeout_at(limit, changed).await.is_err() {
                return Ok(work);
            }
        }
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        Ok(self.state().take_over(worker, idle, max))
    }

    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>> {
        Ok(self.state().lease_isolated(worker, idle))
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        self.state().work.extend(leases);
        Ok(())
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        self.change(|state| state.work.release(leases));
        Ok(())
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        self.change(|state| state.commit(chunk, outcome))
    }

    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        Ok(self.state().next_complete(limit))
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        Ok(self.state().row(id).map(|row| row.results(first, bytes_max)).unwrap_or_default())
    }

    async fn roll(&self) -> Result<Option<RollState>> {
        Ok(self.state().roll.clone())
    }

    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        let known = &mut self.state().roll;
        if known.as_ref() == before {
            *known = Some(after.clone());
        }
        Ok(known.clone())
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        self.state().mark_written(id, roll_sha256)
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        Ok(self.state().row(id).ok().map(|row| row.batch.clone()))
    }

    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        Ok(self.state().row(id).map(|row| row.checkpoints.clone()).unwrap_or_default())
    }

    async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        Ok(self.state().row(id).map(row::Row::indexed).unwrap_or_default())
    }

    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        Ok(self.state().batches(state, after, limit))
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        Ok(self.state().row(id).map(|row| row.dead_letters(from_place, limit)).unwrap_or_default())
    }

    async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        Ok(self.state().dead_groups())
    }

    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        Ok(self.state().dead_in_group(group, after, limit))
    }

    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        self.change(|state| state.replay(id, letters))
    }

    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        self.change(|state| state.drop_letters(id, places))
    }

    async fn depth(&self) -> Result<Depth> {
        Ok(self.state().work.depth())
    }

    async fn stats(&self) -> Result<Stats> {
        Ok(self.state().stats())
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        self.change(|state| state.controls.paused = paused);
        Ok(())
    }

    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        let filter = filter.filter(|filter| !filter.is_empty());
        self.state().controls.log_filter = filter.map(str::to_owned);
        Ok(())
    }

    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        Ok(self.state().heartbeat(report))
    }

    async fn workers(&self) -> Result<Vec<SeenWorker>> {
        Ok(self.state().workers())
    }

    async fn retire(&self, id: &str) -> Result<()> {
        self.state().reports.remove(id);
        Ok(())
    }

    async fn store_info(&self) -> Result<StoreInfo> {
        Ok(StoreInfo {
            version: "memory".to_owned(),
            used_bytes: 1,
            limit_bytes: 0,
            is_full: false,
            persistence: Persistence::None,
            durability: Durability::Accepted,
        })
    }

    async fn outgrown(&self, _: &BatchId) -> Result<Option<Outgrown>> {
        Ok(None)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        self.change(|state| state.work.forget(worker));
        Ok(())
    }
}
