//! Records that are suspected of ending workers: each is processed while this process has nothing
//! else in hand, so that nothing else is suspected, or lost, with it.

use std::sync::Arc;

use muster_queue::{Chunk, WorkerId};

use crate::team::Team;
use crate::worker::Worker;

/// Looks for suspects at every scan, until the shutdown begins.
pub(crate) async fn look_after(worker: Worker) {
    let team = Arc::clone(&worker.team);
    while !team.shutdown.has_begun() {
        if let Some(first) = lease(&team, &worker.id).await {
            let _hands = team.hands.write().await;
            let mut next = Some(first);
            while let Some(chunk) = next {
                for (chunk, outcome) in team.process(vec![chunk]).await {
                    worker.commit(&chunk, &outcome).await;
                }
                next =
                    if team.shutdown.has_begun() { None } else { lease(&team, &worker.id).await };
            }
        }
        team.pause(team.scan_interval).await;
    }
}

/// Leases a suspect, and holds it from then on: it may have to wait for the workers' hands.
async fn lease(team: &Team, worker: &WorkerId) -> Option<Chunk> {
    match team.queue.lease_isolated(worker, team.lease).await {
        Ok(found) => {
            found.iter().for_each(|chunk| team.held.add_chunk(chunk));
            found
        }
        Err(error) => {
            // The workers say that they wait for the store.
            tracing::debug!(%worker, %error, "no suspect");
            None
        }
    }
}
