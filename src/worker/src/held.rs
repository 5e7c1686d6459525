//! What the workers of one process hold: to be extended, and to be shown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_queue::{Chunk, IN_HAND_MAX, InHand, Lease, Work};

/// The leases that the workers of this process hold, with the chunks that they are on; a roll is no
/// chunk.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashMap<Lease, Option<InHand>>>);

impl Held {
    /// Adds what was leased.
    pub(crate) fn add(&self, work: &[Work]) {
        self.lock().extend(work.iter().map(|piece| match piece {
            Work::Chunk(chunk) => (chunk.lease.clone(), Some(in_hand(chunk))),
            Work::Roll(lease) => (lease.clone(), None),
        }));
    }

    /// Adds a chunk that was leased.
    pub(crate) fn add_chunk(&self, chunk: &Chunk) {
        self.lock().insert(chunk.lease.clone(), Some(in_hand(chunk)));
    }

    /// Removes what is done.
    pub(crate) fn remove<'a>(&self, leases: impl Iterator<Item = &'a Lease>) {
        let mut held = self.lock();
        for lease in leases {
            held.remove(lease);
        }
    }

    /// Every lease.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.lock().keys().cloned().collect()
    }

    /// The chunks, as many as are shown.
    pub(crate) fn chunks(&self) -> Vec<InHand> {
        self.lock().values().flatten().take(IN_HAND_MAX).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lease, Option<InHand>>> {
        // The leases are whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_hand(chunk: &Chunk) -> InHand {
    InHand { batch: chunk.batch.clone(), first: chunk.first, records: chunk.count }
}
