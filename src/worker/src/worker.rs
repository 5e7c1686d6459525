//! One worker's loop: lease, process, commit.

use std::sync::Arc;

use muster_queue::{Chunk, Committed, DeadLetter, Outcome, Work, WorkerId};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::team::Team;
use crate::{backoff, metrics, spans};

/// How many chunks a worker leases at once: enough to commit several in one round trip, few
/// enough that a small batch is shared among all.
const CHUNKS_MAX: usize = 4;

/// One worker.
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) team: Arc<Team>,
}

impl Worker {
    /// Works until the shutdown begins.
    pub(crate) async fn run(self) {
        let mut failures = 0;
        let mut next_scan = Instant::now();
        while !self.team.shutdown.has_begun() {
            // Nothing is in this worker's hands while another looks into a suspect.
            let hands = self.team.hands.read().await;
            // What a dropped lease was given is given back with the rest, at the end.
            let found = tokio::select! {
                found = self.find_work(&mut next_scan) => found,
                () = self.team.shutdown.begun() => break,
            };
            match found {
                Ok(work) => {
                    if failures > 0 {
                        tracing::info!(worker = %self.id, "the store is back");
                    }
                    failures = 0;
                    self.do_work(work).await;
                }
                Err(error) => {
                    drop(hands);
                    if failures == 0 {
                        tracing::warn!(worker = %self.id, %error, "waiting for the store");
                    }
                    self.team.pause(backoff(failures)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    /// Takes over what silent workers left behind, or leases what waits.
    async fn find_work(&self, next_scan: &mut Instant) -> muster_queue::Result<Vec<Work>> {
        let Team { queue, lease, scan_interval, .. } = self.team.as_ref();
        if Instant::now() >= *next_scan {
            let work = queue.take_over(&self.id, *lease, CHUNKS_MAX).await?;
            if !work.is_empty() {
                metrics::took_over(work.len());
                tracing::warn!(worker = %self.id, chunks = work.len(), "took over");
                return Ok(work);
            }
            *next_scan = Instant::now() + *scan_interval;
        }
        queue.lease(&self.id, CHUNKS_MAX, *scan_interval).await
    }

    /// Processes and commits the chunks in this work; its rolls are for the roll's writer.
    async fn do_work(&self, work: Vec<Work>) {
        self.team.held.add(&work);
        let mut chunks = Vec::new();
        for piece in work {
            match piece {
                Work::Chunk(chunk) => chunks.push(chunk),
                // A writer that has ended has no use for it: it goes back with the rest.
                Work::Roll(lease) => drop(self.team.rolls.send(lease)),
            }
        }
        if !chunks.is_empty() {
            let processed = self.team.process(chunks).await;
            let commits = processed.iter().map(|(chunk, outcome)| self.commit(chunk, outcome));
            futures::future::join_all(commits).await;
        }
    }

    /// Commits until the store says what became of it.
    pub(crate) async fn commit(&self, chunk: &Chunk, outcome: &Outcome) {
        self.try_commit(chunk, outcome).instrument(spans::commit(chunk)).await;
        self.team.held.remove(std::iter::once(&chunk.lease));
    }

    async fn try_commit(&self, chunk: &Chunk, outcome: &Outcome) {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            match self.team.queue.commit(chunk, outcome).await {
                Ok(committed) => {
                    metrics::committed(chunk, outcome, committed, began.elapsed());
                    self.count(chunk, outcome, committed);
                    log_commit(chunk, outcome, committed);
                    break;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "not committed yet");
                    }
                    // It goes on after the end has begun: `run` breaks it off when time is up.
                    tokio::time::sleep(backoff(failures)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    fn count(&self, chunk: &Chunk, outcome: &Outcome, committed: Committed) {
        if committed == Committed::Taken {
            let failed = outcome.dead.len() + outcome.retry.len();
            self.team.identity.committed(chunk.count.into(), failed as u64);
        }
    }
}

/// Says what became of a chunk, within the span of its commit.
fn log_commit(chunk: &Chunk, outcome: &Outcome, committed: Committed) {
    let Chunk { count, lost, .. } = chunk;
    if committed == Committed::Refused {
        tracing::debug!(count, "was committed by another, or its batch was aborted");
        return;
    }
    tracing::debug!(count, "committed");
    match outcome.retry.as_slice() {
        [] => {}
        [one, ..] if one.history.isolated => {
            tracing::warn!(
                count,
                lost,
                "workers were lost with this chunk; its records are tried one by one"
            );
        }
        retry => {
            tracing::info!(records = retry.len(), "some records failed and will be tried again")
        }
    }
    for letter in &outcome.dead {
        let DeadLetter { place, reason, attempts, .. } = letter;
        tracing::info!(place, reason, attempts, "dead letter");
    }
}
