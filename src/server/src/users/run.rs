//! A run: the batch that the server opens for unary calls that name none, and seals when they
//! pause.

use std::time::Duration;

use muster_content::ContentDigest;
use muster_queue::{BatchId, BatchOptions, Deadline, Ending, Error, Policy, Priority, Queue};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::chunk;
use super::filling::{self, Filled, Filling};
use super::named::answer;
use super::unary::{Call, common_trace};
use crate::status;

/// A run is sealed when no call has come for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// A run is sealed when it is so old, whatever comes.
const AGE_MAX: Duration = Duration::from_secs(10);
/// A run whose server died is sealed by others after so long.
const ABANDONED_AFTER: Duration = Duration::from_secs(15);

/// What the calls of a run share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub(super) priority: Priority,
    pub(super) policy: Policy,
}

/// An open run.
#[derive(Debug)]
pub(super) struct Run {
    batch: BatchId,
    /// How many records it has.
    records: u64,
    /// Their digest.
    digest: ContentDigest,
    opened: Instant,
    appended: Instant,
}

impl Run {
    /// Appends the records of these calls to the run, or to a new one if there is none, and
    /// answers them. Gives back the run, unless the store failed: then nobody knows what is in it,
    /// and others seal it.
    pub(super) async fn append(
        run: Option<Self>,
        queue: &dyn Queue,
        kind: Kind,
        calls: Vec<Call>,
    ) -> Option<Self> {
        let mut run = match run {
            Some(run) => run,
            None => match Self::open(queue, kind).await {
                Ok(run) => run,
                Err(error) => {
                    answer(calls, || Err(status::of(&error))).await;
                    return None;
                }
            },
        };
        let mut calls = calls.into_iter().peekable();
        while calls.peek().is_some() {
            let mut filling = Filling::default();
            let mut appended = Vec::new();
            while let Some(call) = calls.next_if(|_| !filling.is_full()) {
                filling.push(call.record.wire());
                appended.push(call);
            }
            let written = run.append_chunks(queue, kind, &appended, &filling.take()).await;
            let Err(error) = written else {
                answer(appended, || Ok(())).await;
                continue;
            };
            appended.extend(calls);
            answer(appended, || Err(status::of(&error))).await;
            // A queue that is full has taken nothing: the run is as it was.
            return matches!(error, Error::Full { .. } | Error::OutOfMemory { .. }).then_some(run);
        }
        Some(run)
    }

    async fn open(queue: &dyn Queue, kind: Kind) -> Result<Self, Error> {
        let batch = BatchId::random("unary");
        let Kind { priority, policy } = kind;
        let deadline = Some(Deadline { after: ABANDONED_AFTER, then: Ending::Seal });
        let options = BatchOptions { priority, policy, deadline };
        queue.open(&batch, &options).await?;
        let now = Instant::now();
        let digest = ContentDigest::EMPTY;
        Ok(Self { batch, records: 0, digest, opened: now, appended: now })
    }

    async fn append_chunks(
        &mut self,
        queue: &dyn Queue,
        kind: Kind,
        calls: &[Call],
        chunks: &[Filled],
    ) -> Result<(), Error> {
        let (span, trace) = chunk::begin(&self.batch, self.records, common_trace(calls));
        let new = filling::in_a_row(self.records, self.digest, chunks, trace.as_ref());
        // Nobody else appends to it: if the records are there already, then by a write of theirs
        // whose answer was lost.
        let append = chunk::append(queue, &self.batch, &new).instrument(span.clone());
        let mut appended = append.await;
        if matches!(appended, Err(Error::Sealed { .. })) {
            // This server was silent for so long that others took it for dead.
            *self = Self::open(queue, kind).await?;
            let new = filling::in_a_row(0, self.digest, chunks, trace.as_ref());
            let append = chunk::append(queue, &self.batch, &new).instrument(span);
            appended = append.await;
        }
        appended?;
        self.records += calls.len() as u64;
        self.digest = chunks.iter().fold(self.digest, |before, chunk| chunk.digest(before));
        self.appended = Instant::now();
        Ok(())
    }

    /// Whether it has paused, or is old.
    pub(super) fn is_ripe(&self) -> bool {
        self.appended.elapsed() >= PAUSE || self.opened.elapsed() >= AGE_MAX
    }

    /// Seals the run, or discards it when it has nothing: the roll is not written anew for that.
    /// When it fails others seal it.
    pub(super) async fn seal(self, queue: &dyn Queue) {
        let ended = match self.records {
            0 => queue.abort(&self.batch).await,
            records => queue.seal(&self.batch, Some(records), Some(self.digest)).await,
        };
        if let Err(error) = ended {
            tracing::warn!(batch = %self.batch, %error, "not sealed; a worker will seal it");
        }
    }
}
