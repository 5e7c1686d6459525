//! All batches in memory, and the work that they give.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, BatchState, Chunk, Committed, Error, Lease, NewChunk,
    Outcome, Priority, Result, Work, WorkerId,
};

use super::row::Row;

/// The order of work: rolls before chunks by priority, then by age.
type Key = (Option<Priority>, u64);

/// All that the queue has.
#[derive(Debug, Default)]
pub(super) struct State {
    batches: BTreeMap<BatchId, Row>,
    work: BTreeMap<Key, Entry>,
    /// The batches that are complete, in the order in which they became so.
    complete: Vec<BatchId>,
    entries_made: u64,
}

/// A piece of work.
#[derive(Debug)]
struct Entry {
    batch: BatchId,
    /// The place of the chunk's first record; `None` for a roll.
    first: Option<u64>,
    holder: Option<Holder>,
}

#[derive(Debug)]
struct Holder {
    worker: WorkerId,
    since: Instant,
}

impl State {
    pub(super) fn row(&self, id: &BatchId) -> Result<&Row> {
        self.batches.get(id).ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    fn row_mut(&mut self, id: &BatchId) -> Result<&mut Row> {
        self.batches.get_mut(id).ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    pub(super) fn open(&mut self, id: &BatchId, options: &BatchOptions) -> Batch {
        self.batches.entry(id.clone()).or_insert_with(|| Row::new(id, options)).batch.clone()
    }

    pub(super) fn append(&mut self, id: &BatchId, chunk: &NewChunk) -> Result<Appended> {
        let row = self.row_mut(id)?;
        let (first, priority) = (row.batch.received, row.batch.priority);
        let answer = row.append(chunk)?;
        if answer == Appended::Accepted {
            self.queue(Some(priority), id.clone(), Some(first));
        }
        Ok(answer)
    }

    fn queue(&mut self, priority: Option<Priority>, batch: BatchId, first: Option<u64>) {
        self.entries_made += 1;
        self.work.insert((priority, self.entries_made), Entry { batch, first, holder: None });
    }

    pub(super) fn seal(&mut self, id: &BatchId, records: Option<u64>) -> Result<Batch> {
        let batch = &mut self.row_mut(id)?.batch;
        if let Some(claimed) = records.filter(|records| *records != batch.received) {
            let received = batch.received;
            return Err(Error::Miscounted { batch: id.clone(), received, claimed });
        }
        batch.state = batch.state.max(BatchState::Sealed);
        self.complete_if_drained(id)?;
        Ok(self.row(id)?.batch.clone())
    }

    pub(super) fn seal_overdue(&mut self, limit: usize) -> Result<usize> {
        let overdue = self.batches.values().filter(|row| row.is_overdue()).take(limit);
        let overdue: Vec<BatchId> = overdue.map(|row| row.batch.id.clone()).collect();
        for id in &overdue {
            self.seal(id, None)?;
        }
        Ok(overdue.len())
    }

    fn complete_if_drained(&mut self, id: &BatchId) -> Result<()> {
        let batch = &mut self.row_mut(id)?.batch;
        if batch.state == BatchState::Sealed && batch.is_drained() {
            batch.state = BatchState::Complete;
            self.complete.push(id.clone());
            self.queue(None, id.clone(), None);
        }
        Ok(())
    }

    pub(super) fn lease(&mut self, worker: &WorkerId, max: usize) -> Vec<Work> {
        self.take(worker, max, |entry| entry.holder.is_none())
    }

    pub(super) fn take_over(&mut self, worker: &WorkerId, idle: Duration, max: usize) -> Vec<Work> {
        self.take(worker, max, |entry| {
            entry.holder.as_ref().is_some_and(|holder| holder.since.elapsed() >= idle)
        })
    }

    /// Makes `worker` the holder of the first `max` entries that are `free`.
    fn take(&mut self, worker: &WorkerId, max: usize, free: impl Fn(&Entry) -> bool) -> Vec<Work> {
        let batches = &self.batches;
        let free = self.work.iter_mut().filter(|(_, entry)| free(entry)).take(max);
        free.map(|(key, entry)| {
            entry.holder = Some(Holder { worker: worker.clone(), since: Instant::now() });
            let lease = Lease::new(worker.clone(), name(key));
            let sent = entry.first.and_then(|first| batches.get(&entry.batch)?.sent.get(&first));
            sent.map_or(Work::Roll(lease.clone()), |sent| {
                let (first, count, payload) = (sent.first, sent.count, sent.payload.clone());
                Work::Chunk(Chunk { lease, batch: entry.batch.clone(), first, count, payload })
            })
        })
        .collect()
    }

    pub(super) fn extend(&mut self, leases: &[Lease]) {
        for lease in leases {
            if let Some(holder) = self.key_held(lease).and_then(|key| self.holder(key)) {
                holder.since = Instant::now();
            }
        }
    }

    /// Queues what is given back as new entries, so that the old names mean nothing any more.
    pub(super) fn release(&mut self, leases: &[Lease]) {
        for lease in leases {
            if let Some(key) = self.key_held(lease)
                && let Some(entry) = self.work.remove(&key)
            {
                self.queue(key.0, entry.batch, entry.first);
            }
        }
    }

    pub(super) fn commit(&mut self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let Some(key) = self.key(&chunk.lease) else {
            return Ok(Committed::Refused);
        };
        self.work.remove(&key);
        self.row_mut(&chunk.batch)?.commit(chunk.first, outcome);
        self.complete_if_drained(&chunk.batch)?;
        Ok(Committed::Taken)
    }

    pub(super) fn next_complete(&self) -> Option<Batch> {
        Some(self.batches.get(self.complete.first()?)?.batch.clone())
    }

    pub(super) fn mark_written(&mut self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let row = self.row_mut(id)?;
        if row.batch.state != BatchState::Complete {
            return Ok(false);
        }
        row.mark_written(roll_sha256);
        self.complete.retain(|complete| complete != id);
        self.work.retain(|_, entry| entry.batch != *id);
        Ok(true)
    }

    fn key(&self, lease: &Lease) -> Option<Key> {
        self.work.keys().copied().find(|key| name(key) == lease.entry())
    }

    fn key_held(&self, lease: &Lease) -> Option<Key> {
        let key = self.key(lease)?;
        let holder = self.work.get(&key)?.holder.as_ref()?;
        (holder.worker == lease.worker).then_some(key)
    }

    fn holder(&mut self, key: Key) -> Option<&mut Holder> {
        self.work.get_mut(&key)?.holder.as_mut()
    }
}

/// The name of an entry in a lease.
fn name((_, number): &Key) -> String {
    number.to_string()
}
