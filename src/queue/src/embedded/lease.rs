//! Finding work, and letting a worker hold it. Nothing is written.
//!
//! Both functions keep the lock on the leases while they read. An entry is forgotten there after
//! the transaction that ends it is committed: one that nobody holds is waiting indeed.

use std::time::Duration;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadableDatabase, ReadableTable};

use super::Store;
use super::fault::Fault;
use super::leases::Leases;
use super::tables::{CHUNKS, Entry, IDS, Piece, ROLL_RANK, WAITING};
use crate::{Chunk, Lease, Result, Work, WorkerId};

/// Leases up to `max` entries that nobody holds.
///
/// Those that are held are at the front: what is skipped is bounded by what the workers hold.
pub(super) fn lease(store: &Store, worker: &WorkerId, max: usize) -> Result<Vec<Work>, Fault> {
    let mut leases = store.leases();
    let waiting = Waiting::open(store)?;
    let mut found = Vec::new();
    for row in waiting.pieces.iter()? {
        if found.len() == max {
            break;
        }
        let (entry, piece) = row?;
        let entry = entry.value();
        if !leases.is_held(entry) {
            found.push(waiting.work(entry, piece.value(), Leases::offer(entry, worker))?);
        }
    }
    hold(&mut leases, &found);
    Ok(found)
}

/// Leases up to `max` entries that others have not extended for `idle`.
pub(super) fn take_over(
    store: &Store,
    worker: &WorkerId,
    idle: Duration,
    max: usize,
) -> Result<Vec<Work>, Fault> {
    let mut leases = store.leases();
    let waiting = Waiting::open(store)?;
    let mut found = Vec::new();
    for (entry, lease) in leases.offer_idle(worker, idle, max) {
        // It is missing when a commit has just ended it.
        if let Some(piece) = waiting.pieces.get(entry)? {
            found.push(waiting.work(entry, piece.value(), lease)?);
        }
    }
    hold(&mut leases, &found);
    Ok(found)
}

fn hold(leases: &mut Leases, found: &[Work]) {
    for work in found {
        leases.hold(work.lease());
    }
}

/// The waiting entries and what belongs to them, at one moment.
struct Waiting {
    pieces: ReadOnlyTable<Entry, Piece>,
    ids: ReadOnlyTable<u64, &'static str>,
    chunks: ReadOnlyTable<(u64, u64), &'static [u8]>,
}

impl Waiting {
    fn open(store: &Store) -> Result<Self, Fault> {
        let transaction = store.database.begin_read()?;
        Ok(Self {
            pieces: transaction.open_table(WAITING)?,
            ids: transaction.open_table(IDS)?,
            chunks: transaction.open_table(CHUNKS)?,
        })
    }

    /// Reads a piece of work.
    fn work(&self, entry: Entry, piece: Piece, lease: Lease) -> Result<Work, Fault> {
        if entry.0 == ROLL_RANK {
            return Ok(Work::Roll(lease));
        }
        let (number, first, count) = piece;
        let missing = || Fault::corrupt(format!("batch number {number} lacks its chunk {first}"));
        let id = self.ids.get(number)?.ok_or_else(missing)?;
        let payload = self.chunks.get((number, first))?.ok_or_else(missing)?;
        Ok(Work::Chunk(Chunk {
            lease,
            batch: id.value().parse().map_err(|_| missing())?,
            first,
            count,
            payload: Bytes::copy_from_slice(payload.value()),
        }))
    }
}
