//! Finding work, and letting a worker hold it. Nothing is written.
//!
//! All functions keep the lock on the leases while they read. An entry is forgotten there after
//! the transaction that ends it is committed: one that nobody holds is waiting indeed.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadTransaction};

use super::controls;
use super::fault::Fault;
use super::leases::Leases;
use super::note::Note;
use super::store::Store;
use super::tables::{
    CHUNKS, Entry, IDS, ISOLATED_RANK, NOTES, Piece, ROLL_RANK, WAITING, age, missing_chunk,
    read_note,
};
use crate::{Chunk, Lease, Result, Work, WorkerId, metrics};

/// What any worker leases.
const LEASED: Range<u8> = ROLL_RANK..ISOLATED_RANK;
/// What is leased apart.
const ISOLATED: Range<u8> = ISOLATED_RANK..ISOLATED_RANK + 1;

/// A piece of work that was found, with its entry.
pub(super) type Found = (Entry, Work);

/// Leases up to `max` entries that nobody holds.
pub(super) fn lease(store: &Store, worker: &WorkerId, max: usize) -> Result<Vec<Found>, Fault> {
    let found = lease_of(store, LEASED, worker, max)?;
    for ((_, number), work) in &found {
        if let (Work::Chunk(_), Some(in_line)) = (work, age(*number)) {
            metrics::waited(in_line);
        }
    }
    Ok(found)
}

/// Leases up to `max` entries that nobody has extended for `idle`.
pub(super) fn take_over(
    store: &Store,
    worker: &WorkerId,
    idle: Duration,
    max: usize,
) -> Result<Vec<Found>, Fault> {
    take_over_of(store, LEASED, worker, idle, max)
}

/// Leases one isolated chunk: one that nobody has extended for `idle`, or one that nobody holds.
pub(super) fn lease_isolated(
    store: &Store,
    worker: &WorkerId,
    idle: Duration,
) -> Result<Vec<Found>, Fault> {
    let idle = take_over_of(store, ISOLATED, worker, idle, 1)?;
    if idle.is_empty() { lease_of(store, ISOLATED, worker, 1) } else { Ok(idle) }
}

/// Those that are held are at the front: what is skipped is bounded by what the workers hold.
fn lease_of(
    store: &Store,
    ranks: Range<u8>,
    worker: &WorkerId,
    max: usize,
) -> Result<Vec<Found>, Fault> {
    let mut leases = store.leases();
    store.reading(|transaction| {
        let ranks = given(transaction, ranks)?;
        let waiting = Waiting::open(transaction)?;
        let mut found = Vec::new();
        for row in waiting.pieces.range((ranks.start, 0)..(ranks.end, 0))? {
            if found.len() == max {
                break;
            }
            let (entry, piece) = row?;
            let entry = entry.value();
            if !leases.is_held(entry) {
                let lease = Leases::offer(entry, worker);
                let work = waiting.work(entry, piece.value(), lease, leases.lost(entry))?;
                found.push((entry, work));
            }
        }
        hold(&mut leases, &found);
        Ok(found)
    })
}

fn take_over_of(
    store: &Store,
    ranks: Range<u8>,
    worker: &WorkerId,
    idle: Duration,
    max: usize,
) -> Result<Vec<Found>, Fault> {
    let mut leases = store.leases();
    store.reading(|transaction| {
        let ranks = given(transaction, ranks)?;
        let waiting = Waiting::open(transaction)?;
        let mut found = Vec::new();
        for (entry, lease) in leases.offer_idle(ranks, worker, idle, max) {
            // It is missing when a commit has just ended it.
            if let Some(piece) = waiting.pieces.get(entry)? {
                let lost = leases.lost(entry) + 1;
                found.push((entry, waiting.work(entry, piece.value(), lease, lost)?));
            }
        }
        for (entry, _) in &found {
            leases.add_lost(*entry);
        }
        hold(&mut leases, &found);
        Ok(found)
    })
}

/// Those of the ranks that workers are given: of all of them rolls alone while the queue is paused.
fn given(transaction: &ReadTransaction, ranks: Range<u8>) -> Result<Range<u8>, Fault> {
    let paused = controls::get(transaction)?.paused;
    let end = if paused { ranks.end.min(ROLL_RANK + 1).max(ranks.start) } else { ranks.end };
    Ok(ranks.start..end)
}

fn hold(leases: &mut Leases, found: &[Found]) {
    for (_, work) in found {
        leases.hold(work.lease());
    }
}

/// The waiting entries and what belongs to them, at one moment.
struct Waiting {
    pieces: ReadOnlyTable<Entry, Piece>,
    ids: ReadOnlyTable<u64, &'static str>,
    chunks: ReadOnlyTable<(u64, u64), &'static [u8]>,
    notes: ReadOnlyTable<(u64, u64), &'static [u8]>,
}

impl Waiting {
    fn open(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self {
            pieces: transaction.open_table(WAITING)?,
            ids: transaction.open_table(IDS)?,
            chunks: transaction.open_table(CHUNKS)?,
            notes: transaction.open_table(NOTES)?,
        })
    }

    /// Reads a piece of work that was taken over so often.
    fn work(&self, entry: Entry, piece: Piece, lease: Lease, lost: u32) -> Result<Work, Fault> {
        let (rank, _) = entry;
        if rank == ROLL_RANK {
            return Ok(Work::Roll(lease));
        }
        let (number, first, count) = piece;
        let missing = || missing_chunk(number, first);
        let id = self.ids.get(number)?.ok_or_else(missing)?;
        let payload = self.chunks.get((number, first))?.ok_or_else(missing)?;
        let note: Note = read_note(&self.notes, number, first)?;
        Ok(Work::Chunk(Chunk {
            lease,
            batch: id.value().parse().map_err(|_| missing())?,
            first,
            count,
            payload: Bytes::copy_from_slice(payload.value()),
            lost: note.lost + lost,
            history: note.history(rank == ISOLATED_RANK),
            trace: note.trace,
        }))
    }
}
