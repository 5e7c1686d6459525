//! Reading batches and results.

use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata as _};

use super::clock::now_ms;
use super::controls;
use super::fault::Fault;
use super::tables::{
    BATCHES, CHECKPOINTS, CHUNKS, DEADLINES, DELAYED, DEPTH, Entry, HASHES, HELD, IDS,
    ISOLATED_RANK, LETTERS, LINES, Piece, RESULTS, ROLL_RANK, TOTALS, WAITING, age, all_of, rank,
    read_batch, read_depth, read_totals,
};
use crate::{
    Batch, BatchId, Checkpoint, Depth, Indexed, Line, Priority, Result, ResultChunk, Stats,
    Unwritten,
};

/// A batch, if there is one of this id.
pub(super) fn batch(store: &ReadTransaction, id: &BatchId) -> Result<Option<Batch>, Fault> {
    let row = read_batch(&store.open_table(BATCHES)?, id.as_str())?;
    Ok(row.map(|row| row.batch))
}

/// The checkpoints of a batch.
pub(super) fn checkpoints(store: &ReadTransaction, id: &BatchId) -> Result<Vec<Checkpoint>, Fault> {
    let Some(row) = read_batch(&store.open_table(BATCHES)?, id.as_str())? else {
        return Ok(Vec::new());
    };
    let checkpoints = store.open_table(CHECKPOINTS)?;
    let checkpoints = checkpoints.range(all_of(row.number))?.map(|stored| {
        let (key, digest) = stored?;
        Ok(Checkpoint { records: key.value().1, digest: digest.value() })
    });
    checkpoints.collect()
}

/// The digest of a batch's records that have their own indices.
pub(super) fn indexed(store: &ReadTransaction, id: &BatchId) -> Result<Indexed, Fault> {
    let mut indexed = Indexed::default();
    let Some(row) = read_batch(&store.open_table(BATCHES)?, id.as_str())? else {
        return Ok(indexed);
    };
    for stored in store.open_table(HASHES)?.range(all_of(row.number))? {
        let (key, hash) = stored?;
        indexed.add(key.value().1, hash.value());
    }
    Ok(indexed)
}

/// The batches whose rolls have waited longest.
pub(super) fn next_complete(store: &ReadTransaction, limit: usize) -> Result<Vec<Batch>, Fault> {
    let (waiting, ids) = (store.open_table(WAITING)?, store.open_table(IDS)?);
    let batches = store.open_table(BATCHES)?;
    let mut complete = Vec::new();
    for roll in waiting.range((ROLL_RANK, 0)..(ROLL_RANK + 1, 0))?.take(limit) {
        let (number, ..) = roll?.1.value();
        let missing = || Fault::corrupt(format!("batch number {number} is missing"));
        let id = ids.get(number)?.ok_or_else(missing)?;
        let row = read_batch(&batches, id.value())?.ok_or_else(missing)?;
        complete.push(row.batch);
    }
    Ok(complete)
}

/// Whether the deadline of a batch has passed.
pub(super) fn is_any_overdue(store: &ReadTransaction) -> Result<bool, Fault> {
    let deadlines = store.open_table(DEADLINES)?;
    let earliest = deadlines.first()?;
    Ok(earliest.is_some_and(|(key, _)| key.value().0 <= now_ms()))
}

/// The committed chunks from `first` on, without a gap, that fit in `bytes_max`.
pub(super) fn results(
    store: &ReadTransaction,
    id: &BatchId,
    first: u64,
    bytes_max: usize,
) -> Result<Vec<ResultChunk>, Fault> {
    let Some(row) = read_batch(&store.open_table(BATCHES)?, id.as_str())? else {
        return Ok(Vec::new());
    };
    let committed = store.open_table(RESULTS)?;
    let chunks = store.open_table(CHUNKS)?;
    let mut found = Vec::new();
    let (mut next, mut bytes) = (first, 0);
    for result in committed.range((row.number, first)..=(row.number, u64::MAX))? {
        let (key, count) = result?;
        if key.value().1 != next {
            break;
        }
        let payload = chunks
            .get(key.value())?
            .ok_or_else(|| Fault::corrupt(format!("batch {id} lacks its chunk {next}")))?;
        bytes += payload.value().len();
        if bytes > bytes_max && !found.is_empty() {
            break;
        }
        let payload = Bytes::copy_from_slice(payload.value());
        found.push(ResultChunk { first: next, count: count.value(), payload });
        next += u64::from(count.value());
    }
    Ok(found)
}

/// How much waits.
pub(super) fn depth(store: &ReadTransaction) -> Result<Depth, Fault> {
    read_depth(&store.open_table(DEPTH)?, ())
}

/// What waits, line by line, how much is done, and what is set; who holds what is in no table.
pub(super) fn stats(store: &ReadTransaction) -> Result<Stats, Fault> {
    let (lines, waiting) = (store.open_table(LINES)?, store.open_table(WAITING)?);
    let line = |rank: u8| -> Result<Line, Fault> {
        let oldest = waiting.range((rank, 0)..(rank + 1, 0))?.next().transpose()?;
        let oldest = oldest.map(|(entry, _)| age(entry.value().1).unwrap_or_default());
        Ok(Line { depth: read_depth(&lines, rank)?, oldest })
    };
    Ok(Stats {
        high: line(rank(Priority::High))?,
        normal: line(rank(Priority::Normal))?,
        low: line(rank(Priority::Low))?,
        isolated: line(ISOLATED_RANK)?,
        dead_letters: store.open_table(LETTERS)?.len()?,
        leased: 0,
        unwritten: unwritten(&waiting)?,
        held: store.open_table(HELD)?.len()?,
        totals: read_totals(&store.open_table(TOTALS)?)?,
        controls: controls::get(store)?,
    })
}

/// The rolls that wait: one for each complete batch.
fn unwritten(waiting: &impl ReadableTable<Entry, Piece>) -> Result<Unwritten, Fault> {
    let mut rolls = waiting.range((ROLL_RANK, 0)..(ROLL_RANK + 1, 0))?;
    let Some(first) = rolls.next().transpose()? else { return Ok(Unwritten::default()) };
    let oldest = Some(age(first.0.value().1).unwrap_or_default());
    Ok(Unwritten { batches: 1 + rolls.count() as u64, oldest })
}

/// When the next chunk that waits for its time may be leased, in milliseconds since 1970.
pub(super) fn next_due_ms(store: &ReadTransaction) -> Result<Option<u64>, Fault> {
    let delayed = store.open_table(DELAYED)?;
    let first = delayed.first()?;
    Ok(first.map(|(key, _)| key.value().0))
}
