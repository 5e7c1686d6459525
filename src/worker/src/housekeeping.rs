//! What keeps leases alive and batches moving, beside the workers of this process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_queue::{Lease, Queue};

/// How many heartbeats fit into a lease: one may be lost, and one late.
const HEARTBEATS_PER_LEASE: u32 = 3;
/// How many overdue batches are sealed at one heartbeat.
const SEALED_MAX: usize = 100;

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

/// Extends what is held, and seals what is overdue. Never ends.
pub(crate) async fn keep(queue: &dyn Queue, held: &Held, lease: Duration) {
    let mut heartbeat = tokio::time::interval(lease / HEARTBEATS_PER_LEASE);
    heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        heartbeat.tick().await;
        let leases = held.all();
        let beat = async {
            if !leases.is_empty() {
                queue.extend(&leases).await?;
            }
            queue.seal_overdue(SEALED_MAX).await
        };
        match beat.await {
            Ok(0) => {}
            Ok(batches) => tracing::warn!(batches, "sealed batches whose server went away"),
            Err(error) => tracing::debug!(%error, "no heartbeat"),
        }
    }
}
