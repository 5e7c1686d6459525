//! One worker's loop: lease, process, commit.

use std::sync::Arc;
use std::time::Duration;

use muster_program::shutdown::Shutdown;
use muster_queue::{Chunk, Committed, Lease, Queue, Work, WorkerId};
use tokio::time::Instant;

use crate::housekeeping::Held;
use crate::outcome;
use crate::processor::Processor;
use crate::roll::{self, Roll};
use crate::{RollFailure, backoff};

/// How many chunks a worker leases at once: enough to commit several in one round trip, few
/// enough that a small batch is shared among all.
const CHUNKS_MAX: usize = 4;

/// One worker.
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) processor: Arc<dyn Processor>,
    pub(crate) roll: Roll,
    pub(crate) roll_failure: RollFailure,
    pub(crate) held: Arc<Held>,
    pub(crate) lease: Duration,
    pub(crate) scan_interval: Duration,
    pub(crate) shutdown: Shutdown,
}

impl Worker {
    /// Works until the shutdown begins.
    ///
    /// # Errors
    ///
    /// The roll cannot be written, and the worker is to give up.
    pub(crate) async fn run(self) -> Result<(), roll::Error> {
        let mut failures = 0;
        let mut next_scan = Instant::now();
        while !self.shutdown.has_begun() {
            // A lease that is dropped while its answer is on the way is taken over by others.
            let found = tokio::select! {
                found = self.find_work(&mut next_scan) => found,
                () = self.shutdown.begun() => break,
            };
            match found {
                Ok(work) => {
                    if failures > 0 {
                        tracing::info!(worker = %self.id, "the store is back");
                    }
                    failures = 0;
                    self.do_work(work).await?;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(worker = %self.id, %error, "waiting for the store");
                    }
                    self.pause(backoff(failures)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
        if let Err(error) = self.queue.forget(&self.id).await {
            tracing::debug!(worker = %self.id, %error, "could not say goodbye");
        }
        Ok(())
    }

    /// Takes over what silent workers left behind, or leases what waits.
    async fn find_work(&self, next_scan: &mut Instant) -> muster_queue::Result<Vec<Work>> {
        if Instant::now() >= *next_scan {
            let work = self.queue.take_over(&self.id, self.lease, CHUNKS_MAX).await?;
            if !work.is_empty() {
                tracing::warn!(worker = %self.id, chunks = work.len(), "took over");
                return Ok(work);
            }
            *next_scan = Instant::now() + self.scan_interval;
        }
        self.queue.lease(&self.id, CHUNKS_MAX, self.scan_interval).await
    }

    async fn do_work(&self, work: Vec<Work>) -> Result<(), roll::Error> {
        self.held.add(work.iter().map(Work::lease));
        let (mut chunks, mut rolls) = (Vec::new(), Vec::new());
        for piece in work {
            match piece {
                Work::Chunk(chunk) => chunks.push(chunk),
                Work::Roll(lease) => rolls.push(lease),
            }
        }
        if !chunks.is_empty() {
            self.do_chunks(chunks).await;
        }
        if rolls.is_empty() { Ok(()) } else { self.write_roll(&rolls).await }
    }

    /// Processes chunks and commits them. All of them, also when the end has begun: processing
    /// is what the grace period is for.
    async fn do_chunks(&self, chunks: Vec<Chunk>) {
        let processor = Arc::clone(&self.processor);
        let processed = tokio::task::spawn_blocking(move || {
            let process = |chunk: Chunk| {
                let outcome =
                    outcome::of(chunk.first, chunk.count, &chunk.payload, processor.as_ref());
                (chunk, outcome)
            };
            chunks.into_iter().map(process).collect::<Vec<_>>()
        });
        // It cannot panic (see `outcome`) and is never aborted.
        let Ok(processed) = processed.await else {
            return;
        };
        let commits = processed.iter().map(|(chunk, outcome)| self.commit(chunk, outcome));
        futures::future::join_all(commits).await;
    }

    /// Commits until the store says what became of it.
    async fn commit(&self, chunk: &Chunk, outcome: &muster_queue::Outcome) {
        let mut failures = 0;
        loop {
            match self.queue.commit(chunk, outcome).await {
                Ok(committed) => {
                    self.log_commit(chunk, outcome, committed);
                    break;
                }
                // What is not committed when the end comes is taken over by others.
                Err(_) if self.shutdown.has_begun() && failures > 0 => break,
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(worker = %self.id, batch = %chunk.batch, %error, "not committed yet");
                    }
                    self.pause(backoff(failures)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
        self.held.remove(std::iter::once(&chunk.lease));
    }

    fn log_commit(&self, chunk: &Chunk, outcome: &muster_queue::Outcome, committed: Committed) {
        let Chunk { batch, first, count, .. } = chunk;
        match committed {
            Committed::Taken => {
                tracing::debug!(worker = %self.id, %batch, first, count, "committed")
            }
            Committed::Refused => {
                tracing::debug!(worker = %self.id, %batch, first, count, "was committed by another");
                return;
            }
        }
        for letter in &outcome.dead {
            tracing::info!(%batch, place = letter.place, reason = letter.reason, "dead letter");
        }
    }

    /// Writes every complete batch into the roll. When it fails, the leases run out and someone
    /// tries again.
    async fn write_roll(&self, leases: &[Lease]) -> Result<(), roll::Error> {
        let written = self.roll.write(self.queue.as_ref(), &self.shutdown).await;
        self.held.remove(leases.iter());
        match (written, self.roll_failure) {
            (Err(error), RollFailure::TryAgain) => {
                tracing::error!(worker = %self.id, %error, "the roll is not written; it will be tried again");
                Ok(())
            }
            (written, _) => written,
        }
    }

    /// Waits, at most until the end begins.
    async fn pause(&self, duration: Duration) {
        let _ = tokio::time::timeout(duration, self.shutdown.begun()).await;
    }
}
