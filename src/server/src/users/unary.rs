//! Group commit for unary calls: what arrives for a batch while one write to it is under way goes with the
//! next, and with it what comes within a moment, when many call.
//!
//! Each batch that is written to has a task of its own, so that a slow write delays only the calls of its
//! batch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use muster_program::shutdown::Shutdown;
use muster_program::traces::Trace;
use muster_queue::{BatchId, BatchOptions, Deadline, Queue};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::named;
use super::pace::Pace;
use super::record::Record;
use super::run::{self, Run};
use crate::metadata::Sent;

/// How many calls may wait for the next write to a batch. More wait before they are counted as waiting.
const WAITING_MAX: usize = 4096;
/// How often a run is looked at that may be ripe to be sealed.
const RUN_INTERVAL: Duration = Duration::from_millis(250);
/// The task of a batch ends when no call has come for this long.
const IDLE_MAX: Duration = Duration::from_millis(100);

/// A call that waits for its record to be queued.
pub(super) struct Call {
    pub(super) place: u64,
    pub(super) record: Record,
    /// Its place in its trace.
    pub(super) trace: Option<Trace>,
    pub(super) answer: oneshot::Sender<Result<(), Status>>,
    /// Of calls with the same record for the same place, which get the same answer.
    pub(super) others: Vec<oneshot::Sender<Result<(), Status>>>,
}

/// What a group of calls shares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Group {
    /// The batch that the callers named.
    Named(BatchId, BatchOptions),
    /// Whatever batch the server has open for calls that name none.
    Run(run::Kind),
}

/// The place of the first of these calls in the trace that all of them are part of; `None` when they
/// are of several.
pub(super) fn common_trace(calls: &[Call]) -> Option<Trace> {
    let (first, others) = calls.split_first()?;
    let id = |call: &Call| call.trace.map(Trace::id);
    others.iter().all(|call| id(call) == id(first)).then_some(first.trace)?
}

/// Takes calls to the tasks that write them.
#[derive(Debug)]
pub(super) struct Grouper {
    /// When a batch that callers named ends by itself.
    deadline: Deadline,
    writers: Arc<Writers>,
}

impl Grouper {
    /// Calls are refused once `break_off` is cancelled; those before are answered. The tasks end then, or
    /// when this is dropped.
    pub(super) fn new(
        queue: Arc<dyn Queue>,
        deadline: Deadline,
        break_off: CancellationToken,
        shutdown: &Shutdown,
    ) -> Self {
        let shutdown = shutdown.clone();
        let writers = Writers { queue, break_off, shutdown, waiting: Mutex::default() };
        Self { deadline, writers: Arc::new(writers) }
    }

    /// Queues a record.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` when a batch is named without a place in it; else what the store says.
    pub(super) async fn accept(&self, sent: Sent, record: Record) -> Result<(), Status> {
        let Sent { batch, place, priority, policy, trace, digest: _ } = sent;
        let (group, place) = match (batch, place) {
            (Some(batch), Some(place)) => {
                let options = BatchOptions { priority, policy, deadline: Some(self.deadline) };
                (Group::Named(batch, options), place)
            }
            (None, None) => (Group::Run(run::Kind { priority, policy }), 0),
            _ => {
                return Err(Status::invalid_argument(
                    "metadata `muster-batch` and `muster-place` go together in a unary call",
                ));
            }
        };
        let (answer, answered) = oneshot::channel();
        let gone = |_| Status::unavailable("the server is shutting down");
        // No task may start that the shutdown would have to wait for.
        if self.writers.break_off.is_cancelled() {
            return Err(gone(()));
        }
        let call = Call { place, record, trace, answer, others: Vec::new() };
        self.writers.of(group).send(call).await.map_err(|_| gone(()))?;
        answered.await.map_err(|_| gone(()))?
    }
}

/// The tasks that write at present, by what they write.
#[derive(Debug)]
struct Writers {
    queue: Arc<dyn Queue>,
    break_off: CancellationToken,
    shutdown: Shutdown,
    /// The calls that wait for each.
    waiting: Mutex<HashMap<Group, mpsc::Sender<Call>>>,
}

impl Writers {
    /// Where calls of this group wait for its task, which is started if it does not run.
    fn of(self: &Arc<Self>, group: Group) -> mpsc::Sender<Call> {
        match self.waiting().entry(group) {
            Entry::Occupied(running) => running.get().clone(),
            Entry::Vacant(new) => {
                let (calls, waiting) = mpsc::channel(WAITING_MAX);
                let writer = Writer {
                    queue: Arc::clone(&self.queue),
                    group: new.key().clone(),
                    waiting,
                    run: None,
                    writers: Arc::downgrade(self),
                };
                self.shutdown.spawn(writer.work(self.break_off.clone()));
                new.insert(calls).clone()
            }
        }
    }

    /// Forgets the task of this group, unless a call is on its way to it.
    fn forget_idle(&self, group: &Group, waiting: &mpsc::Receiver<Call>) -> bool {
        let mut groups = self.waiting();
        // In this order: while the map has the only sender, and is locked, no call can arrive.
        let is_idle = waiting.sender_strong_count() == 1 && waiting.is_empty();
        if is_idle {
            groups.remove(group);
        }
        is_idle
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Group, mpsc::Sender<Call>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that writes the calls of one group.
struct Writer {
    queue: Arc<dyn Queue>,
    group: Group,
    waiting: mpsc::Receiver<Call>,
    /// The run that is open, if the group is one of runs.
    run: Option<Run>,
    /// Weak: the calls end when the server drops what takes them here.
    writers: Weak<Writers>,
}

impl Writer {
    async fn work(mut self, break_off: CancellationToken) {
        let (mut calls, mut pace) = (Vec::new(), Pace::new());
        loop {
            let closed = self.waiting.is_closed();
            let idle_max = if self.run.is_some() { RUN_INTERVAL } else { IDLE_MAX };
            // Cancel-safe: calls are received or not.
            let received = tokio::select! {
                biased;
                () = break_off.cancelled(), if !closed => {
                    self.waiting.close();
                    continue;
                }
                received = self.waiting.recv_many(&mut calls, WAITING_MAX) => received,
                () = tokio::time::sleep(idle_max) => {
                    self.seal_if_ripe().await;
                    if self.run.is_none() && self.ends_idle() {
                        return;
                    }
                    continue;
                }
            };
            if received == 0 {
                break;
            }
            pace.gather(&mut calls, &mut self.waiting, WAITING_MAX).await;
            // First, so that nothing is appended to a run that others may have sealed as abandoned.
            self.seal_if_ripe().await;
            let written = calls.len();
            self.write(std::mem::take(&mut calls)).await;
            pace.wrote(written, self.waiting.len());
        }
        if let Some(run) = self.run {
            run.seal(self.queue.as_ref()).await;
        }
    }

    /// Writes calls, and answers them.
    async fn write(&mut self, calls: Vec<Call>) {
        let queue = self.queue.as_ref();
        match &self.group {
            Group::Named(batch, options) => named::append(queue, batch, options, calls).await,
            Group::Run(kind) => self.run = Run::append(self.run.take(), queue, *kind, calls).await,
        }
    }

    async fn seal_if_ripe(&mut self) {
        if let Some(run) = self.run.take_if(|run| run.is_ripe()) {
            run.seal(self.queue.as_ref()).await;
        }
    }

    /// Whether the task ends because no call waits or is on its way.
    fn ends_idle(&self) -> bool {
        let writers = self.writers.upgrade();
        writers.is_some_and(|writers| writers.forget_idle(&self.group, &self.waiting))
    }
}
