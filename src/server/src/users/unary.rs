//! Group commit for unary calls: what arrives while one write is under way goes with the next, and with
//! it what comes within a moment, when many call.

use std::collections::HashMap;
use std::sync::Arc;
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

/// How many calls may wait for the next write. More wait before they are counted as waiting.
const WAITING_MAX: usize = 4096;
/// How often runs are looked at that may be ripe to be sealed.
const RUN_INTERVAL: Duration = Duration::from_millis(250);

/// A call that waits for its record to be queued.
pub(super) struct Call {
    pub(super) place: u64,
    pub(super) record: Record,
    /// Its place in its trace.
    pub(super) trace: Option<Trace>,
    pub(super) answer: oneshot::Sender<Result<(), Status>>,
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

/// The handle to the task that groups.
#[derive(Debug)]
pub(super) struct Grouper {
    /// When a batch that callers named ends by itself.
    deadline: Deadline,
    calls: mpsc::Sender<(Group, Call)>,
}

impl Grouper {
    /// Starts the task. It ends when every call is answered and this handle is gone, or no more
    /// calls are taken because of `break_off`.
    pub(super) fn start(
        queue: Arc<dyn Queue>,
        deadline: Deadline,
        break_off: CancellationToken,
        shutdown: &Shutdown,
    ) -> Self {
        let (calls, waiting) = mpsc::channel(WAITING_MAX);
        shutdown.spawn(group(queue, waiting, break_off));
        Self { deadline, calls }
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
        let call = Call { place, record, trace, answer };
        self.calls.send((group, call)).await.map_err(|_| gone(()))?;
        answered.await.map_err(|_| gone(()))?
    }
}

async fn group(
    queue: Arc<dyn Queue>,
    mut waiting: mpsc::Receiver<(Group, Call)>,
    break_off: CancellationToken,
) {
    let mut runs: HashMap<run::Kind, Run> = HashMap::new();
    let (mut calls, mut pace) = (Vec::new(), Pace::new());
    loop {
        let closed = waiting.is_closed();
        let next = waiting.recv_many(&mut calls, WAITING_MAX);
        // Cancel-safe: calls are received or not, and sealing is tried again.
        let received = tokio::select! {
            received = next => received,
            () = break_off.cancelled(), if !closed => {
                waiting.close();
                continue;
            }
            () = tokio::time::sleep(RUN_INTERVAL), if !runs.is_empty() => {
                Run::seal_ripe(&mut runs, queue.as_ref()).await;
                continue;
            }
        };
        if received == 0 {
            break;
        }
        pace.gather(&mut calls, &mut waiting, WAITING_MAX).await;
        // First, so that nothing is appended to a run that others may have sealed as abandoned.
        Run::seal_ripe(&mut runs, queue.as_ref()).await;
        let written = calls.len();
        write(queue.as_ref(), &mut runs, calls.drain(..)).await;
        pace.wrote(written, waiting.len());
    }
    for run in runs.into_values() {
        run.seal(queue.as_ref()).await;
    }
}

/// Writes what has arrived, each group for itself and all at once, and answers.
async fn write(
    queue: &dyn Queue,
    runs: &mut HashMap<run::Kind, Run>,
    calls: impl Iterator<Item = (Group, Call)>,
) {
    let mut groups: HashMap<Group, Vec<Call>> = HashMap::new();
    for (group, call) in calls {
        groups.entry(group).or_default().push(call);
    }
    let writes = groups.into_iter().map(|(group, calls)| match group {
        Group::Named(batch, options) => Write::Named { batch, options, calls },
        Group::Run(kind) => Write::Run { run: runs.remove(&kind), kind, calls },
    });
    let written = futures::future::join_all(writes.map(|write| write.carry_out(queue))).await;
    runs.extend(written.into_iter().flatten());
}

/// A group on its way to the store.
enum Write {
    Named { batch: BatchId, options: BatchOptions, calls: Vec<Call> },
    Run { run: Option<Run>, kind: run::Kind, calls: Vec<Call> },
}

impl Write {
    /// Gives back the run that stays open, if it is one.
    async fn carry_out(self, queue: &dyn Queue) -> Option<(run::Kind, Run)> {
        match self {
            Self::Named { batch, options, calls } => {
                named::append(queue, &batch, &options, calls).await;
                None
            }
            Self::Run { run, kind, calls } => {
                let run = Run::append(run, queue, kind, calls).await?;
                Some((kind, run))
            }
        }
    }
}
