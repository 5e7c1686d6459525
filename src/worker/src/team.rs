//! What the workers of one process share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use muster_program::shutdown::Shutdown;
use muster_queue::{Chunk, Lease, Outcome, Queue, WorkerReport};
use tokio::sync::{RwLock, mpsc};

use crate::held::Held;
use crate::identity::Identity;
use crate::processor::Processor;
use crate::retry::Retries;
use crate::roll::Roll;
use crate::{RollFailure, metrics, outcome, spans};

/// What the workers of one process share.
pub(crate) struct Team {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) processor: Arc<dyn Processor>,
    pub(crate) retries: Retries,
    pub(crate) roll: Roll,
    pub(crate) roll_failure: RollFailure,
    /// What a worker was given to write goes to the roll's writer.
    pub(crate) rolls: mpsc::UnboundedSender<Lease>,
    pub(crate) lease: Duration,
    pub(crate) scan_interval: Duration,
    pub(crate) shutdown: Shutdown,
    pub(crate) identity: Identity,
    pub(crate) held: Held,
    /// Read by a worker while it has chunks in hand; written while one record is processed alone.
    pub(crate) hands: RwLock<()>,
}

impl Team {
    /// Processes chunks, one after another, on a thread that may block. What the beginning of the
    /// end finds untouched is left out: it is for others.
    pub(crate) async fn process(self: &Arc<Self>, chunks: Vec<Chunk>) -> Vec<(Chunk, Outcome)> {
        let team = Arc::clone(self);
        let processing = tokio::task::spawn_blocking(move || {
            let process = |mut chunk: Chunk| {
                let began = Instant::now();
                let processing = spans::process(&mut chunk).entered();
                let outcome = outcome::of(&chunk, team.processor.as_ref(), &team.retries);
                drop(processing);
                metrics::processed(began.elapsed());
                (chunk, outcome)
            };
            let mut chunks = chunks.into_iter();
            std::iter::from_fn(|| chunks.next().filter(|_| !team.shutdown.has_begun()))
                .map(process)
                .collect()
        });
        processing.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// What the store is told of this process.
    pub(crate) fn report(&self) -> WorkerReport {
        let (in_hand, draining) = (self.held.chunks(), self.shutdown.has_begun());
        self.identity.report(in_hand, draining, self.roll.problem())
    }

    /// Waits, at most until the end begins.
    pub(crate) async fn pause(&self, duration: Duration) {
        let _ = tokio::time::timeout(duration, self.shutdown.begun()).await;
    }
}
