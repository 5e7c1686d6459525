//! The steps that fill a batch: open and append.

use redb::ReadableTable;

use super::clock::now_ms;
use super::fault::Fault;
use super::note::Note;
use super::row::{BatchRow, Order};
use super::states;
use super::tables::{Tables, rank};
use crate::{
    Appended, Batch, BatchId, BatchOptions, BatchState, Error, Limits, NewChunk, Places, Result,
    Totals,
};

/// Opens a batch, or finds it. Either way its deadline, while it is open, is put off.
pub(super) fn open(
    tables: &mut Tables<'_>,
    id: &BatchId,
    options: &BatchOptions,
) -> Result<Batch, Fault> {
    let mut row = match tables.find_batch(id)? {
        Some(row) => row,
        None => {
            let mut row =
                BatchRow::opened(tables.number()?, Batch::opened(id.clone(), options), options);
            states::begin(tables, &mut row)?;
            tables.ids.insert(row.number, id.as_str())?;
            row
        }
    };
    if row.batch.state == BatchState::Open {
        put_deadline_off(tables, &mut row)?;
        tables.save(&row)?;
    }
    Ok(row.batch)
}

/// Appends chunks, unless the batch has one of their records. `places` are those of all of them.
pub(super) fn append(
    tables: &mut Tables<'_>,
    id: &BatchId,
    places: &Places,
    chunks: &[NewChunk],
    limits: Limits,
) -> Result<Appended, Fault> {
    let mut row = tables.batch(id)?;
    if row.batch.state == BatchState::Aborted {
        return Err(Error::Aborted(id.clone()).into());
    }
    let order = Order::from(places);
    if row.order.is_some_and(|decided| decided != order) {
        return Err(Error::MixedPlaces(id.clone()).into());
    }
    let records = chunks.iter().map(|chunk| u64::from(chunk.count)).sum();
    if let Some(answer) = why_not(tables, &row, places, records)? {
        return Ok(answer);
    }
    let depth = tables.depth()?;
    if limits.are_reached(depth) {
        return Err(Error::Full { records: depth.records, bytes: depth.bytes }.into());
    }

    let rank = rank(row.batch.priority);
    for chunk in chunks {
        let piece = (row.number, row.batch.received, chunk.count);
        tables.add_chunk(rank, piece, &chunk.payload, &Note::new(chunk.trace.clone()))?;
        tables.queue(rank, piece)?;
        row.batch.received += u64::from(chunk.count);
        row.batch.chunks += 1;
        if row.batch.trace.is_none() {
            row.batch.trace.clone_from(&chunk.trace);
        }
    }
    if let Places::Each(places) = places {
        for place in places {
            tables.places.insert((row.number, *place), ())?;
        }
    }
    row.order = Some(order);
    tables.count_totals(Totals { accepted: records, ..Totals::default() })?;
    put_deadline_off(tables, &mut row)?;
    tables.save(&row)?;
    Ok(Appended::Accepted)
}

/// What to answer instead of storing these records, if they are not those that come next.
fn why_not(
    tables: &Tables<'_>,
    row: &BatchRow,
    places: &Places,
    records: u64,
) -> Result<Option<Appended>, Fault> {
    let Batch { id, state, received, .. } = &row.batch;
    let received = *received;
    let sealed = || Error::Sealed { batch: id.clone(), received };
    let open = *state == BatchState::Open;
    match places {
        Places::From(place) => {
            let is_there = place.saturating_add(records) <= received;
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

/// Moves the time at which the batch ends by itself, if it does.
fn put_deadline_off(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    let Some(deadline) = row.deadline else {
        return Ok(());
    };
    if let Some(earlier) = row.ends_at_ms {
        tables.deadlines.remove((earlier, row.number))?;
    }
    let ends_at_ms = now_ms().saturating_add(deadline.after_ms);
    tables.deadlines.insert((ends_at_ms, row.number), ())?;
    row.ends_at_ms = Some(ends_at_ms);
    Ok(())
}
