//! Streams that break off and cannot be resumed, because their sender does not know their batch.

use std::sync::Arc;

use muster_program::shutdown::Shutdown;
use muster_queue::{BatchId, Error, Queue};

/// Aborts a batch when it is dropped, unless the stream has ended as it should: the call of a
/// sender that has gone away is dropped, wherever it is.
pub(super) struct AbortUnlessEnded {
    /// Taken when there is nothing to abort.
    batch: Option<BatchId>,
    queue: Arc<dyn Queue>,
    shutdown: Shutdown,
}

impl AbortUnlessEnded {
    pub(super) fn new(queue: Arc<dyn Queue>, batch: BatchId, shutdown: &Shutdown) -> Self {
        Self { batch: Some(batch), queue, shutdown: shutdown.clone() }
    }

    /// Says that the stream has ended as it should.
    pub(super) fn ended(mut self) {
        self.batch = None;
    }
}

impl Drop for AbortUnlessEnded {
    fn drop(&mut self) {
        let Some(batch) = self.batch.take() else {
            return;
        };
        let queue = Arc::clone(&self.queue);
        self.shutdown.spawn(async move {
            match queue.abort(&batch).await {
                Ok(_) => tracing::info!(%batch, "aborted: its stream broke off, and names no batch to resume"),
                Err(error @ Error::Complete(_)) => {
                    tracing::debug!(%batch, %error, "its sender did not wait for the answer");
                }
                Err(error) => {
                    tracing::warn!(%batch, %error, "its stream broke off; it ends at its deadline");
                }
            }
        });
    }
}
