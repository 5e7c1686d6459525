//! The steps of dead letters.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable};

use super::clock::now_ms;
use super::complete::complete_if_done;
use super::fault::Fault;
use super::note::Note;
use super::row::BatchRow;
use super::states;
use super::tables::{BATCHES, DEAD, GROUPS, LETTERS, Tables, keys_of, rank, read_batch};
use crate::{
    Batch, BatchId, BatchOptions, BatchState, DeadGroup, DeadLetter, LETTERS_BYTES_MAX, LetterId,
    Replay, Replayed, Result,
};

/// Adds a letter to its batch, with an empty result in its place.
pub(super) fn add(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    letter: &DeadLetter,
) -> Result<(), Fault> {
    let key = (row.number, letter.place);
    tables.chunks.insert(key, [].as_slice())?;
    tables.results.insert(key, 1)?;
    tables.dead.insert(key, letter.to_stored().as_slice())?;
    let group = letter.group();
    tables.letters.insert((group.as_str(), row.batch.id.as_str(), letter.place), ())?;
    let letters = tables.groups.get(group.as_str())?.map_or(0, |letters| letters.value());
    tables.groups.insert(group.as_str(), letters + 1)?;
    row.batch.dead += 1;
    Ok(())
}

/// Takes a letter out of its batch, if there is one at this place. Its result stays.
fn take(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    place: u64,
) -> Result<Option<DeadLetter>, Fault> {
    let stored = tables.dead.remove((row.number, place))?.map(|stored| stored.value().to_vec());
    let Some(stored) = stored else {
        return Ok(None);
    };
    let letter = read(&row.batch.id, place, &stored)?;
    let group = letter.group();
    tables.letters.remove((group.as_str(), row.batch.id.as_str(), place))?;
    let letters = tables.groups.get(group.as_str())?.map_or(0, |letters| letters.value());
    if letters > 1 {
        tables.groups.insert(group.as_str(), letters - 1)?;
    } else {
        tables.groups.remove(group.as_str())?;
    }
    row.batch.dead = row.batch.dead.saturating_sub(1);
    Ok(Some(letter))
}

/// Takes all letters out of a batch.
pub(super) fn remove_all(tables: &mut Tables<'_>, row: &mut BatchRow) -> Result<(), Fault> {
    for (_, place) in keys_of(&tables.dead, row.number)? {
        take(tables, row, place)?;
    }
    Ok(())
}

/// Lets letters be processed anew.
pub(super) fn replay(
    tables: &mut Tables<'_>,
    id: &BatchId,
    letters: &[Replay],
) -> Result<Replayed, Fault> {
    let mut row = tables.batch(id)?;
    match row.batch.state {
        BatchState::Open | BatchState::Sealed => replay_in_place(tables, &mut row, letters),
        BatchState::Complete | BatchState::Written => replay_apart(tables, &mut row, letters),
        BatchState::Aborted => Ok(Replayed { into: id.clone(), letters: 0 }),
    }
}

fn replay_in_place(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    letters: &[Replay],
) -> Result<Replayed, Fault> {
    let rank = rank(row.batch.priority);
    let mut replayed = 0;
    for Replay { place, payload } in letters {
        let Some(letter) = take(tables, row, *place)? else { continue };
        tables.results.remove((row.number, *place))?;
        let note = Note { is_retry: true, ..Note::new(letter.trace) };
        let piece = (row.number, *place, 1);
        tables.add_chunk(rank, piece, payload, &note)?;
        tables.queue(rank, piece)?;
        row.batch.retrying += 1;
        replayed += 1;
    }
    tables.save(row)?;
    Ok(Replayed { into: row.batch.id.clone(), letters: replayed })
}

fn replay_apart(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
    letters: &[Replay],
) -> Result<Replayed, Fault> {
    let Batch { priority, policy, .. } = row.batch;
    let rank = rank(priority);
    let options = BatchOptions { priority, policy, deadline: None };
    let into = BatchId::random("replay");
    let number = tables.number()?;
    let mut new = BatchRow::opened(number, Batch::opened(into.clone(), &options), &options);
    for Replay { place, payload } in letters {
        let Some(letter) = take(tables, row, *place)? else { continue };
        let piece = (number, new.batch.received, 1);
        if new.batch.trace.is_none() {
            new.batch.trace.clone_from(&letter.trace);
        }
        tables.add_chunk(rank, piece, payload, &Note::new(letter.trace))?;
        tables.queue(rank, piece)?;
        new.batch.received += 1;
        new.batch.chunks += 1;
        row.batch.replayed += 1;
    }
    let letters = new.batch.received;
    if letters == 0 {
        return Ok(Replayed { into: row.batch.id.clone(), letters });
    }
    states::begin(tables, &mut new)?;
    states::enter(tables, &mut new, BatchState::Sealed)?;
    tables.ids.insert(number, into.as_str())?;
    tables.save(&new)?;
    forget_later_if_resolved(tables, row)?;
    tables.save(row)?;
    Ok(Replayed { into, letters })
}

/// Drops letters for good. Returns how many there were.
pub(super) fn drop_letters(
    tables: &mut Tables<'_>,
    id: &BatchId,
    places: &[u64],
) -> Result<u64, Fault> {
    let mut row = tables.batch(id)?;
    let mut dropped = 0;
    for place in places {
        if take(tables, &mut row, *place)?.is_some() {
            dropped += 1;
        }
    }
    if dropped > 0 {
        row.batch.dropped += dropped;
        complete_if_done(tables, &mut row)?;
        forget_later_if_resolved(tables, &mut row)?;
        tables.save(&row)?;
    }
    Ok(dropped)
}

/// Lets a written batch that has no dead letters be forgotten some time from now.
pub(super) fn forget_later_if_resolved(
    tables: &mut Tables<'_>,
    row: &mut BatchRow,
) -> Result<(), Fault> {
    if row.batch.state == BatchState::Written && row.batch.dead == 0 {
        tables.resolved.insert((now_ms(), row.number), ())?;
    }
    Ok(())
}

/// The dead letters of a batch from a place on.
pub(super) fn of_batch(
    store: &ReadTransaction,
    id: &BatchId,
    from_place: u64,
    limit: usize,
) -> Result<Vec<DeadLetter>, Fault> {
    let Some(row) = read_batch(&store.open_table(BATCHES)?, id.as_str())? else {
        return Ok(Vec::new());
    };
    let dead = store.open_table(DEAD)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    for letter in dead.range((row.number, from_place)..=(row.number, u64::MAX))? {
        if found.len() == limit || bytes >= LETTERS_BYTES_MAX {
            break;
        }
        let (key, stored) = letter?;
        let (_, place) = key.value();
        bytes += stored.value().len();
        found.push(read(id, place, stored.value())?);
    }
    Ok(found)
}

/// The groups that have letters.
pub(super) fn groups(store: &ReadTransaction) -> Result<Vec<DeadGroup>, Fault> {
    let groups = store.open_table(GROUPS)?;
    groups
        .iter()?
        .map(|group| {
            let (name, letters) = group?;
            Ok(DeadGroup { name: name.value().to_owned(), letters: letters.value() })
        })
        .collect()
}

/// The letters of a group behind one, by batch id and place.
pub(super) fn of_group(
    store: &ReadTransaction,
    group: &str,
    after: Option<&LetterId>,
    limit: usize,
) -> Result<Vec<(BatchId, DeadLetter)>, Fault> {
    let (letters, dead) = (store.open_table(LETTERS)?, store.open_table(DEAD)?);
    let batches = store.open_table(BATCHES)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    // There may be no place behind that of the one: callers make pages up.
    let from = match after {
        Some(after) => Bound::Excluded((group, after.batch.as_str(), after.place)),
        None => Bound::Included((group, "", 0)),
    };
    for letter in letters.range::<(&str, &str, u64)>((from, Bound::Unbounded))? {
        let (key, _) = letter?;
        let (name, batch, place) = key.value();
        if name != group || found.len() == limit || bytes >= LETTERS_BYTES_MAX {
            break;
        }
        let missing = || Fault::corrupt(format!("batch {batch} lacks its dead letter {place}"));
        let row = read_batch(&batches, batch)?.ok_or_else(missing)?;
        let stored = dead.get((row.number, place))?.ok_or_else(missing)?;
        bytes += stored.value().len();
        let letter = read(&row.batch.id, place, stored.value())?;
        found.push((row.batch.id, letter));
    }
    Ok(found)
}

fn read(batch: &BatchId, place: u64, stored: &[u8]) -> Result<DeadLetter, Fault> {
    DeadLetter::from_stored(place, stored)
        .ok_or_else(|| Fault::corrupt(format!("batch {batch}: dead letter {place}")))
}
