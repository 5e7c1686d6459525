//! The writer of the roll, beside the workers of this process: they go on while it writes.

use std::sync::Arc;

use muster_queue::Lease;
use tokio::sync::mpsc;

use crate::team::Team;
use crate::{RollFailure, roll};

/// How many leases are seen to at once.
const LEASES_MAX: usize = 1000;

/// Writes every complete batch into the roll whenever a worker was given one to write, until the
/// shutdown begins.
///
/// # Errors
///
/// The roll cannot be written, and the team is to give up.
pub(crate) async fn look_after(
    team: Arc<Team>,
    mut leased: mpsc::UnboundedReceiver<Lease>,
) -> Result<(), roll::Error> {
    let mut leases = Vec::new();
    loop {
        tokio::select! {
            _ = leased.recv_many(&mut leases, LEASES_MAX) => {}
            () = team.shutdown.begun() => return Ok(()),
        }
        let written = team.roll.write(team.queue.as_ref(), &team.shutdown).await;
        // Where it failed, the leases run out, and someone tries again.
        team.held.remove(leases.iter());
        leases.clear();
        match (written, team.roll_failure) {
            (Err(error), RollFailure::TryAgain) => {
                tracing::error!(%error, "the roll is not written; it will be tried again");
            }
            (written, _) => written?,
        }
    }
}
