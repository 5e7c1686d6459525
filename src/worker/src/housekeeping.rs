//! What keeps leases alive and batches moving, beside the workers of this process.

use muster_program::logging;
use muster_queue::{Batch, BatchState};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::metrics;
use crate::team::Team;

/// How many heartbeats fit into a lease: one may be lost, and one late.
const HEARTBEATS_PER_LEASE: u32 = 3;
/// How many overdue batches are ended at one heartbeat.
const ENDED_MAX: usize = 100;

/// Extends what is held, ends batches whose deadline has passed, and says that the process is
/// there. Never ends.
///
/// None waits for another: a store that is slow to settle the end of a batch must not cost the
/// leases.
pub(crate) async fn keep(team: &Team) {
    tokio::join!(extend_leases(team), end_overdue(team), report(team));
}

async fn extend_leases(team: &Team) {
    let mut heartbeat = heartbeat(team);
    loop {
        heartbeat.tick().await;
        let leases = team.held.leases();
        if !leases.is_empty()
            && let Err(error) = team.queue.extend(&leases).await
        {
            tracing::debug!(%error, "no heartbeat");
        }
    }
}

async fn end_overdue(team: &Team) {
    let mut heartbeat = heartbeat(team);
    loop {
        heartbeat.tick().await;
        match team.queue.end_overdue(ENDED_MAX).await {
            Ok(ended) => {
                metrics::ended_overdue(ended.len());
                ended.iter().for_each(log_overdue);
            }
            Err(error) => tracing::debug!(%error, "no batch is ended"),
        }
    }
}

/// Says that the process is there, and does what the store tells all programs.
async fn report(team: &Team) {
    let mut heartbeat = heartbeat(team);
    loop {
        heartbeat.tick().await;
        match team.queue.heartbeat(&team.report()).await {
            Ok(controls) => {
                if let Err(error) = logging::set_filter(controls.log_filter.as_deref()) {
                    tracing::warn!(%error, "the filter that is set in the store is none");
                }
            }
            Err(error) => tracing::debug!(%error, "not reported"),
        }
    }
}

fn heartbeat(team: &Team) -> Interval {
    let mut heartbeat = interval(team.lease / HEARTBEATS_PER_LEASE);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat
}

fn log_overdue(batch: &Batch) {
    let Batch { id, received, .. } = batch;
    match batch.state {
        BatchState::Aborted => {
            tracing::warn!(batch = %id, received, "aborted: its sender did not come back before its deadline");
        }
        _ => {
            tracing::warn!(batch = %id, received, "sealed: its sender did not come back before its deadline")
        }
    }
}
