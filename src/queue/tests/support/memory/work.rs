//! The work that waits or is leased.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use muster_queue::{BatchId, Chunk, Depth, History, Lease, Line, Priority, Work, WorkerId};

/// The order of work: rolls before chunks by priority, then by age.
type Key = (Option<Priority>, u64);

/// All work.
#[derive(Debug, Default)]
pub(super) struct AllWork {
    entries: BTreeMap<Key, Entry>,
    entries_made: u64,
}

/// A piece of work of a batch.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) batch: BatchId,
    /// `None` for a roll.
    pub(super) piece: Option<Piece>,
    /// When it may be leased.
    pub(super) due: Instant,
    holder: Option<Holder>,
}

/// What a chunk has.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) payload: Bytes,
    pub(super) trace: Option<String>,
    pub(super) lost: u32,
    pub(super) history: History,
    /// Whether it is one record that counts as retrying.
    pub(super) is_retried: bool,
}

#[derive(Debug)]
struct Holder {
    worker: WorkerId,
    since: Instant,
}

impl Entry {
    pub(super) fn new(batch: BatchId, piece: Option<Piece>, after: Duration) -> Self {
        Self { batch, piece, due: Instant::now() + after, holder: None }
    }

    fn is_isolated(&self) -> bool {
        self.piece.as_ref().is_some_and(|piece| piece.history.isolated)
    }

    fn is_free(&self) -> bool {
        self.holder.is_none() && (self.is_isolated() || self.due <= Instant::now())
    }

    fn is_idle(&self, idle: Duration) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.since.elapsed() >= idle)
    }

    /// Gives it to `worker`. Whoever held it has lost it.
    fn give(&mut self, worker: &WorkerId, lease: Lease) -> Work {
        let holder = Holder { worker: worker.clone(), since: Instant::now() };
        let is_lost = self.holder.replace(holder).is_some();
        let Some(piece) = &mut self.piece else {
            return Work::Roll(lease);
        };
        piece.lost += u32::from(is_lost);
        let Piece { first, count, payload, trace, lost, history, .. } = piece.clone();
        let batch = self.batch.clone();
        Work::Chunk(Chunk { lease, batch, first, count, payload, trace, lost, history })
    }
}

impl AllWork {
    pub(super) fn queue(&mut self, priority: Option<Priority>, entry: Entry) {
        self.entries_made += 1;
        self.entries.insert((priority, self.entries_made), entry);
    }

    pub(super) fn lease(&mut self, worker: &WorkerId, max: usize) -> Vec<Work> {
        self.take(worker, max, |entry| !entry.is_isolated() && entry.is_free())
    }

    /// Leases rolls alone.
    pub(super) fn lease_rolls(&mut self, worker: &WorkerId, max: usize) -> Vec<Work> {
        self.take(worker, max, |entry| entry.piece.is_none() && entry.is_free())
    }

    /// Takes over rolls alone.
    pub(super) fn take_over_rolls(
        &mut self,
        worker: &WorkerId,
        idle: Duration,
        max: usize,
    ) -> Vec<Work> {
        self.take(worker, max, |entry| entry.piece.is_none() && entry.is_idle(idle))
    }

    /// How many chunks somebody holds.
    pub(super) fn leased(&self) -> u64 {
        let is_leased = |entry: &&Entry| entry.piece.is_some() && entry.holder.is_some();
        self.entries.values().filter(is_leased).count() as u64
    }

    pub(super) fn take_over(&mut self, worker: &WorkerId, idle: Duration, max: usize) -> Vec<Work> {
        self.take(worker, max, |entry| !entry.is_isolated() && entry.is_idle(idle))
    }

    pub(super) fn lease_isolated(&mut self, worker: &WorkerId, idle: Duration) -> Vec<Work> {
        let idle = self.take(worker, 1, |entry| entry.is_isolated() && entry.is_idle(idle));
        if !idle.is_empty() {
            return idle;
        }
        self.take(worker, 1, |entry| entry.is_isolated() && entry.is_free())
    }

    /// Makes `worker` the holder of the first `max` entries that it `may` have.
    fn take(&mut self, worker: &WorkerId, max: usize, may: impl Fn(&Entry) -> bool) -> Vec<Work> {
        let entries = self.entries.iter_mut().filter(|(_, entry)| may(entry)).take(max);
        entries
            .map(|(key, entry)| entry.give(worker, Lease::new(worker.clone(), name(key))))
            .collect()
    }

    pub(super) fn extend(&mut self, leases: &[Lease]) {
        for lease in leases {
            let entry = self.key_held(lease).and_then(|key| self.entries.get_mut(&key));
            if let Some(holder) = entry.and_then(|entry| entry.holder.as_mut()) {
                holder.since = Instant::now();
            }
        }
    }

    pub(super) fn release(&mut self, leases: &[Lease]) {
        for lease in leases {
            if let Some(key) = self.key_held(lease) {
                self.give_back(key);
            }
        }
    }

    pub(super) fn forget(&mut self, worker: &WorkerId) {
        let is_theirs = |entry: &Entry| entry.holder.as_ref().is_some_and(|h| h.worker == *worker);
        let held = self.entries.iter().filter(|(_, entry)| is_theirs(entry));
        for key in held.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.give_back(key);
        }
    }

    /// Queues an entry anew, so that its old name means nothing any more.
    fn give_back(&mut self, key: Key) {
        if let Some(Entry { batch, piece, .. }) = self.entries.remove(&key) {
            self.queue(key.0, Entry::new(batch, piece, Duration::ZERO));
        }
    }

    /// Takes out a chunk, whoever holds it.
    pub(super) fn remove(&mut self, lease: &Lease) -> Option<Piece> {
        let key = self.key(lease)?;
        self.entries.remove(&key)?.piece
    }

    /// Takes out all that is left of a batch.
    pub(super) fn remove_all(&mut self, batch: &BatchId) {
        self.entries.retain(|_, entry| entry.batch != *batch);
    }

    pub(super) fn depth(&self) -> Depth {
        depth(self.entries.values())
    }

    /// The line of a priority, or of what is isolated.
    pub(super) fn line(&self, priority: Option<Priority>) -> Line {
        let is_in = |(key, entry): &(&Key, &Entry)| {
            let line = if entry.is_isolated() { None } else { key.0 };
            line == priority && entry.piece.is_some()
        };
        let entries = || self.entries.iter().filter(is_in).map(|(_, entry)| entry);
        let in_line = entries().filter(|entry| entry.is_isolated() || entry.due <= Instant::now());
        let oldest = in_line.map(|entry| entry.due.elapsed()).max();
        Line { depth: depth(entries()), oldest }
    }

    fn key(&self, lease: &Lease) -> Option<Key> {
        self.entries.keys().copied().find(|key| name(key) == lease.entry())
    }

    fn key_held(&self, lease: &Lease) -> Option<Key> {
        let key = self.key(lease)?;
        let holder = self.entries.get(&key)?.holder.as_ref()?;
        (holder.worker == lease.worker).then_some(key)
    }
}

fn depth<'a>(entries: impl Iterator<Item = &'a Entry> + Clone) -> Depth {
    let pieces = entries.filter_map(|entry| entry.piece.as_ref());
    Depth {
        records: pieces.clone().map(|piece| u64::from(piece.count)).sum(),
        bytes: pieces.map(|piece| piece.payload.len() as u64).sum(),
    }
}

/// The name of an entry in a lease.
fn name((_, number): &Key) -> String {
    number.to_string()
}
