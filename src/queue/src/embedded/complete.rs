//! The steps that finish a batch: seal, abort, the deadline, and commit, which may complete it.

use muster_content::ContentDigest;
use redb::ReadableTable;

use super::clock::now_ms;
use super::fault::Fault;
use super::letters;
use super::note::Note;
use super::row::{BatchRow, Order};
use super::states;
use super::store::Store;
use super::tables::{ISOLATED_RANK, Piece, ROLL_RANK, Tables, keys_of, rank};
use crate::millis::duration_ms;
use crate::{
    Batch, BatchId, BatchState, Committed, Ending, Error, Kept, Lease, Outcome, Result, Retry,
    Totals,
};

/// Seals a batch.
pub(super) fn seal(
    tables: &mut Tables<'_>,
    id: &BatchId,
    records: Option<u64>,
    digest: Option<ContentDigest>,
) -> Result<Batch, Fault> {
    let mut row = tables.batch(id)?;
    if row.batch.state == BatchState::Aborted {
        return Err(Error::Aborted(id.clone()).into());
    }
    let received = row.batch.received;
    if let Some(claimed) = records
        && claimed != received
    {
        return Err(Error::Miscounted { batch: id.clone(), received, claimed }.into());
    }
    if digest.is_some() && row.order == Some(Order::Each) {
        return Err(Error::MixedPlaces(id.clone()).into());
    }
    row.batch.check_digest(digest)?;
    if row.batch.state == BatchState::Open {
        seal_row(tables, &mut row)?;
        tables.save(&row)?;
    }
    Ok(row.batch)
}

/// Discards a batch.
pub(super) fn abort(tables: &mut Tables<'_>, id: &BatchId) -> Result<Batch, Fault> {
    let mut row = tables.batch(id)?;
    match row.batch.state {
        BatchState::Complete | BatchState::Written => Err(Error::Complete(id.clone()).into()),
        BatchState::Aborted => Ok(row.batch),
        BatchState::Open | BatchState::Sealed => {
            abort_row(tables, &mut row)?;
            tables.save(&row)?;
            Ok(row.batch)
        }
    }
}

/// Ends the batches whose deadline has passed.
pub(super) fn end_overdue(tables: &mut Tables<'_>, limit: usize) -> Result<Vec<Batch>, Fault> {
    let overdue: Vec<(u64, u64)> = tables
        .deadlines
        .range(..=(now_ms(), u64::MAX))?
        .take(limit)
        .map(|deadline| deadline.map(|(key, _)| key.value()))
        .collect::<Result<_, _>>()?;
    let mut ended = Vec::with_capacity(overdue.len());
    for key in overdue {
        let Some(mut row) = tables.numbered_batch(key.1)? else {
            tables.deadlines.remove(key)?;
            continue;
        };
        match row.deadline.map(|deadline| deadline.then) {
            Some(Ending::Abort) => abort_row(tables, &mut row)?,
            Some(Ending::Seal) | None => seal_row(tables, &mut row)?,
        }
        row.batch.overdue = true;
        tables.save(&row)?;
        ended.push(row.batch);
    }
    Ok(ended)
}

fn seal_row(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    states::enter(tables, row, BatchState::Sealed)?;
    drop_deadline(tables, row)?;
    complete_if_done(tables, row)
}

/// Discards what a batch has. Its chunks that wait, or are leased, stay until they are committed.
fn abort_row(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    drop_deadline(tables, row)?;
    let number = row.number;
    for key in keys_of(&tables.results, number)? {
        tables.results.remove(key)?;
        tables.chunks.remove(key)?;
    }
    letters::remove_all(tables, row)?;
    tables.remove_content(number)?;
    states::enter(tables, row, BatchState::Aborted)?;
    let batch = &mut row.batch;
    (batch.retrying, batch.kept, batch.dead) = (0, 0, 0);
    (batch.dropped, batch.replayed, batch.chunks_committed) = (0, 0, 0);
    tables.resolved.insert((now_ms(), number), ())?;
    Ok(())
}

fn drop_deadline(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    if let Some(ends_at_ms) = row.ends_at_ms.take() {
        tables.deadlines.remove((ends_at_ms, row.number))?;
    }
    Ok(())
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
    tables.end(entry)?;
    let note = tables.end_chunk(entry.0, piece)?;
    let (number, first, count) = piece;
    let row = tables.numbered_batch(number)?;
    let Some(mut row) = row.filter(|row| row.batch.state != BatchState::Aborted) else {
        tables.chunks.remove((number, first))?;
        return Ok(Committed::Refused);
    };

    let kept_before = row.batch.kept;
    match &outcome.kept {
        // The payload stays where it is.
        Kept::AsSent => add_result(tables, &mut row, piece)?,
        Kept::Runs(runs) => {
            tables.chunks.remove((number, first))?;
            for run in runs {
                tables.chunks.insert((number, run.first), &run.payload[..])?;
                add_result(tables, &mut row, (number, run.first, run.count))?;
            }
        }
    }
    for letter in &outcome.dead {
        letters::add(tables, &mut row, letter)?;
    }
    for retry in &outcome.retry {
        add_retry(tables, &mut row, retry, note.trace.clone())?;
    }
    if note.is_retry {
        row.batch.retrying = row.batch.retrying.saturating_sub(u64::from(count));
    }
    row.batch.chunks_committed += 1;
    let (kept, dead) = (row.batch.kept - kept_before, outcome.dead.len() as u64);
    tables.count_totals(Totals { accepted: 0, kept, dead })?;
    complete_if_done(tables, &mut row)?;
    tables.save(&row)?;
    Ok(Committed::Taken)
}

fn add_result(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    (number, first, count): Piece,
) -> Result<(), Fault> {
    tables.results.insert((number, first), count)?;
    row.batch.kept += u64::from(count);
    Ok(())
}

fn add_retry(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    retry: &Retry,
    trace: Option<String>,
) -> Result<(), Fault> {
    let piece = (row.number, retry.place, 1);
    let isolated = retry.history.isolated;
    let rank = if isolated { ISOLATED_RANK } else { rank(row.batch.priority) };
    tables.add_chunk(rank, piece, &retry.payload, &Note::of_retry(retry, trace))?;
    if isolated || retry.after.is_zero() {
        tables.queue(rank, piece)?;
    } else {
        let due_ms = now_ms().saturating_add(duration_ms(retry.after));
        let sequence = tables.number()?;
        tables.delayed.insert((due_ms, sequence), (rank, piece))?;
    }
    row.batch.retrying += 1;
    Ok(())
}

/// Lets chunks wait whose time has come, up to `limit`.
pub(super) fn promote(tables: &mut Tables<'_>, limit: usize) -> Result<(), Fault> {
    let due: Vec<((u64, u64), (u8, Piece))> = tables
        .delayed
        .range(..=(now_ms(), u64::MAX))?
        .take(limit)
        .map(|due| due.map(|(key, waiting)| (key.value(), waiting.value())))
        .collect::<Result<_, _>>()?;
    for (key, (rank, piece)) in due {
        tables.delayed.remove(key)?;
        tables.queue(rank, piece)?;
    }
    Ok(())
}

/// Completes a sealed batch in which nothing is left to do, and queues its roll.
pub(super) fn complete_if_done(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    if row.batch.state == BatchState::Sealed && row.batch.may_complete() {
        states::enter(tables, row, BatchState::Complete)?;
        row.roll = Some(tables.queue(ROLL_RANK, (row.number, 0, 0))?);
    }
    Ok(())
}
