//! The trait.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Appended, Batch, BatchId, BatchOptions, Chunk, Committed, DeadLetter, Lease, NewChunk, Outcome,
    Result, ResultChunk, Work, WorkerId,
};

/// A durable queue of chunks, grouped in batches.
///
/// Every method that changes something is one atomic step, and may be repeated when its answer
/// was lost: the second time changes nothing and gives an answer that leads the caller on.
/// When it returns `Ok`, the change is as durable as the store is configured to make it.
///
/// # Errors
///
/// Every method: [`Error::Unavailable`] when the store is away, [`Error::Corrupt`] when it holds
/// what cannot be read. The others are named where they arise.
///
/// # Cancel safety
///
/// A dropped future may or may not have taken its step, as with a lost answer.
///
/// [`Error::Unavailable`]: crate::Error::Unavailable
/// [`Error::Corrupt`]: crate::Error::Corrupt
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// Opens a batch, or finds the one that has this id already (its options stay as they are).
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch>;

    /// Appends a chunk to a batch, unless the batch already has its records.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`]; [`Error::Sealed`] when the batch takes no more and does not have
    /// the records; [`Error::Gap`]; [`Error::MixedPlaces`].
    ///
    /// [`Error::UnknownBatch`]: crate::Error::UnknownBatch
    /// [`Error::Sealed`]: crate::Error::Sealed
    /// [`Error::Gap`]: crate::Error::Gap
    /// [`Error::MixedPlaces`]: crate::Error::MixedPlaces
    async fn append(&self, id: &BatchId, chunk: &NewChunk) -> Result<Appended>;

    /// Says that no more chunks will come. A batch of which every record is committed by then is
    /// complete in the same step, and its [`Work::Roll`] is queued.
    ///
    /// `records`, when given, must be the number the batch has.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`]; [`Error::Miscounted`].
    ///
    /// [`Error::UnknownBatch`]: crate::Error::UnknownBatch
    /// [`Error::Miscounted`]: crate::Error::Miscounted
    async fn seal(&self, id: &BatchId, records: Option<u64>) -> Result<Batch>;

    /// Seals up to `limit` batches whose [`BatchOptions::seal_after`] has passed. Returns how many.
    async fn seal_overdue(&self, limit: usize) -> Result<usize>;

    /// Leases up to `max` pieces of work, and waits up to `wait` for the first.
    ///
    /// Rolls come first, then chunks by priority, and in each the oldest.
    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>>;

    /// Leases up to `max` pieces of work that nobody has extended for `idle`, whoever holds them:
    /// also the worker's own, which it was given in an answer that it never got.
    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>>;

    /// Extends leases by starting their idle time anew. Those that are lost stay lost: the work
    /// went to another worker, or is done.
    async fn extend(&self, leases: &[Lease]) -> Result<()>;

    /// Gives work back, for others to lease at once. Leases that are lost are left alone.
    async fn release(&self, leases: &[Lease]) -> Result<()>;

    /// Ends a chunk: it leaves the queue, its outcome is stored, and the batch's counters move,
    /// or none of it. The first commit is taken, any other is refused, whoever holds the lease.
    ///
    /// The commit that leaves nothing to do in a sealed batch completes it in the same step and
    /// queues its [`Work::Roll`].
    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed>;

    /// The batch that is to be written to the roll next: of those that are complete, the first
    /// that became so. `None` when there is none.
    async fn next_complete(&self) -> Result<Option<Batch>>;

    /// Reads a batch's results in order, from the chunk that begins at `first`, as many whole
    /// chunks as fit in `bytes_max`, at least one. Empty when there is no chunk at `first`.
    async fn results(&self, id: &BatchId, first: u64, bytes_max: usize)
    -> Result<Vec<ResultChunk>>;

    /// Says that a complete batch is in the roll, whose digest is given: its results leave the
    /// store, its counters and dead letters stay. False when it was not complete (any more).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`](crate::Error::UnknownBatch).
    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool>;

    /// Shows a batch, or `None` if the store does not know it.
    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>>;

    /// Lists a batch's dead letters by place, from `from_place` on, at most `limit`.
    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>>;

    /// Asks the store whether it is there.
    async fn ping(&self) -> Result<()>;

    /// Forgets a worker that holds nothing (any more) and will not come back.
    async fn forget(&self, worker: &WorkerId) -> Result<()>;
}
