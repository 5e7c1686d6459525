//! What keeps leases alive and batches moving, beside the workers of this process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use muster_queue::{Batch, BatchState, Lease};
use tokio::time::{Interval, MissedTickBehavior, interval};

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
///
/// Neither waits for the other: a store that is slow to settle the end of a batch must not cost
/// the leases.
pub(crate) async fn keep(team: &Team) {
    tokio::join!(extend_leases(team), end_overdue(team));
}

async fn extend_leases(team: &Team) {
    let mut heartbeat = heartbeat(team);
    loop {
        heartbeat.tick().await;
        let leases = team.held.all();
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
            Ok(ended) => ended.iter().for_each(log_overdue),
            Err(error) => tracing::debug!(%error, "no batch is ended"),
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
