//! What keeps leases alive and batches moving, beside the workers of this process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use muster_queue::{Batch, BatchState, Lease};

use crate::team::Team;

/// How many heartbeats fit into a lease: one may be lost, and one late.
const HEARTBEATS_PER_LEASE: u32 = 3;
/// How many overdue batches are ended at one heartbeat.
const ENDED_MAX: usize = 100;

/// The leases that the workers of this process hold.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashSet<Lease>>);

impl Held {
    pub(crate) fn add<'a>(&self, leases: impl Iterator<Item = &'a Lease>) {
        self.lock().extend(leases.cloned());
    }

    pub(crate) fn remove<'a>(&self, leases: impl Iterator<Item = &'a Lease>) {
        let mut held = self.lock();
        for lease in leases {
            held.remove(lease);
        }
    }

    fn all(&self) -> Vec<Lease> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Lease>> {
        // A set of leases is whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Extends what is held, and ends batches whose deadline has passed. Never ends.
pub(crate) async fn keep(team: &Team) {
    let queue = team.queue.as_ref();
    let mut heartbeat = tokio::time::interval(team.lease / HEARTBEATS_PER_LEASE);
    heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        heartbeat.tick().await;
        let leases = team.held.all();
        let beat = async {
            if !leases.is_empty() {
                queue.extend(&leases).await?;
            }
            queue.end_overdue(ENDED_MAX).await
        };
        match beat.await {
            Ok(ended) => ended.iter().for_each(log_overdue),
            Err(error) => tracing::debug!(%error, "no heartbeat"),
        }
    }
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
