//! The steps that finish a batch: seal and commit, either of which may complete it.

use redb::ReadableTable;

use super::Store;
use super::clock::now_ms;
use super::fault::Fault;
use super::row::BatchRow;
use super::tables::{ROLL_RANK, Tables};
use crate::{Batch, BatchId, BatchState, Committed, Error, Lease, Outcome, Output, Result};

/// Seals a batch.
pub(super) fn seal(
    tables: &mut Tables<'_>,
    id: &BatchId,
    records: Option<u64>,
) -> Result<Batch, Fault> {
    let mut row = tables.batch(id)?;
    let received = row.batch.received;
    if let Some(claimed) = records
        && claimed != received
    {
        return Err(Error::Miscounted { batch: id.clone(), received, claimed }.into());
    }
    if row.batch.state == BatchState::Open {
        seal_row(tables, &mut row)?;
    }
    Ok(row.batch)
}

/// Seals the batches whose deadline has passed.
pub(super) fn seal_overdue(tables: &mut Tables<'_>, limit: usize) -> Result<usize, Fault> {
    let overdue: Vec<u64> = tables
        .deadlines
        .range(..=(now_ms(), u64::MAX))?
        .take(limit)
        .map(|deadline| deadline.map(|(key, _)| key.value().1))
        .collect::<Result<_, _>>()?;
    for number in &overdue {
        let mut row = tables.numbered_batch(*number)?;
        seal_row(tables, &mut row)?;
    }
    Ok(overdue.len())
}

fn seal_row(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    row.batch.state = BatchState::Sealed;
    if let Some(seal_at_ms) = row.seal_at_ms.take() {
        tables.deadlines.remove((seal_at_ms, row.number))?;
    }
    complete_if_drained(tables, row)?;
    tables.save(row)
}

/// Stores the outcome of a chunk, if its lease has not ended.
pub(super) fn commit(
    tables: &mut Tables<'_>,
    store: &Store,
    lease: &Lease,
    outcome: &Outcome,
) -> Result<Committed, Fault> {
    let Some(entry) = store.leases().entry(lease) else {
        return Ok(Committed::Refused);
    };
    // An earlier step of this transaction may have ended the entry.
    let Some(piece) = tables.waiting.get(entry)?.map(|piece| piece.value()) else {
        return Ok(Committed::Refused);
    };
    let (number, first, count) = piece;
    let mut row = tables.numbered_batch(number)?;

    if let Output::Rewritten(payload) = &outcome.output {
        tables.chunks.insert((number, first), payload.as_ref())?;
    }
    tables.results.insert((number, first), count)?;
    for letter in &outcome.dead {
        tables.dead.insert((number, letter.place), letter.to_stored().as_slice())?;
    }
    tables.end(entry)?;
    let dead = outcome.dead.len() as u64;
    row.batch.dead += dead;
    row.batch.kept += u64::from(count).saturating_sub(dead);
    complete_if_drained(tables, &mut row)?;
    tables.save(&row)?;
    Ok(Committed::Taken)
}

/// Completes a sealed batch in which nothing is left to do, and queues its roll.
fn complete_if_drained(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    if row.batch.state == BatchState::Sealed && row.batch.is_drained() {
        row.batch.state = BatchState::Complete;
        row.roll = Some(tables.queue(ROLL_RANK, (row.number, 0, 0))?);
    }
    Ok(())
}
