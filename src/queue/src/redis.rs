//! The store on Redis (6.2 or later) or Valkey: one Lua script for each step.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `keys` | every key, and what it holds |
//! | `scripts` | the Lua scripts, each in a file of its own |
//! | `connection` | connecting, reconnecting, and reads that wait |
//! | `decode` | from what the scripts return to the types of this crate |
//!
//! A lease is an entry in a stream's list of pending entries: it is the worker's until it is
//! committed or released, or until another takes it over.

mod connection;
mod decode;
mod keys;
mod scripts;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Cmd, ScriptInvocation, Value};
use tokio::time::Instant;

use self::connection::Connection;
use self::decode::Unreadable;
use self::keys::Stream;
use self::scripts::Scripts;
use crate::{
    Appended, Batch, BatchId, BatchOptions, Chunk, Committed, DeadLetter, Error, Lease, NewChunk,
    Outcome, Output, Places, Queue, Result, ResultChunk, Work, WorkerId,
};

/// How long one read waits at the server. A longer wait is several, so that a server that is
/// silently gone is noticed.
const BLOCK_MAX: Duration = Duration::from_secs(5);

/// How long counters and dead letters stay after their batch was written, in seconds.
const RETENTION_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How long a worker that holds nothing may be silent before it is forgotten, in milliseconds.
const SILENT_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// How many places a batch may have whose records each have their own: a bitmap of 16 MiB, which
/// one record with a place out of all bounds could otherwise make the server allocate.
const PLACES_MAX: u64 = 1 << 27;

/// How many pieces of work, or batches, one script handles: it bounds the time for which the
/// server can do nothing else.
const STEP_MAX: usize = 1000;

/// How many chunks one read of results returns: it bounds the script's time where the payloads
/// are empty.
const RESULT_CHUNKS_MAX: usize = 1024;

/// A queue on a Redis or Valkey server.
///
/// # Cancel safety
///
/// As with every [`Queue`]. Work that a dropped [`Queue::lease`] was given stays leased to its
/// worker until somebody takes it over.
pub struct RedisQueue {
    connection: Connection,
    scripts: Scripts,
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisQueue({})", self.connection.store())
    }
}

impl RedisQueue {
    /// Prepares the queue at `url`: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or
    /// `rediss://…` with TLS.
    ///
    /// The server need not be there: the connection is made when the queue is first used, and
    /// anew whenever it is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the URL does not say what Redis needs.
    pub async fn connect(url: &str) -> Result<Self> {
        Ok(Self { connection: Connection::new(url)?, scripts: Scripts::new() })
    }

    /// Leases what is there, without waiting.
    async fn lease_now(&self, worker: &WorkerId, max: usize) -> Result<Vec<Work>> {
        let mut lease = self.scripts.lease.key(&keys::STREAMS[..]);
        lease.arg(worker.as_str()).arg(max.min(STEP_MAX));
        let reply = self.connection.run(&lease).await?;
        self.readable(decode::work(worker, reply))
    }

    /// Waits for work. It may return up to one piece of each stream, and nothing before the time
    /// is over when the groups have to be made first.
    async fn lease_blocking(&self, worker: &WorkerId, block: Duration) -> Result<Vec<Work>> {
        let mut read = Cmd::new();
        read.arg("XREADGROUP").arg("GROUP").arg(keys::GROUP).arg(worker.as_str());
        // Zero would be for ever.
        read.arg("COUNT").arg(1).arg("BLOCK").arg(millis(block).max(1));
        read.arg("STREAMS").arg(&keys::STREAMS[..]).arg(&[">"; keys::STREAMS.len()][..]);
        match self.connection.send_blocking(&read, block).await? {
            Some(reply) => self.readable(decode::work(worker, reply)),
            None => Ok(Vec::new()),
        }
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

    /// The answer of a script that says a word and gives a detail to it.
    async fn answer(&self, script: &ScriptInvocation<'_>) -> Result<(String, Value)> {
        let answer = self.connection.run(script).await?;
        self.readable(decode::value(answer))
    }
}

/// Whole milliseconds, as many as Redis can count.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Adds to `script` what `extend.lua` and `release.lua` take. Leases of another store are left out:
/// here they are lost.
fn add_leases(script: &mut ScriptInvocation<'_>, leases: &[Lease]) {
    for lease in leases {
        if let Some((stream, entry)) = decode::stream_entry(lease) {
            script.arg(stream.number()).arg(entry).arg(lease.worker.as_str());
        }
    }
}

#[async_trait]
impl Queue for RedisQueue {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        let seal_after = options.seal_after.map(|after| millis(after).to_string());
        let mut open = self.scripts.open.key(keys::batch(id));
        open.key(keys::SEAL).arg(id.as_str());
        open.arg(options.priority.as_str()).arg(seal_after.unwrap_or_default());
        let snapshot = self.connection.run(&open).await?;
        self.known(id, snapshot)
    }

    async fn append(&self, id: &BatchId, chunk: &NewChunk) -> Result<Appended> {
        let mut append = self.scripts.append.key(keys::batch(id));
        append.key(keys::places(id)).key(keys::SEAL);
        append.key(Stream::High.key()).key(Stream::Normal.key()).key(Stream::Low.key());
        append.arg(id.as_str()).arg(chunk.count).arg(&chunk.payload[..]);
        let place = match &chunk.places {
            Places::From(first) => {
                append.arg("from").arg(PLACES_MAX).arg(*first);
                *first
            }
            Places::Each(places) => {
                append.arg("each").arg(PLACES_MAX).arg(places);
                places.iter().copied().max().unwrap_or_default()
            }
        };
        let (word, detail) = self.answer(&append).await?;
        match word.as_str() {
            "accepted" => Ok(Appended::Accepted),
            "behind" => Ok(Appended::Behind { received: self.readable(decode::value(detail))? }),
            "taken" => Ok(Appended::Taken { places: self.readable(decode::value(detail))? }),
            "gap" => {
                let received = self.readable(decode::value(detail))?;
                Err(Error::Gap { batch: id.clone(), received, place })
            }
            "sealed" => {
                let received = self.readable(decode::value(detail))?;
                Err(Error::Sealed { batch: id.clone(), received })
            }
            "mixed" => Err(Error::MixedPlaces(id.clone())),
            "unknown" => Err(Error::UnknownBatch(id.clone())),
            _ => Err(self.corrupt(format!("answer {word:?} of append"))),
        }
    }

    async fn seal(&self, id: &BatchId, records: Option<u64>) -> Result<Batch> {
        let mut seal = self.scripts.seal.key(keys::batch(id));
        seal.key(keys::SEAL).key(keys::ROLL).key(keys::COMPLETE);
        seal.arg(id.as_str()).arg(records.map(|records| records.to_string()).unwrap_or_default());
        let (word, detail) = self.answer(&seal).await?;
        match (word.as_str(), records) {
            ("sealed", _) => self.known(id, detail),
            ("miscounted", Some(claimed)) => {
                let received = self.readable(decode::value(detail))?;
                Err(Error::Miscounted { batch: id.clone(), received, claimed })
            }
            ("unknown", _) => Err(Error::UnknownBatch(id.clone())),
            _ => Err(self.corrupt(format!("answer {word:?} of seal"))),
        }
    }

    async fn seal_overdue(&self, limit: usize) -> Result<usize> {
        let mut seal = self.scripts.seal_overdue.key(keys::SEAL);
        seal.key(keys::ROLL).key(keys::COMPLETE).arg(limit.min(STEP_MAX));
        self.connection.run(&seal).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        loop {
            let work = self.lease_now(worker, max).await?;
            let left = wait.saturating_sub(started.elapsed());
            if !work.is_empty() || left.is_zero() {
                return Ok(work);
            }
            let mut work = self.lease_blocking(worker, left.min(BLOCK_MAX)).await?;
            if !work.is_empty() {
                // A read of several streams can return one piece of each.
                let over = work.split_off(work.len().min(max));
                let over: Vec<Lease> = over.iter().map(|work| work.lease().clone()).collect();
                self.release(&over).await?;
                return Ok(work);
            }
        }
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        let mut take_over = self.scripts.take_over.key(&keys::STREAMS[..]);
        take_over.arg(worker.as_str()).arg(millis(idle)).arg(max.min(STEP_MAX));
        let reply = self.connection.run(&take_over).await?;
        self.readable(decode::work(worker, reply))
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        for leases in leases.chunks(STEP_MAX) {
            let mut extend = self.scripts.extend.key(&keys::STREAMS[..]);
            add_leases(&mut extend, leases);
            self.connection.run::<()>(&extend).await?;
        }
        Ok(())
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        for leases in leases.chunks(STEP_MAX) {
            let mut release = self.scripts.release.key(&keys::STREAMS[..]);
            add_leases(&mut release, leases);
            self.connection.run::<()>(&release).await?;
        }
        Ok(())
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let Some((stream, entry)) = decode::stream_entry(&chunk.lease) else {
            return Ok(Committed::Refused);
        };
        let id = &chunk.batch;
        let mut commit = self.scripts.commit.key(stream.key());
        commit.key(keys::batch(id)).key(keys::results(id)).key(keys::dead(id));
        commit.key(keys::ROLL).key(keys::COMPLETE);
        commit.arg(entry).arg(id.as_str()).arg(chunk.first).arg(chunk.count);
        match &outcome.output {
            Output::AsSent => commit.arg("as_sent").arg(""),
            Output::Rewritten(payload) => commit.arg("rewritten").arg(&payload[..]),
        };
        for letter in &outcome.dead {
            commit.arg(decode::stored_letter(letter));
        }
        let first: bool = self.connection.run(&commit).await?;
        Ok(if first { Committed::Taken } else { Committed::Refused })
    }

    async fn next_complete(&self) -> Result<Option<Batch>> {
        let found = self.connection.run(&self.scripts.next_complete.key(keys::COMPLETE)).await?;
        let found: Option<(String, Value)> = self.readable(decode::value(found))?;
        let Some((id, snapshot)) = found else {
            return Ok(None);
        };
        let id = id.parse().map_err(|_| self.corrupt(format!("id {id:?} of a complete batch")))?;
        self.known(&id, snapshot).map(Some)
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        let mut results = self.scripts.results.key(keys::results(id));
        results.arg(first).arg(bytes_max).arg(RESULT_CHUNKS_MAX);
        let stored: Vec<Bytes> = self.connection.run(&results).await?;
        self.readable(decode::results(first, stored))
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let mut mark = self.scripts.mark_written.key(keys::batch(id));
        mark.key(keys::results(id)).key(keys::places(id)).key(keys::dead(id));
        mark.key(keys::ROLL).key(keys::COMPLETE);
        mark.arg(id.as_str()).arg(roll_sha256).arg(RETENTION_SECONDS);
        let word: String = self.connection.run(&mark).await?;
        match word.as_str() {
            "written" => Ok(true),
            "refused" => Ok(false),
            "unknown" => Err(Error::UnknownBatch(id.clone())),
            _ => Err(self.corrupt(format!("answer {word:?} of mark_written"))),
        }
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        let snapshot = self.connection.run(&self.scripts.show.key(keys::batch(id))).await?;
        self.readable(decode::batch(id, snapshot))
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        let from = [b"[".as_slice(), &from_place.to_be_bytes()].concat();
        let range = Cmd::zrangebylex_limit(
            keys::dead(id),
            from,
            "+",
            0,
            limit.try_into().unwrap_or(isize::MAX),
        );
        let stored: Vec<Bytes> = self.connection.send(&range).await?;
        self.readable(stored.iter().map(|stored| decode::letter(stored)).collect())
    }

    async fn ping(&self) -> Result<()> {
        self.connection.send(&Cmd::ping()).await
    }

    async fn forget(&self, worker: &WorkerId) -> Result<()> {
        let mut forget = self.scripts.forget.key(&keys::STREAMS[..]);
        forget.arg(worker.as_str()).arg(SILENT_MS_MAX);
        self.connection.run(&forget).await
    }
}
