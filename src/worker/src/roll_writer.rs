//! The writer of the roll, next to the workers of this process: they go on while it writes.

use std::sync::Arc;
use std::time::Duration;

use muster_queue::Lease;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::roll::Look;
use crate::team::Team;
use crate::{RollFailure, metrics, roll};

/// How many leases are seen to at once.
const LEASES_MAX: usize = 1000;

/// How often the roll is checked, also while there is nothing to write.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Writes every complete batch into the roll whenever a worker was given one to write, and checks the roll
/// every few seconds, until the shutdown begins.
///
/// # Errors
///
/// The roll cannot be written, and the team is to give up.
pub(crate) async fn look_after(
    team: Arc<Team>,
    mut leased: mpsc::UnboundedReceiver<Lease>,
) -> Result<(), roll::Error> {
    let mut leases = Vec::new();
    let mut checks = interval(CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_check = tokio::select! {
            _ = leased.recv_many(&mut leases, LEASES_MAX) => false,
            _ = checks.tick() => true,
            () = team.shutdown.begun() => return Ok(()),
        };
        let is_check = is_check || team.roll.problem().is_some();
        let result = if is_check { check(&team).await } else { write(&team).await };
        // Where it failed, the next check that succeeds makes up for it: of any process.
        team.held.remove(leases.iter());
        leases.clear();
        let is_news = team.roll.ended(&result);
        match (result, team.roll_failure) {
            (Err(error), RollFailure::GiveUp) => return Err(error),
            (result, _) => log(&result, is_news),
        }
    }
}

async fn check(team: &Team) -> Result<Look, roll::Error> {
    let look = team.roll.check(team.queue.as_ref()).await?;
    team.roll.catch_up(team.queue.as_ref(), &team.shutdown).await?;
    Ok(look)
}

async fn write(team: &Team) -> Result<Look, roll::Error> {
    team.roll.write(team.queue.as_ref(), &team.shutdown).await?;
    Ok(Look::Well)
}

/// Says what is new, once.
fn log(result: &Result<Look, roll::Error>, is_news: bool) {
    match result {
        Ok(_) if is_news => tracing::info!("the roll can be written again"),
        Ok(_) => {}
        Err(error) => {
            metrics::roll_failed();
            match is_news {
                true => tracing::error!(%error, "the roll is not written"),
                // The workers say that they wait for the store.
                false => tracing::debug!(%error, "the roll is not written"),
            }
        }
    }
}
