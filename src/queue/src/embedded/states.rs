//! How a batch comes from one state to the next, and the lists that it is in.

use std::ops::Bound;

use redb::ReadTransaction;

use super::clock::now_ms;
use super::fault::Fault;
use super::row::BatchRow;
use super::tables::{BATCHES, LISTS, Tables, read_batch};
use crate::millis::from_millis;
use crate::{Batch, BatchCursor, BatchState, Result};

/// The list of all batches.
const ALL: u8 = 0;

/// The list of the batches in a state.
fn list_of(state: BatchState) -> u8 {
    match state {
        BatchState::Open => 1,
        BatchState::Sealed => 2,
        BatchState::Complete => 3,
        BatchState::Written => 4,
        BatchState::Aborted => 5,
    }
}

/// Notes that a batch is new, and open.
pub(super) fn begin(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    row.batch.times.enter(BatchState::Open, from_millis(now_ms()));
    list(tables, row, ALL)?;
    list(tables, row, list_of(BatchState::Open))
}

/// Brings a batch to a state, from the one that it is in.
pub(super) fn enter(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    state: BatchState,
) -> Result<(), Fault> {
    unlist(tables, row, list_of(row.batch.state))?;
    row.batch.state = state;
    row.batch.times.enter(state, from_millis(now_ms()));
    list(tables, row, list_of(state))
}

/// Takes a batch that is forgotten off its lists.
pub(super) fn end(tables: &mut Tables<'_>, row: &BatchRow) -> Result<(), Fault> {
    unlist(tables, row, ALL)?;
    unlist(tables, row, list_of(row.batch.state))
}

fn list(tables: &mut Tables<'_>, row: &BatchRow, list: u8) -> Result<(), Fault> {
    if let Some(BatchCursor { opened_ms, id }) = row.batch.cursor() {
        tables.lists.insert((list, opened_ms, id.as_str()), ())?;
    }
    Ok(())
}

fn unlist(tables: &mut Tables<'_>, row: &BatchRow, list: u8) -> Result<(), Fault> {
    if let Some(BatchCursor { opened_ms, id }) = row.batch.cursor() {
        tables.lists.remove((list, opened_ms, id.as_str()))?;
    }
    Ok(())
}

/// The batches behind one, the one that was opened last first.
pub(super) fn batches(
    store: &ReadTransaction,
    state: Option<BatchState>,
    after: Option<&BatchCursor>,
    limit: usize,
) -> Result<Vec<Batch>, Fault> {
    let (lists, batches) = (store.open_table(LISTS)?, store.open_table(BATCHES)?);
    let list = state.map_or(ALL, list_of);
    let end = match after {
        Some(after) => (list, after.opened_ms, after.id.as_str()),
        None => (list + 1, 0, ""),
    };
    let bounds = (Bound::Included((list, 0, "")), Bound::Excluded(end));
    let found = lists.range::<(u8, u64, &str)>(bounds)?.rev().take(limit).map(|listed| {
        let key = listed?.0;
        let (_, _, id) = key.value();
        let row = read_batch(&batches, id)?;
        Ok(row.ok_or_else(|| Fault::corrupt(format!("batch {id} is missing")))?.batch)
    });
    found.collect()
}
