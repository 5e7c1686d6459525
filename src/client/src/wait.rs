//! Until nothing more happens to a batch of its own accord.

use std::time::Duration;

use muster_program::output;
use muster_proto::v1::{Batch, BatchState};
use tonic::Status;

use crate::printable;
use crate::retry::Retry;
use crate::stalled::Stalled;
use crate::wire::Server;

/// The first pause between two looks, which doubles up to the longest while nothing moves.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Says on standard error what a batch waits for.
#[derive(Debug)]
struct Waiting {
    reason: String,
    stalled: Stalled,
}

impl Waiting {
    /// Notes what the batch waits for now, and says it when it is time.
    fn note(&mut self, batch: &Batch, before: Option<&Batch>) {
        let progress = |batch: &Batch| (batch.state, batch.kept, batch.dead, batch.retrying);
        if batch.waiting_for != self.reason || before.map(progress) != Some(progress(batch)) {
            self.reason.clone_from(&batch.waiting_for);
            self.stalled.moved();
        }
        if !self.reason.is_empty() && self.stalled.due().is_some() {
            output::complain(&format_args!("batch {} waits: {}", batch.id, self.reason));
        }
    }
}

/// Waits until the batch is written, aborted or held. After that, only an operator changes it. Also returns
/// when the batch was sealed with `sealed` records, and has fewer or is open: the store has lost some, or its
/// end.
pub(crate) async fn until_settled(
    server: &Server,
    retry: &Retry,
    id: &str,
    sealed: Option<u64>,
) -> Result<Batch, Status> {
    let mut pause = PAUSE_MIN;
    let (mut before, mut waiting) =
        (None, Waiting { reason: String::new(), stalled: Stalled::new() });
    loop {
        let look = async || {
            let batch = server.batch(id).await?;
            batch.ok_or_else(|| Status::not_found("the server knows no such batch"))
        };
        let batch = retry.call(look).await?;
        let is_open = batch.state() == BatchState::Open;
        if sealed.is_some_and(|records| is_open || batch.received < records)
            || batch.held
            || matches!(batch.state(), BatchState::Written | BatchState::Aborted)
        {
            return Ok(batch);
        }
        waiting.note(&batch, before.as_ref());
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
