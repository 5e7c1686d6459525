//! The store on Redis (6.2 or later) or Valkey: one Lua script for each step.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `batches` | the steps of a batch: from open to written, or aborted |
//! | `work` | the steps of work: leased, extended, given back, committed |
//! | `letters` | the steps of dead letters |
//! | `stats` | what the store says of itself, and of what is in it |
//! | `operators` | what operators set, and what processes that run workers report |
//! | `keys` | every key, and what it holds; the partitions |
//! | `scripts` | the Lua scripts, each in a file of its own |
//! | `script` | one script, and how a server runs it |
//! | `address` | where the servers are, out of the URL |
//! | `tls` | the certificates for TLS, in the files that the URL names |
//! | `sentinels` | the master that sentinels name |
//! | `link` | one connection: to a server, to a sentinels' master, to a cluster |
//! | `info` | what a server says of itself |
//! | `checks` | what a server must be to keep the queue, and what it keeps |
//! | `commands` | the commands that a server must have |
//! | `strictest` | how durable "ok" is, for all processes of a store |
//! | `connection` | connecting, reconnecting, and who waits on which connection |
//! | `pool` | the connections for one caller at a time |
//! | `refusals` | what the log says of a store that answers, and refuses |
//! | `settle` | steps that are durable before they are answered |
//! | `decode` | from what the scripts return to the types of this crate |
//!
//! A lease is an entry in a stream's list of pending entries: it is the worker's until it is
//! committed or released, or until another takes it over.
//!
//! On a cluster the queue is in several partitions, each in one slot, and a batch in one of them.
//! Every promise holds for each partition. What has an order (priorities, the oldest first, complete
//! batches) has it within a partition.

pub(crate) mod address;
mod batches;
mod checks;
mod commands;
mod connection;
mod decode;
mod info;
mod keys;
mod letters;
mod link;
mod operators;
mod payloads;
mod pool;
mod refusals;
mod script;
mod scripts;
mod sentinels;
mod settle;
mod stats;
mod strictest;
pub(crate) mod tls;
mod work;

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use muster_content::ContentDigest;
use redis::{FromRedisValue, Pipeline, Value};

use self::connection::Connection;
use self::decode::Unreadable;
use self::keys::Partition;
use self::payloads::Names;
use self::script::Invocation;
use self::scripts::Scripts;
use self::work::Calm;
use crate::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Checkpoint, Chunk, Committed,
    Controls, CurrentAccess, DeadGroup, DeadLetter, Depth, Error, Indexed, Lease, LetterId, Limits,
    NewChunk, Outcome, Outgrown, Queue, Replay, Replayed, Result, ResultChunk, RollState,
    SeenWorker, Stats, StoreAccess, StoreInfo, StoreOptions, StoreUrl, Work, WorkerId,
    WorkerReport,
};

/// How long the rest of a batch stays after it was written, and its dead letters were resolved, or
/// after it was aborted, in seconds.
const RETENTION_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How many pieces of work, batches, or dead letters one script handles: it bounds the time for
/// which the server can do nothing else.
const STEP_MAX: usize = 1000;

/// A queue on a Redis or Valkey server.
///
/// # Cancel safety
///
/// As with every [`Queue`]. Work that a dropped [`Queue::lease`] was given stays leased to its
/// worker until somebody takes it over.
pub struct RedisQueue {
    connection: Connection,
    scripts: Scripts,
    partitions: Vec<Partition>,
    limits: Limits,
    /// What the names of the payloads that it appends have in common.
    names: Names,
    /// The partition at which the next look for work, or for a complete batch, begins, counted on
    /// without end.
    turn: AtomicUsize,
    calm: Calm,
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisQueue({})", self.connection.store())
    }
}

impl RedisQueue {
    /// Prepares the queue at `url`: one server, the master that sentinels know, or a cluster. See
    /// [`StoreUrl`].
    ///
    /// The servers need not be there: the connection is made when the queue is first used, and
    /// anew whenever it is lost. Until it is made, and while a server is not as it must be,
    /// every step fails with [`Error::Unavailable`], or [`Error::Misconfigured`].
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the URL does not say what Redis needs, and
    /// [`Error::Misconfigured`] when a file that it names for TLS cannot be used.
    pub async fn connect(url: &str, options: &StoreOptions) -> Result<Self> {
        Self::connect_with(url, options, |_, text| text.to_owned()).await
    }

    /// The same with an access of which the login may be replaced.
    pub(crate) fn connect_as(access: CurrentAccess, options: &StoreOptions) -> Result<Self> {
        Self::new(access, options, |_, text| text.to_owned())
    }

    /// The same with other scripts, for tests that put a bug into one: `edit` is given the name and
    /// the text of each, and returns the text to run.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    #[doc(hidden)]
    pub async fn connect_with(
        url: &str,
        options: &StoreOptions,
        edit: impl Fn(&str, &str) -> String,
    ) -> Result<Self> {
        let access = StoreAccess::from(StoreUrl::Redis(url.to_owned()));
        Self::new(CurrentAccess::new(access), options, edit)
    }

    fn new(
        access: CurrentAccess,
        options: &StoreOptions,
        edit: impl Fn(&str, &str) -> String,
    ) -> Result<Self> {
        let partitions = Partition::all(access.get().url.is_cluster(), &options.key_prefix);
        Ok(Self {
            connection: Connection::new(access, options, &partitions[0])?,
            scripts: Scripts::new(edit),
            partitions,
            limits: options.limits,
            names: Names::new(),
            turn: AtomicUsize::new(0),
            calm: Calm::new(),
        })
    }

    /// The partition of a batch.
    fn partition(&self, id: &BatchId) -> &Partition {
        Partition::of(&self.partitions, id)
    }

    /// Runs a script of a partition, whose change, and what it saw, must be as durable as asked for
    /// when it returns.
    async fn settled<T: FromRedisValue>(
        &self,
        partition: &Partition,
        script: &Invocation<'_>,
    ) -> Result<T> {
        self.connection.run_settled(Pipeline::new(), script, &partition.keys).await
    }

    /// The answer of such a script that says a word and gives a detail to it, behind the commands
    /// `before`.
    async fn answer(
        &self,
        partition: &Partition,
        before: Pipeline,
        script: &Invocation<'_>,
    ) -> Result<(String, Value)> {
        let answer = self.connection.run_settled(before, script, &partition.keys).await?;
        self.readable(decode::value(answer))
    }

    /// The detail of an answer.
    fn detail<T: FromRedisValue>(&self, detail: Value) -> Result<T> {
        self.readable(decode::value(detail))
    }

    /// The snapshot of a batch that must be there.
    fn known(&self, id: &BatchId, snapshot: Value) -> Result<Batch> {
        self.readable(decode::batch(id, snapshot))?.ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    fn readable<T>(&self, decoded: Result<T, Unreadable>) -> Result<T> {
        decoded.map_err(|what| self.corrupt(what))
    }

    fn corrupt(&self, what: String) -> Error {
        Error::Corrupt { store: self.connection.store().to_owned(), what }
    }
}

/// Whole milliseconds, as many as Redis can count.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What a script takes for a number that may be missing.
fn or_empty(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Each step is a method of the same name in `batches`, `work`, `letters`, `stats` or `operators`.
#[async_trait]
impl Queue for RedisQueue {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        self.open(id, options).await
    }

    async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        self.append(id, chunks).await
    }

    async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        self.seal(id, records, digest).await
    }

    async fn abort(&self, id: &BatchId) -> Result<Batch> {
        self.abort(id).await
    }

    async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        self.end_overdue(limit).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        self.lease(worker, max, wait).await
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        self.take_over(worker, idle, max).await
    }

    async fn lease_isolated(&self, worker: &WorkerId, idle: Duration) -> Result<Option<Chunk>> {
        self.lease_isolated(worker, idle).await
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        self.each_lease(&self.scripts.extend, leases).await
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        self.each_lease(&self.scripts.release, leases).await
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        self.commit(chunk, outcome).await
    }

    async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        self.next_complete(limit).await
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        self.results(id, first, bytes_max).await
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        self.mark_written(id, roll_sha256).await
    }

    async fn roll(&self) -> Result<Option<RollState>> {
        self.roll().await
    }

    async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        self.set_roll(before, after).await
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        self.batch(id).await
    }

    async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        self.checkpoints(id).await
    }

    async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        self.indexed(id).await
    }

    async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        self.batches(state, after, limit).await
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        self.dead_letters(id, from_place, limit).await
    }

    async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        self.dead_groups().await
    }

    async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        self.dead_in_group(group, after, limit).await
    }

    async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        self.replay(id, letters).await
    }

    async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        self.drop_letters(id, places).await
    }

    async fn depth(&self) -> Result<Depth> {
        self.depth().await
    }

    async fn stats(&self) -> Result<Stats> {
        self.stats().await
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        self.pause(paused).await
    }

    async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        self.set_log_filter(filter).await
    }

    async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        self.heartbeat(report).await
    }

    async fn workers(&self) -> Result<Vec<SeenWorker>> {
        self.workers().await
    }

    async fn retire(&self, id: &str) -> Result<()> {
        self.retire(id).await
    }

    async fn store_info(&self) -> Result<StoreInfo> {
        self.store_info().await
    }

    async fn outgrown(&self, id: &BatchId) -> Result<Option<Outgrown>> {
        self.outgrown(id).await
    }

    async fn ping(&self) -> Result<()> {
        self.connection.ping().await
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        self.forget(worker).await
    }
}
