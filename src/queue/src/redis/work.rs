//! The steps of work: leased, extended, given back, committed.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use redis::{Pipeline, Value};
use tokio::time::Instant;

use super::keys::{GROUP, Partition, Stream};
use super::payloads::Given;
use super::script::Script;
use super::{RedisQueue, STEP_MAX, decode, millis, or_empty};
use crate::millis::to_millis;
use crate::{Chunk, Committed, Error, Kept, Lease, Outcome, Result, Work, WorkerId, metrics};

/// How long one read waits at the server. A longer wait is several, so that a server that is
/// silently gone is noticed.
const BLOCK_MAX: Duration = Duration::from_secs(5);

/// How long one read waits while the queue is paused: for as long nobody notices that it goes on.
const BLOCK_PAUSED_MAX: Duration = Duration::from_secs(1);

/// How long one read waits where there are several partitions: it can wait for one of them alone,
/// and work in the others waits until the next look at all.
const BLOCK_ONE_OF_MANY_MAX: Duration = Duration::from_millis(250);

/// For how long a look that has found little stands for others.
const CALM_MAX: Duration = Duration::from_millis(100);

/// How long a worker that holds nothing may be silent before it is forgotten, in milliseconds.
const SILENT_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// What to say when a partition does not answer: the worker is told of the work that the others
/// gave it, or else of the error. The next call begins with another partition.
fn given_so_far(work: Vec<Work>, error: Error) -> Result<Vec<Work>> {
    if work.is_empty() { Err(error) } else { Ok(work) }
}

/// Measures how long a chunk was in line, as far as this machine's clock agrees with the server's:
/// an entry's id begins with the time at which it was made.
fn measure_wait(work: &Work) {
    let Work::Chunk(chunk) = work else { return };
    let id = chunk.lease.entry.rsplit('/').next().and_then(|id| id.split('-').next());
    if let Some(since_ms) = id.and_then(|since_ms| since_ms.parse().ok()) {
        let waited_ms = to_millis(SystemTime::now()).saturating_sub(since_ms);
        metrics::waited(Duration::from_millis(waited_ms));
    }
}

/// What is leased without waiting.
struct Found {
    work: Vec<Work>,
    /// For how long nothing that waits for its time comes.
    due: Duration,
    /// Whether the queue is paused.
    paused: bool,
}

impl Found {
    fn nothing_for(due: Duration) -> Self {
        Self { work: Vec::new(), due, paused: false }
    }
}

/// Until when nobody has to look, since a look a moment ago has found little: then one waits for what
/// comes at once, which is a script less for each chunk.
#[derive(Debug)]
pub(super) struct Calm {
    until: Mutex<Instant>,
}

impl Calm {
    pub(super) fn new() -> Self {
        Self { until: Mutex::new(Instant::now()) }
    }

    fn until(&self) -> MutexGuard<'_, Instant> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self) -> Duration {
        self.until().saturating_duration_since(Instant::now())
    }

    /// Is told what a look has found that was to find up to `max`.
    fn set(&self, found: &Found, max: usize) {
        let is_calm = found.work.len() < max && !found.paused;
        let lasts = if is_calm { found.due.min(CALM_MAX) } else { Duration::ZERO };
        *self.until() = Instant::now() + lasts;
    }

    fn end(&self) {
        *self.until() = Instant::now();
    }
}

impl RedisQueue {
    /// Priorities and ages count within a partition. Where there are several, each call begins
    /// with another.
    pub(super) async fn lease(
        &self,
        worker: &WorkerId,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Work>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        // Of several partitions one can wait for one alone: there it is never calm.
        let mut may_be_calm = self.partitions.len() == 1 && !wait.is_zero();
        loop {
            let Found { work, due, paused } = match self.calm.left() {
                calm if may_be_calm && !calm.is_zero() => Found::nothing_for(calm),
                _ => self.lease_now(worker, max).await?,
            };
            may_be_calm = false;
            let left = wait.saturating_sub(started.elapsed());
            if !work.is_empty() || left.is_zero() {
                return Ok(work);
            }
            let (work, over) = self.lease_blocking(worker, max, left.min(due), paused).await?;
            if !over.is_empty() {
                self.calm.end();
                self.each_lease(&self.scripts.release, &over).await?;
            }
            if !work.is_empty() {
                work.iter().for_each(measure_wait);
                return Ok(work);
            }
        }
    }

    /// Leases what is there, without waiting.
    async fn lease_now(&self, worker: &WorkerId, max: usize) -> Result<Found> {
        let mut all = Found::nothing_for(Duration::MAX);
        for partition in self.in_turn() {
            if all.work.len() == max {
                break;
            }
            let mut lease = self.scripts.lease.key(&partition.keys);
            lease.arg(worker.as_str()).arg((max - all.work.len()).min(STEP_MAX));
            let leased = async {
                let (reply, due_ms, paused): (Value, i64, bool) =
                    self.connection.run(&lease).await?;
                Ok((self.given(partition, worker, reply).await?, due_ms, paused))
            };
            let (found, due_ms, paused) = match leased.await {
                Ok(found) => found,
                Err(error) => {
                    let work = given_so_far(all.work, error)?;
                    return Ok(Found { work, ..all });
                }
            };
            found.iter().for_each(measure_wait);
            all.work.extend(found);
            all.paused |= paused;
            // Negative: nothing waits for its time.
            if let Ok(due_ms) = due_ms.try_into() {
                all.due = all.due.min(Duration::from_millis(due_ms));
            }
        }
        self.calm.set(&all, max);
        Ok(all)
    }

    /// Waits for work of one partition, up to `wait` and no longer than one read may. It returns
    /// nothing before the time is over when the groups have to be made first.
    ///
    /// While the queue is paused it waits for rolls alone. What is to be given back is returned
    /// apart: chunks that came although the queue was paused in the meantime, and what is more than
    /// `max`, since a read of several streams can return as much of each.
    async fn lease_blocking(
        &self,
        worker: &WorkerId,
        max: usize,
        wait: Duration,
        paused: bool,
    ) -> Result<(Vec<Work>, Vec<Lease>)> {
        let (partition, block_max) = match self.partitions.as_slice() {
            [only] => (only, if paused { BLOCK_PAUSED_MAX } else { BLOCK_MAX }),
            several => (&several[self.next_turn()], BLOCK_ONE_OF_MANY_MAX),
        };
        let block = wait.min(block_max);
        let streams = if paused { &[Stream::Roll][..] } else { &Stream::LEASED };
        let streams: Vec<String> = streams.iter().map(|stream| partition.stream(*stream)).collect();
        let mut read = Pipeline::new();
        read.cmd("XREADGROUP").arg("GROUP").arg(GROUP).arg(worker.as_str());
        // Zero would be for ever.
        read.arg("COUNT").arg(max.min(STEP_MAX)).arg("BLOCK").arg(millis(block).max(1));
        read.arg("STREAMS").arg(&streams).arg(vec![">"; streams.len()]);
        // The server looks at this when it has ended the read.
        read.cmd("HGET").arg(partition.controls()).arg("paused");
        let Some(answers) = self.connection.send_blocking(&read, block).await? else {
            return Ok((Vec::new(), Vec::new()));
        };
        let (reply, paused): (Value, Option<String>) =
            self.readable(decode::value(Value::Array(answers)))?;
        let given = self.readable(decode::work(partition, worker, reply))?;
        let may_have = |given: &Given| paused.is_none() || matches!(given.work, Work::Roll(_));
        let (mut given, mut over): (Vec<Given>, Vec<Given>) = given.into_iter().partition(may_have);
        over.extend(given.split_off(given.len().min(max)));
        let over = over.iter().map(|given| given.work.lease().clone()).collect();
        Ok((self.with_payloads(partition, given).await?, over))
    }

    /// The partitions, from the next in turn on.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Partition> {
        let (before, from) = self.partitions.split_at(self.next_turn());
        from.iter().chain(before)
    }

    fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed) % self.partitions.len()
    }

    pub(super) async fn take_over(
        &self,
        worker: &WorkerId,
        idle: Duration,
        max: usize,
    ) -> Result<Vec<Work>> {
        let mut work = Vec::new();
        // Also where nothing more is wanted: the script looks after the partition's clock.
        for partition in self.in_turn() {
            let mut take_over = self.scripts.take_over.key(&partition.keys);
            take_over.arg(worker.as_str()).arg(millis(idle)).arg((max - work.len()).min(STEP_MAX));
            let taken = async {
                let reply = self.connection.run(&take_over).await?;
                self.given(partition, worker, reply).await
            };
            match taken.await {
                Ok(taken) => work.extend(taken),
                Err(error) => return given_so_far(work, error),
            }
        }
        Ok(work)
    }

    pub(super) async fn lease_isolated(
        &self,
        worker: &WorkerId,
        idle: Duration,
    ) -> Result<Option<Chunk>> {
        for partition in self.in_turn() {
            let mut lease = self.scripts.lease_isolated.key(&partition.keys);
            let reply = self.connection.run(lease.arg(worker.as_str()).arg(millis(idle))).await?;
            let mut work = self.given(partition, worker, reply).await?;
            if let Some(Work::Chunk(chunk)) = work.pop() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Runs `extend.lua` or `release.lua` for all leases, also where a partition does not answer, and
    /// says so in the end. Those of another store are left out: here they are lost.
    pub(super) async fn each_lease(&self, script: &Script, leases: &[Lease]) -> Result<()> {
        let mut done = Ok(());
        for partition in &self.partitions {
            let held: Vec<_> = leases
                .iter()
                .filter_map(|lease| Some((decode::entry(lease)?, &lease.worker)))
                .filter(|(entry, _)| entry.partition == partition.index)
                .collect();
            for held in held.chunks(STEP_MAX) {
                let mut step = script.key(&partition.keys);
                for (entry, worker) in held {
                    step.arg(entry.stream.name()).arg(entry.id).arg(worker.as_str());
                }
                done = done.and(self.connection.run::<()>(&step).await);
            }
        }
        done
    }

    pub(super) async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let Some(entry) = decode::entry(&chunk.lease) else {
            return Ok(Committed::Refused);
        };
        let (kept, runs) = match &outcome.kept {
            Kept::AsSent => ("as_sent", &[][..]),
            Kept::Runs(runs) => ("runs", &runs[..]),
        };
        let mut commit = self.scripts.commit.key(&self.partition(&chunk.batch).keys);
        commit.arg(entry.stream.name()).arg(entry.id).arg(kept);
        commit.arg(runs.len()).arg(outcome.dead.len()).arg(outcome.retry.len());
        for run in runs {
            commit.arg(run.first).arg(run.count).arg(&run.payload[..]);
        }
        for letter in &outcome.dead {
            commit.arg(decode::stored_letter(letter));
        }
        for retry in &outcome.retry {
            let history = &retry.history;
            commit.arg(retry.place).arg(&retry.payload[..]).arg(millis(retry.after));
            commit.arg(u8::from(history.isolated)).arg(history.failures);
            commit.arg(or_empty(history.failed_first.map(to_millis)));
        }
        // A commit that the store loses is made again: what it lost is in the queue again.
        let first: bool = self.connection.run(&commit).await?;
        if !outcome.retry.is_empty() {
            // A look finds when they are due.
            self.calm.end();
        }
        Ok(if first { Committed::Taken } else { Committed::Refused })
    }

    pub(super) async fn forget(&self, worker: &WorkerId) -> Result<()> {
        let mut done = Ok(());
        for partition in &self.partitions {
            let mut forget = self.scripts.forget.key(&partition.keys);
            forget.arg(worker.as_str()).arg(SILENT_MS_MAX).arg(STEP_MAX);
            done = done.and(loop {
                match self.connection.run::<bool>(&forget).await {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                }
            });
        }
        done
    }
}
