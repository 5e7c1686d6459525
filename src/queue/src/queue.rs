//! The trait.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use muster_content::ContentDigest;

use crate::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, DeadGroup, DeadLetter, Depth, Indexed, Lease, LetterId, NewChunk, Outcome, Outgrown,
    Replay, Replayed, Result, ResultChunk, RollState, SeenWorker, Stats, StoreInfo, Work, WorkerId,
    WorkerReport,
};

/// A durable queue of chunks, grouped in batches.
///
/// Every method that changes something is one atomic step, and may be repeated when its answer
/// was lost: the second time changes nothing and gives an answer that leads the caller on.
/// When it returns `Ok`, the change is as durable as the store is configured to make it.
///
/// # Errors
///
/// Every method returns [`Error::Unavailable`] when the store is away, [`Error::OutOfMemory`] when it is
/// full, [`Error::Misconfigured`] when its settings are unsafe, and [`Error::Corrupt`] when its data cannot
/// be read. Each method lists its other errors.
///
/// # Cancel safety
///
/// A dropped future may or may not have taken its step, as with a lost answer.
///
/// [`Error::Unavailable`]: crate::Error::Unavailable
/// [`Error::OutOfMemory`]: crate::Error::OutOfMemory
/// [`Error::Misconfigured`]: crate::Error::Misconfigured
/// [`Error::Corrupt`]: crate::Error::Corrupt
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// Opens a batch, or finds the one that has this id already: its options stay as they are, and
    /// its deadline, if it is open, is put off.
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch>;

    /// Appends chunks to a batch, one behind another, unless the batch already has one of their
    /// records: all of them in one step, or none. Puts the batch's deadline off.
    ///
    /// There are 1 to [`APPENDED_MAX`] of them, and they say their places in the same way. Those of a
    /// stream ([`Places::From`]) follow one another without a gap. An answer is about all of them,
    /// as if they were one chunk.
    ///
    /// A batch that has the records already answers that, sealed or not. Whether they are the same
    /// records is compared by their hashes ([`Places::Each`]); those of a stream must go on with the
    /// digest that the batch has ([`Places::From`]). A batch that an earlier version received
    /// records of is not compared.
    ///
    /// An aborted batch has no records: it answers [`Error::Aborted`] to all. What another batch
    /// has already is told before it is asked whether more may come.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`]; [`Error::Sealed`] when the batch takes no more and does not have
    /// the records; [`Error::Aborted`]; [`Error::Gap`]; [`Error::Different`] when chunks of a stream
    /// do not go on with the digest of the batch; [`Error::MixedPlaces`]; [`Error::Full`] when the
    /// records waiting have reached a limit of the queue.
    ///
    /// # Panics
    ///
    /// When these chunks cannot be appended together.
    ///
    /// [`APPENDED_MAX`]: crate::APPENDED_MAX
    /// [`Places::From`]: crate::Places::From
    /// [`Places::Each`]: crate::Places::Each
    /// [`Error::UnknownBatch`]: crate::Error::UnknownBatch
    /// [`Error::Sealed`]: crate::Error::Sealed
    /// [`Error::Aborted`]: crate::Error::Aborted
    /// [`Error::Gap`]: crate::Error::Gap
    /// [`Error::Different`]: crate::Error::Different
    /// [`Error::MixedPlaces`]: crate::Error::MixedPlaces
    /// [`Error::Full`]: crate::Error::Full
    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended>;

    /// Says that no more chunks will come. A batch that has nothing left to do by then is
    /// complete in the same step, and its [`Work::Roll`] is queued.
    ///
    /// `records`, when given, must be the number the batch has. `digest`, when given, must be its digest,
    /// if that is known; a batch whose records each have their own index has none.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`]; [`Error::Aborted`]; [`Error::Miscounted`]; [`Error::MixedPlaces`];
    /// [`Error::Different`].
    ///
    /// [`Error::UnknownBatch`]: crate::Error::UnknownBatch
    /// [`Error::Aborted`]: crate::Error::Aborted
    /// [`Error::Miscounted`]: crate::Error::Miscounted
    /// [`Error::MixedPlaces`]: crate::Error::MixedPlaces
    /// [`Error::Different`]: crate::Error::Different
    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch>;

    /// Discards an open or sealed batch, with its results and dead letters. Chunks of it that are
    /// waiting, to be retried or leased stay in the queue until they are next committed, and
    /// nothing of them is stored. Of its counters `received` and `chunks` stay, the others are zero.
    /// To abort twice is the same as once.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`]; [`Error::Complete`].
    ///
    /// [`Error::UnknownBatch`]: crate::Error::UnknownBatch
    /// [`Error::Complete`]: crate::Error::Complete
    async fn abort(&self, id: &BatchId) -> Result<Batch>;

    /// Ends up to `limit` open batches whose deadline has passed, each in its [`Ending`]. Returns
    /// them as they are then: a batch that is sealed and has nothing left to do is complete.
    ///
    /// [`Ending`]: crate::Ending
    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>>;

    /// Leases up to `max` pieces of work, and waits up to `wait` for the first.
    ///
    /// Rolls come first, then chunks by priority, and in each the oldest. Chunks that are to be
    /// tried again come when their time has come, at the latest with the next call after that;
    /// isolated ones never do.
    ///
    /// While the queue is paused there are rolls alone. It is waited for chunks all the same: they
    /// come when it goes on, a second or so after that.
    ///
    /// A chunk of an aborted batch may come without its payload.
    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>>;

    /// Leases up to `max` pieces of work that nobody has extended for `idle`, whoever holds them:
    /// also the worker's own, which it was given in an answer that it never got. Of each chunk,
    /// [`Chunk::lost`] counts it. Never isolated ones, and rolls alone while the queue is paused.
    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>>;

    /// Leases one isolated chunk, if there is any: one that nobody has extended for `idle`, or
    /// else one that waits. Of the former, [`Chunk::lost`] counts it. None while the queue is paused.
    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>>;

    /// Extends leases by starting their idle time anew. Those that are lost stay lost: the work
    /// went to another worker, or is done.
    async fn extend(&self, leases: &[Lease]) -> Result<()>;

    /// Gives work back, for others to lease at once. That is no loss, and what was lost before
    /// stays counted. Leases that are lost are left alone.
    async fn release(&self, leases: &[Lease]) -> Result<()>;

    /// Ends a chunk: it leaves the queue, its outcome is stored, and the batch's counters move,
    /// or none of it. The first commit is taken, any other is refused, whoever holds the lease.
    ///
    /// Each record that is to be retried becomes a chunk of its own, in the same step, with the
    /// chunk's trace; it was never lost.
    /// The commit that leaves nothing to do in a sealed batch completes it in the same step and
    /// queues its [`Work::Roll`]. A chunk of an aborted batch leaves the queue, and no more.
    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed>;

    /// The batches that are to be written to the roll next, up to `limit`: of those that are
    /// complete the first that became so, in this order, as far as the store keeps one.
    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>>;

    /// Reads a batch's results in order, from the one that begins at `first`, as many whole
    /// ones as fit in `bytes_max`, at least one. Empty when there is none at `first`.
    async fn results(&self, id: &BatchId, first: u64, bytes_max: usize)
    -> Result<Vec<ResultChunk>>;

    /// Says that a complete batch is in the roll, whose digest is given: its results leave the
    /// store, its counters and dead letters stay. False when it was not complete (any more).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`](crate::Error::UnknownBatch).
    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool>;

    /// What the store knows of the roll: `None` before a writer has begun one.
    async fn roll(&self) -> Result<Option<RollState>>;

    /// Replaces what the store knows of the roll, unless that is something other than `before`. Returns
    /// what it knows then: `after`, if it was replaced, now or before.
    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>>;

    /// Shows a batch, or `None` if the store does not know it.
    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>>;

    /// Lists the checkpoints of a stream's batch, in order. Empty for an unknown batch and for a batch of
    /// single records.
    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>>;

    /// The digest of the records of a batch that each came with their own index, and how many there are.
    /// Of none for an unknown batch, for the batch of a stream, and for an aborted one. An earlier version
    /// kept what identifies some of them, or none. Reads 8 bytes a record.
    async fn indexed(&self, id: &BatchId) -> Result<Indexed>;

    /// Lists batches, or those in one state: the one that was opened last comes first. Those behind
    /// `after`, at most `limit`: there are no more where there are fewer. `after` may be gone by then.
    ///
    /// Batches that an earlier version opened are in no list. While batches change their states, one
    /// may be in the lists of both, or of neither.
    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>>;

    /// Lists a batch's dead letters by place, from `from_place` on, at most `limit`, and none once
    /// there are [`LETTERS_BYTES_MAX`] of them: only a page that is empty is the last.
    ///
    /// [`LETTERS_BYTES_MAX`]: crate::LETTERS_BYTES_MAX
    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>>;

    /// Lists the groups that have dead letters, of all batches, by name.
    async fn dead_groups(&self) -> Result<Vec<DeadGroup>>;

    /// Lists the dead letters of a group, of all batches, in an order that stays: those behind
    /// `after`, or all, at most `limit`, bounded in bytes as [`Queue::dead_letters`]. `after` may be
    /// gone by then.
    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>>;

    /// Lets dead letters of a batch be processed anew; those that are none (any more) are left
    /// out.
    ///
    /// While the batch is open or sealed they go back to their places in it, and count as
    /// retrying. When it is complete or written they go, in this order, into a new batch, sealed in
    /// the same step, of the same priority and policy. Either way each becomes a chunk of its own,
    /// with the letter's trace, no history and no wait, and a record is in the roll once at most.
    ///
    /// When there are none, as in an aborted batch, nothing is made, and [`Replayed::into`] is the
    /// batch itself.
    ///
    /// [`Replayed::into`]: crate::Replayed::into
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`](crate::Error::UnknownBatch).
    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed>;

    /// Drops dead letters of a batch for good. Returns how many there were at these places.
    ///
    /// A sealed batch that waits for nothing else is complete in the same step.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownBatch`](crate::Error::UnknownBatch).
    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64>;

    /// How much waits to be processed, what is leased and what is to be retried included.
    async fn depth(&self) -> Result<Depth>;

    /// What waits, by line, how much is done, and what an operator has set. What an earlier version
    /// queued is missing in the depth of its line, until the queue has been empty once.
    async fn stats(&self) -> Result<Stats>;

    /// Lets workers be given no more chunks, or lets them be given some again. What they have in
    /// hand they extend, commit and release as ever; senders are not stopped; and rolls are given,
    /// so that what is complete is written.
    async fn pause(&self, paused: bool) -> Result<()>;

    /// Sets the filter of the log of all programs of the store, or takes it back: none, or an empty
    /// one. The store does not look into it.
    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()>;

    /// Keeps what a process that runs workers says of itself, for a day, and tells it what an
    /// operator has set. Of a thousand processes at most, those that said something last: a report is
    /// worth little, and as durable as the store makes it by itself.
    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls>;

    /// Lists the processes that run workers, by host and id: those that were lost, too, but not
    /// those that were retired.
    async fn workers(&self) -> Result<Vec<SeenWorker>>;

    /// Removes the report of a process that has ended well.
    async fn retire(&self, id: &str) -> Result<()>;

    /// What the store says of itself.
    async fn store_info(&self) -> Result<StoreInfo>;

    /// Whether a batch takes nearly all the memory that the store may use. Called when the store is out of
    /// memory: such a batch can never be whole. `None` where that is not known, as on a cluster, whose
    /// servers each have a limit of their own.
    async fn outgrown(&self, id: &BatchId) -> Result<Option<Outgrown>>;

    /// Asks the store whether it is there.
    async fn ping(&self) -> Result<()>;

    /// Forgets a worker that will not come back. What it holds is given back, as by
    /// [`Queue::release`].
    async fn forget(&self, worker: &WorkerId) -> Result<()>;
}
