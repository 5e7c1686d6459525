//! Until nothing more happens to a batch of its own accord.

use std::time::{Duration, Instant};

use muster_program::output;
use muster_proto::v1::{Batch, BatchState};
use tonic::Status;

use crate::printable;
use crate::retry::Retry;
use crate::wire::Server;

/// The first pause between two looks, which doubles up to the longest while nothing moves.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// How long a batch may wait for the same thing before that is said, and how often it is said again.
const SILENT_MAX: Duration = Duration::from_secs(5);
const REPEAT_INTERVAL: Duration = Duration::from_secs(60);

/// Says on standard error what a batch waits for.
#[derive(Debug, Default)]
struct Waiting {
    reason: String,
    /// When this is to be said.
    next: Option<Instant>,
}

impl Waiting {
    /// Notes what the batch waits for now, and says it when it is time.
    fn note(&mut self, batch: &Batch) {
        if batch.waiting_for != self.reason {
            self.reason.clone_from(&batch.waiting_for);
            self.next = None;
        }
        let next = self.next.get_or_insert_with(|| Instant::now() + SILENT_MAX);
        if !self.reason.is_empty() && Instant::now() >= *next {
            *next = Instant::now() + REPEAT_INTERVAL;
            output::complain(&format_args!("batch {} waits: {}", batch.id, self.reason));
        }
    }
}

/// Waits until the batch is written, aborted, or held: then only somebody who acts changes it.
pub(crate) async fn until_settled(
    server: &Server,
    retry: &Retry,
    id: &str,
) -> Result<Batch, Status> {
    let mut pause = PAUSE_MIN;
    let (mut before, mut waiting) = (None, Waiting::default());
    loop {
        let look = async || {
            let batch = server.batch(id).await?;
            batch.ok_or_else(|| Status::not_found("the server knows no such batch"))
        };
        let batch = retry.call(look).await?;
        if batch.held || matches!(batch.state(), BatchState::Written | BatchState::Aborted) {
            return Ok(batch);
        }
        waiting.note(&batch);
        pause =
            if before.as_ref() == Some(&batch) { (pause * 2).min(PAUSE_MAX) } else { PAUSE_MIN };
        before = Some(batch);
        tokio::time::sleep(pause).await;
    }
}

/// Why a batch that was waited for does not come, and what to do.
pub(crate) fn aborted(batch: &Batch) -> String {
    let why = if batch.overdue {
        "its sender did not come back before its deadline"
    } else {
        "somebody discarded it"
    };
    let id = printable::text(&batch.id);
    format!(
        "batch {id} is aborted: {why}. None of it is in the roll; send it as a new batch if it is \
         still wanted"
    )
}
