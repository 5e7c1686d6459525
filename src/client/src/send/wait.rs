//! Until the batch is in the roll.

use std::time::Duration;

use muster_proto::v1::{Batch, BatchState};
use tonic::Status;

use super::Sender;

/// The first pause between two looks, which doubles up to the longest while nothing moves.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Waits until the batch is as far as `state`.
pub(super) async fn until(sender: &Sender, state: BatchState) -> Result<Batch, Status> {
    let Sender { server, labels, retry, .. } = sender;
    let mut pause = PAUSE_MIN;
    let mut before = None;
    loop {
        let look = async || {
            let batch = server.batch(&labels.batch).await?;
            batch.ok_or_else(|| Status::not_found("the server has forgotten the batch"))
        };
        let batch = retry.call(look).await?;
        if batch.state >= i32::from(state) {
            return Ok(batch);
        }
        pause =
            if before.as_ref() == Some(&batch) { (pause * 2).min(PAUSE_MAX) } else { PAUSE_MIN };
        before = Some(batch);
        tokio::time::sleep(pause).await;
    }
}
