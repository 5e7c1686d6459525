//! The steps that fill a batch: open and append.

use muster_content::RecordHash;
use redb::ReadableTable;

use super::clock::now_ms;
use super::fault::Fault;
use super::note::Note;
use super::row::{BatchRow, Order};
use super::states;
use super::tables::{Tables, all_of, rank};
use crate::{
    Appended, Batch, BatchId, BatchOptions, BatchState, Checkpoint, Error, Limits, NewChunk,
    Places, Result, Totals,
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

    note_content(tables, &mut row, chunks)?;
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
        Places::From { first: place, before, .. } => {
            if *place == received {
                row.batch.check_digest(Some(*before))?;
            }
            let is_there = place.saturating_add(records) <= received;
            if !open && !is_there {
                return Err(sealed().into());
            }
            if *place > received {
                return Err(Error::Gap { batch: id.clone(), received, place: *place }.into());
            }
            Ok((*place < received).then_some(Appended::Behind { received }))
        }
        Places::Each(records) => {
            let (same, different) = taken(tables, row.number, records)?;
            let taken = same.len() + different.len();
            if !open && taken < records.len() {
                return Err(sealed().into());
            }
            Ok((taken > 0).then_some(Appended::Taken { same, different }))
        }
    }
}

/// The indices at which the batch has the same record, and those at which it has a different one.
fn taken(
    tables: &Tables<'_>,
    number: u64,
    records: &[(u64, RecordHash)],
) -> Result<(Vec<u64>, Vec<u64>), Fault> {
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for (index, hash) in records {
        match tables.hashes.get((number, *index))?.map(|stored| stored.value()) {
            Some(stored) if stored == hash.short() => same.push(*index),
            Some(_) => different.push(*index),
            // An earlier version kept no hashes.
            None if tables.places.get((number, *index))?.is_some() => same.push(*index),
            None => {}
        }
    }
    Ok((same, different))
}

/// Notes what identifies the records of these chunks, which are appended.
fn note_content(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    chunks: &[NewChunk],
) -> Result<(), Fault> {
    let is_known = row.batch.received == 0 || row.batch.digest.is_some();
    for chunk in chunks {
        match &chunk.places {
            Places::Each(records) => {
                for (index, hash) in records {
                    tables.hashes.insert((row.number, *index), hash.short())?;
                }
            }
            Places::From { first, after, .. } if is_known => {
                row.batch.digest = Some(*after);
                let last = tables.checkpoints.range(all_of(row.number))?.next_back().transpose()?;
                let last = last.map_or(0, |(key, _)| key.value().1);
                let records = first + u64::from(chunk.count);
                if let Some(due) = Checkpoint::due(last, records, *after) {
                    tables.checkpoints.insert((row.number, due.records), due.digest)?;
                }
            }
            Places::From { .. } => {}
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use muster_content::ContentDigest;

    use super::super::complete;
    use super::super::store::Store;
    use super::*;

    fn send(tables: &mut Tables<'_>, id: &BatchId, places: &Places) -> Appended {
        let payload = Bytes::from_static(b"record");
        let chunk = NewChunk { places: places.clone(), count: 1, payload, trace: None };
        append(tables, id, places, &[chunk], Limits::default()).unwrap()
    }

    #[test]
    fn batch_that_an_earlier_version_received_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("file:test", &folder.path().join("queue.redb")).unwrap();
        let transaction = store.begin_write().unwrap();
        let tables = &mut Tables::open(&transaction).unwrap();
        let [single, stream] = ["single", "stream"].map(|id| id.parse().unwrap());
        for id in [&single, &stream] {
            open(tables, id, &BatchOptions::default()).unwrap();
        }

        let hash = RecordHash::of(b"record");
        send(tables, &single, &Places::Each(vec![(7, hash)]));
        let number = tables.batch(&single).unwrap().number;
        tables.hashes.remove((number, 7)).unwrap();
        tables.places.insert((number, 7), ()).unwrap();
        let both = Places::Each(vec![(7, RecordHash::of(b"other")), (8, hash)]);
        let taken = Appended::Taken { same: vec![7], different: vec![] };
        assert_eq!(send(tables, &single, &both), taken);
        assert_eq!(send(tables, &single, &Places::Each(vec![(8, hash)])), Appended::Accepted);

        let (before, after) = (ContentDigest::EMPTY, ContentDigest::EMPTY.then(hash));
        send(tables, &stream, &Places::From { first: 0, before, after });
        let mut row = tables.batch(&stream).unwrap();
        row.batch.digest = None;
        tables.save(&row).unwrap();
        let next = Places::From { first: 1, before, after };
        assert_eq!(send(tables, &stream, &next), Appended::Accepted);
        assert_eq!(tables.batch(&stream).unwrap().batch.digest, None);
        assert_eq!(complete::seal(tables, &stream, Some(2), Some(after)).unwrap().received, 2);
    }
}
