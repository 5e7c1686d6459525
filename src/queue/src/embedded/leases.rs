//! Who holds which entry. In memory alone: after a restart, nobody holds anything.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::tables::{Entry, ROLL_RANK};
use crate::{Lease, WorkerId};

/// The leases that are held. Bounded by what the workers lease.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<Entry, Claim>,
    /// How often entries that are not ended were taken over.
    lost: BTreeMap<Entry, u32>,
}

/// One worker's hold on an entry.
#[derive(Debug)]
struct Claim {
    ticket: Ticket,
    worker: WorkerId,
    extended: Instant,
}

/// One time that an entry leaves the queue. It passes from worker to worker by take-over, and ends
/// by release: whoever leases the entry then has another ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticket {
    entry: Entry,
    /// Tells this time from all others, those before a restart included.
    token: u64,
}

impl Ticket {
    fn lease(self, worker: &WorkerId) -> Lease {
        let Self { entry: (rank, sequence), token } = self;
        Lease { worker: worker.clone(), entry: format!("{rank}-{sequence}-{token}") }
    }

    /// `None` for a lease of another store.
    fn of(lease: &Lease) -> Option<Self> {
        let mut parts = lease.entry.splitn(3, '-');
        let rank = parts.next()?.parse().ok()?;
        let sequence = parts.next()?.parse().ok()?;
        let token = parts.next()?.parse().ok()?;
        Some(Self { entry: (rank, sequence), token })
    }
}

impl Leases {
    /// Whether somebody holds the entry.
    pub(super) fn is_held(&self, entry: Entry) -> bool {
        self.held.contains_key(&entry)
    }

    /// How many chunks somebody holds.
    pub(super) fn chunks(&self) -> u64 {
        self.held.range((ROLL_RANK + 1, 0)..).count() as u64
    }

    /// A lease on an entry that nobody holds. It counts from [`Leases::hold`] on.
    pub(super) fn offer(entry: Entry, worker: &WorkerId) -> Lease {
        Ticket { entry, token: rand::random() }.lease(worker)
    }

    /// Leases on up to `max` entries of these ranks that have not been extended for `idle`, each
    /// with its entry. They count from [`Leases::hold`] on.
    pub(super) fn offer_idle(
        &self,
        ranks: Range<u8>,
        worker: &WorkerId,
        idle: Duration,
        max: usize,
    ) -> Vec<(Entry, Lease)> {
        self.held
            .range((ranks.start, 0)..(ranks.end, 0))
            .filter(|(_, claim)| claim.extended.elapsed() >= idle)
            .take(max)
            .map(|(entry, claim)| (*entry, claim.ticket.lease(worker)))
            .collect()
    }

    /// How often an entry was taken over.
    pub(super) fn lost(&self, entry: Entry) -> u32 {
        self.lost.get(&entry).copied().unwrap_or_default()
    }

    /// How often each entry was taken over, of those that were.
    pub(super) fn all_lost(&self) -> &BTreeMap<Entry, u32> {
        &self.lost
    }

    /// Counts an entry as taken over.
    pub(super) fn add_lost(&mut self, entry: Entry) {
        *self.lost.entry(entry).or_default() += 1;
    }

    /// Forgets a worker: others may lease what it holds.
    pub(super) fn release_all(&mut self, worker: &WorkerId) {
        self.held.retain(|_, claim| claim.worker != *worker);
    }

    /// Lets a worker hold what it was offered.
    pub(super) fn hold(&mut self, lease: &Lease) {
        if let Some(ticket) = Ticket::of(lease) {
            let worker = lease.worker.clone();
            self.held.insert(ticket.entry, Claim { ticket, worker, extended: Instant::now() });
        }
    }

    /// Starts the idle time of a lease anew, if its worker still holds it.
    pub(super) fn extend(&mut self, lease: &Lease) {
        if let Some(entry) = self.entry_held_by_worker(lease)
            && let Some(claim) = self.held.get_mut(&entry)
        {
            claim.extended = Instant::now();
        }
    }

    /// Gives an entry back, if the lease's worker still holds it.
    pub(super) fn release(&mut self, lease: &Lease) {
        if let Some(entry) = self.entry_held_by_worker(lease) {
            self.held.remove(&entry);
        }
    }

    fn entry_held_by_worker(&self, lease: &Lease) -> Option<Entry> {
        self.entry(lease).filter(|entry| self.held[entry].worker == lease.worker)
    }

    /// The entry of a lease that has not ended, whoever holds it by now.
    pub(super) fn entry(&self, lease: &Lease) -> Option<Entry> {
        let ticket = Ticket::of(lease)?;
        self.held.get(&ticket.entry).filter(|claim| claim.ticket == ticket)?;
        Some(ticket.entry)
    }

    /// Forgets an entry that is no longer in the queue.
    pub(super) fn end(&mut self, entry: Entry) {
        self.held.remove(&entry);
        self.lost.remove(&entry);
    }
}
