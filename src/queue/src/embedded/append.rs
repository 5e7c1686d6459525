//! The steps that fill a batch: open and append.

use redb::ReadableTable;

use super::clock::{duration_ms, now_ms};
use super::fault::Fault;
use super::row::{BatchRow, Order};
use super::tables::{Tables, rank};
use crate::{Appended, Batch, BatchId, BatchOptions, BatchState, Error, NewChunk, Places, Result};

/// Opens a batch, or finds it.
pub(super) fn open(
    tables: &mut Tables<'_>,
    id: &BatchId,
    options: &BatchOptions,
) -> Result<Batch, Fault> {
    if let Some(row) = tables.find_batch(id)? {
        return Ok(row.batch);
    }
    let mut row = BatchRow {
        number: tables.number()?,
        batch: Batch {
            id: id.clone(),
            state: BatchState::Open,
            priority: options.priority,
            received: 0,
            kept: 0,
            dead: 0,
            roll_sha256: None,
        },
        order: None,
        seal_after_ms: options.seal_after.map(duration_ms),
        seal_at_ms: None,
        roll: None,
    };
    tables.ids.insert(row.number, id.as_str())?;
    postpone_seal(tables, &mut row)?;
    tables.save(&row)?;
    Ok(row.batch)
}

/// Appends a chunk, unless the batch has its records.
pub(super) fn append(
    tables: &mut Tables<'_>,
    id: &BatchId,
    chunk: &NewChunk,
) -> Result<Appended, Fault> {
    let mut row = tables.batch(id)?;
    let order = Order::from(&chunk.places);
    if row.order.is_some_and(|decided| decided != order) {
        return Err(Error::MixedPlaces(id.clone()).into());
    }
    if let Some(answer) = why_not(tables, &row, chunk)? {
        return Ok(answer);
    }

    let first = row.batch.received;
    tables.chunks.insert((row.number, first), chunk.payload.as_ref())?;
    if let Places::Each(places) = &chunk.places {
        for place in places {
            tables.places.insert((row.number, *place), ())?;
        }
    }
    tables.queue(rank(row.batch.priority), (row.number, first, chunk.count))?;
    row.order = Some(order);
    row.batch.received += u64::from(chunk.count);
    postpone_seal(tables, &mut row)?;
    tables.save(&row)?;
    Ok(Appended::Accepted)
}

/// What to answer instead of storing the chunk, if it is not the one that comes next.
fn why_not(
    tables: &Tables<'_>,
    row: &BatchRow,
    chunk: &NewChunk,
) -> Result<Option<Appended>, Fault> {
    let Batch { id, state, received, .. } = &row.batch;
    let received = *received;
    let sealed = || Error::Sealed { batch: id.clone(), received };
    let open = *state == BatchState::Open;
    match &chunk.places {
        Places::From(place) => {
            let is_there = place.saturating_add(u64::from(chunk.count)) <= received;
            if !open && !is_there {
                return Err(sealed().into());
            }
            if *place > received {
                return Err(Error::Gap { batch: id.clone(), received, place: *place }.into());
            }
            Ok((*place < received).then_some(Appended::Behind { received }))
        }
        Places::Each(places) => {
            let places_taken = taken(tables, row.number, places)?;
            if !open && places_taken.len() < places.len() {
                return Err(sealed().into());
            }
            Ok((!places_taken.is_empty()).then_some(Appended::Taken { places: places_taken }))
        }
    }
}

/// Those of the places that the batch has.
fn taken(tables: &Tables<'_>, number: u64, places: &[u64]) -> Result<Vec<u64>, Fault> {
    let mut taken = Vec::new();
    for place in places {
        if tables.places.get((number, *place))?.is_some() {
            taken.push(*place);
        }
    }
    Ok(taken)
}

/// Moves the time at which the batch is sealed by itself, if it is.
fn postpone_seal(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    let Some(seal_after_ms) = row.seal_after_ms else {
        return Ok(());
    };
    if let Some(earlier) = row.seal_at_ms {
        tables.deadlines.remove((earlier, row.number))?;
    }
    let seal_at_ms = now_ms().saturating_add(seal_after_ms);
    tables.deadlines.insert((seal_at_ms, row.number), ())?;
    row.seal_at_ms = Some(seal_at_ms);
    Ok(())
}
