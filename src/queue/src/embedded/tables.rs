//! The tables of the store, and what a write transaction does to them.

use std::time::Duration;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::clock::now_us;
use super::fault::Fault;
use super::note::Note;
use super::row::BatchRow;
use super::states;
use crate::{BatchId, Depth, Error, Priority, Totals};

/// The number that the next batch or waiting entry gets, at least. No number is given twice.
pub(super) const NEXT: TableDefinition<'_, (), u64> = TableDefinition::new("next");
/// Batch id → [`BatchRow`] as JSON.
pub(super) const BATCHES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("batches");
/// Batch number → batch id.
pub(super) const IDS: TableDefinition<'_, u64, &str> = TableDefinition::new("ids");
/// Batch number, place of the first record → payload: as sent, or as rewritten by the commit; empty
/// for the place of a record that is not kept.
pub(super) const CHUNKS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("chunks");
/// Batch number, place of the first record → [`Note`] as JSON, for waiting chunks that have one.
pub(super) const NOTES: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("notes");
/// List (0 of all, or of a state), milliseconds since 1970 at which it was opened, batch id: the
/// batches but those that an earlier version opened. See [`super::states`].
pub(super) const LISTS: TableDefinition<'_, (u8, u64, &str), ()> = TableDefinition::new("lists");
/// [`Controls`](crate::Controls) as JSON.
pub(super) const CONTROLS: TableDefinition<'_, (), &[u8]> = TableDefinition::new("controls");
/// The format of all that is here.
pub(super) const FORMAT: TableDefinition<'_, (), u64> = TableDefinition::new("format");
/// [`RollState`](crate::RollState) as JSON.
pub(super) const ROLL: TableDefinition<'_, (), &[u8]> = TableDefinition::new("roll");
/// Records accepted, kept and dead, since the store was first used.
pub(super) const TOTALS: TableDefinition<'_, (), (u64, u64, u64)> = TableDefinition::new("totals");
/// What is to be done, in the order in which it is leased.
pub(super) const WAITING: TableDefinition<'_, Entry, Piece> = TableDefinition::new("waiting");
/// Milliseconds since 1970, sequence → rank and piece: what is to wait, from that time on.
pub(super) const DELAYED: TableDefinition<'_, (u64, u64), (u8, Piece)> =
    TableDefinition::new("delayed");
/// Entries that are leased, as far as that is written down: see [`super::careful`].
pub(super) const LEASED: TableDefinition<'_, Entry, ()> = TableDefinition::new("leased");
/// Whether the store is open, or was not closed: then the number from which on entries were
/// made since.
pub(super) const RUNNING: TableDefinition<'_, (), u64> = TableDefinition::new("running");
/// Records and bytes that are not committed.
pub(super) const DEPTH: TableDefinition<'_, (), (u64, u64)> = TableDefinition::new("depth");
/// Rank → records and bytes that are not committed and are in the line of that rank, or on their
/// way back into it. Not of what an earlier version queued.
pub(super) const LINES: TableDefinition<'_, u8, (u64, u64)> = TableDefinition::new("lines");
/// Batch number, place of the first record → how many places the committed chunk covers.
pub(super) const RESULTS: TableDefinition<'_, (u64, u64), u32> = TableDefinition::new("results");
/// Batch number, index that the sender gave → [`RecordHash::short`] of the record there, for batches
/// whose records each have their own index.
///
/// [`RecordHash::short`]: muster_content::RecordHash::short
pub(super) const HASHES: TableDefinition<'_, (u64, u64), u64> = TableDefinition::new("hashes");
/// Batch number, index that the sender gave, as an earlier version wrote it: without a hash.
const PLACES: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("places");
/// Batch number, how many records → the digest of a [`Checkpoint`](crate::Checkpoint).
pub(super) const CHECKPOINTS: TableDefinition<'_, (u64, u64), u64> =
    TableDefinition::new("checkpoints");
/// Batch number, place → dead letter.
pub(super) const DEAD: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("dead");
/// Group, batch id, place: the dead letters of all batches.
pub(super) const LETTERS: TableDefinition<'_, (&str, &str, u64), ()> =
    TableDefinition::new("letters");
/// Group → how many dead letters it has.
pub(super) const GROUPS: TableDefinition<'_, &str, u64> = TableDefinition::new("groups");
/// The numbers of the batches that are held: see [`Batch::is_held`](crate::Batch::is_held).
pub(super) const HELD: TableDefinition<'_, u64, ()> = TableDefinition::new("held");
/// Milliseconds since 1970, batch number: when an open batch ends by itself.
pub(super) const DEADLINES: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("deadlines");
/// Milliseconds since 1970, batch number: since when nothing is left to do for a batch.
const RESOLVED: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("resolved");

/// The key of a waiting entry: its rank (0 is leased first), then its number in the order of arrival.
pub(super) type Entry = (u8, u64);

/// A waiting piece of work: batch number, place of the first record, count. A roll has no records.
pub(super) type Piece = (u64, u64, u32);

/// The rank of rolls: before all chunks.
pub(super) const ROLL_RANK: u8 = 0;

/// The rank of isolated chunks: behind all that any worker leases.
pub(super) const ISOLATED_RANK: u8 = 4;

/// The rank of a batch's chunks.
pub(super) fn rank(priority: Priority) -> u8 {
    match priority {
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Low => 3,
    }
}

/// All of a batch's keys in a table whose keys begin with the batch number.
pub(super) fn all_of(number: u64) -> std::ops::RangeInclusive<(u64, u64)> {
    (number, 0)..=(number, u64::MAX)
}

/// The tables in one write transaction.
pub(super) struct Tables<'txn> {
    next: Table<'txn, (), u64>,
    batches: Table<'txn, &'static str, &'static [u8]>,
    pub(super) lists: Table<'txn, (u8, u64, &'static str), ()>,
    pub(super) controls: Table<'txn, (), &'static [u8]>,
    pub(super) roll: Table<'txn, (), &'static [u8]>,
    totals: Table<'txn, (), (u64, u64, u64)>,
    pub(super) ids: Table<'txn, u64, &'static str>,
    pub(super) chunks: Table<'txn, (u64, u64), &'static [u8]>,
    notes: Table<'txn, (u64, u64), &'static [u8]>,
    pub(super) waiting: Table<'txn, Entry, Piece>,
    pub(super) delayed: Table<'txn, (u64, u64), (u8, Piece)>,
    pub(super) leased: Table<'txn, Entry, ()>,
    pub(super) running: Table<'txn, (), u64>,
    depth: Table<'txn, (), (u64, u64)>,
    lines: Table<'txn, u8, (u64, u64)>,
    pub(super) results: Table<'txn, (u64, u64), u32>,
    pub(super) hashes: Table<'txn, (u64, u64), u64>,
    pub(super) places: Table<'txn, (u64, u64), ()>,
    pub(super) checkpoints: Table<'txn, (u64, u64), u64>,
    pub(super) dead: Table<'txn, (u64, u64), &'static [u8]>,
    pub(super) letters: Table<'txn, (&'static str, &'static str, u64), ()>,
    pub(super) groups: Table<'txn, &'static str, u64>,
    held: Table<'txn, u64, ()>,
    pub(super) deadlines: Table<'txn, (u64, u64), ()>,
    pub(super) resolved: Table<'txn, (u64, u64), ()>,
    /// The entries that this transaction ends.
    ended: Vec<Entry>,
}

impl<'txn> Tables<'txn> {
    /// Opens every table, and makes those that do not exist.
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            next: transaction.open_table(NEXT)?,
            batches: transaction.open_table(BATCHES)?,
            lists: transaction.open_table(LISTS)?,
            controls: transaction.open_table(CONTROLS)?,
            roll: transaction.open_table(ROLL)?,
            totals: transaction.open_table(TOTALS)?,
            ids: transaction.open_table(IDS)?,
            chunks: transaction.open_table(CHUNKS)?,
            notes: transaction.open_table(NOTES)?,
            waiting: transaction.open_table(WAITING)?,
            delayed: transaction.open_table(DELAYED)?,
            leased: transaction.open_table(LEASED)?,
            running: transaction.open_table(RUNNING)?,
            depth: transaction.open_table(DEPTH)?,
            lines: transaction.open_table(LINES)?,
            results: transaction.open_table(RESULTS)?,
            hashes: transaction.open_table(HASHES)?,
            places: transaction.open_table(PLACES)?,
            checkpoints: transaction.open_table(CHECKPOINTS)?,
            dead: transaction.open_table(DEAD)?,
            letters: transaction.open_table(LETTERS)?,
            groups: transaction.open_table(GROUPS)?,
            held: transaction.open_table(HELD)?,
            deadlines: transaction.open_table(DEADLINES)?,
            resolved: transaction.open_table(RESOLVED)?,
            ended: Vec::new(),
        })
    }

    /// The number from which on nothing has one yet.
    pub(super) fn next_number(&self) -> Result<u64, Fault> {
        Ok(self.next.get(())?.map_or(0, |next| next.value()))
    }

    /// A number that nothing else has, and that says when it was given ([`age`]).
    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        let number = self.next_number()?.max(now_us());
        self.next.insert((), number + 1)?;
        Ok(number)
    }

    /// The batch that has this id.
    pub(super) fn batch(&self, id: &BatchId) -> Result<BatchRow, Fault> {
        self.find_batch(id)?.ok_or_else(|| Error::UnknownBatch(id.clone()).into())
    }

    /// The batch that has this id, if there is one.
    pub(super) fn find_batch(&self, id: &BatchId) -> Result<Option<BatchRow>, Fault> {
        read_batch(&self.batches, id.as_str())
    }

    /// The batch that another table names; `None` if it is forgotten, as an aborted one can be
    /// while chunks of it wait.
    pub(super) fn numbered_batch(&self, number: u64) -> Result<Option<BatchRow>, Fault> {
        match self.ids.get(number)? {
            Some(id) => read_batch(&self.batches, id.value()),
            None => Ok(None),
        }
    }

    /// Stores a batch that is new or has changed.
    pub(super) fn save(&mut self, row: &BatchRow) -> Result<(), Fault> {
        self.batches.insert(row.batch.id.as_str(), row.to_stored()?.as_slice())?;
        if row.batch.is_held() {
            self.held.insert(row.number, ())?;
        } else {
            self.held.remove(row.number)?;
        }
        Ok(())
    }

    /// Forgets what identifies the records of a batch.
    pub(super) fn remove_content(&mut self, number: u64) -> Result<(), Fault> {
        self.hashes.retain_in(all_of(number), |_, _| false)?;
        self.places.retain_in(all_of(number), |_, ()| false)?;
        self.checkpoints.retain_in(all_of(number), |_, _| false)?;
        Ok(())
    }

    /// Removes a batch's row.
    pub(super) fn remove_batch(&mut self, row: &BatchRow) -> Result<(), Fault> {
        states::end(self, row)?;
        self.batches.remove(row.batch.id.as_str())?;
        self.ids.remove(row.number)?;
        Ok(())
    }

    /// Queues a piece of work behind all others of its rank. Returns its number.
    pub(super) fn queue(&mut self, rank: u8, piece: Piece) -> Result<u64, Fault> {
        let sequence = self.number()?;
        self.waiting.insert((rank, sequence), piece)?;
        Ok(sequence)
    }

    /// Ends a piece of work.
    pub(super) fn end(&mut self, entry: Entry) -> Result<(), Fault> {
        self.waiting.remove(entry)?;
        self.leased.remove(entry)?;
        self.ended.push(entry);
        Ok(())
    }

    /// Stores a chunk that is to be processed, and counts it in the line of this rank.
    pub(super) fn add_chunk(
        &mut self,
        rank: u8,
        (number, first, count): Piece,
        payload: &[u8],
        note: &Note,
    ) -> Result<(), Fault> {
        self.chunks.insert((number, first), payload)?;
        if !note.is_empty() {
            self.notes.insert((number, first), note.to_stored()?.as_slice())?;
        }
        self.count(rank, i64::from(count), i64::try_from(payload.len()).unwrap_or(i64::MAX))
    }

    /// Counts a chunk that is not to be processed any more off the line of this rank. Returns its
    /// note; its payload stays.
    pub(super) fn end_chunk(
        &mut self,
        rank: u8,
        (number, first, count): Piece,
    ) -> Result<Note, Fault> {
        let bytes = self.chunks.get((number, first))?.map(|payload| payload.value().len());
        let bytes = bytes.ok_or_else(|| missing_chunk(number, first))?;
        let note = self.notes.remove((number, first))?;
        let note = note.map(|stored| Note::from_stored(stored.value())).transpose()?;
        self.count(rank, -i64::from(count), -i64::try_from(bytes).unwrap_or(i64::MAX))?;
        Ok(note.unwrap_or_default())
    }

    /// Counts a chunk as lost so often more. A roll is no chunk.
    pub(super) fn add_lost(&mut self, piece: Piece, times: u32) -> Result<(), Fault> {
        let (number, first, count) = piece;
        if count == 0 {
            return Ok(());
        }
        let mut note = read_note(&self.notes, number, first)?;
        note.lost += times;
        self.notes.insert((number, first), note.to_stored()?.as_slice())?;
        Ok(())
    }

    fn count(&mut self, rank: u8, records: i64, bytes: i64) -> Result<(), Fault> {
        let after = |before: Depth| {
            let records = before.records.saturating_add_signed(records);
            (records, before.bytes.saturating_add_signed(bytes))
        };
        let depth = after(self.depth()?);
        self.depth.insert((), depth)?;
        let line = after(read_depth(&self.lines, rank)?);
        self.lines.insert(rank, line)?;
        Ok(())
    }

    /// Counts records for as long as the store is used.
    pub(super) fn count_totals(&mut self, more: Totals) -> Result<(), Fault> {
        let Totals { accepted, kept, dead } = read_totals(&self.totals)?;
        let after = (accepted + more.accepted, kept + more.kept, dead + more.dead);
        self.totals.insert((), after)?;
        Ok(())
    }

    /// How much waits.
    pub(super) fn depth(&self) -> Result<Depth, Fault> {
        read_depth(&self.depth, ())
    }

    /// Closes the tables. Returns the entries that nobody needs to hold once this is committed.
    pub(super) fn into_ended(self) -> Vec<Entry> {
        self.ended
    }
}

/// Reads how much waits, in all or in the line of a rank.
pub(super) fn read_depth<K: redb::Key + for<'k> redb::Value<SelfType<'k> = K> + Copy + 'static>(
    depth: &impl ReadableTable<K, (u64, u64)>,
    key: K,
) -> Result<Depth, Fault> {
    let (records, bytes) = depth.get(key)?.map(|depth| depth.value()).unwrap_or_default();
    Ok(Depth { records, bytes })
}

/// Reads how many records were counted.
pub(super) fn read_totals(
    totals: &impl ReadableTable<(), (u64, u64, u64)>,
) -> Result<Totals, Fault> {
    let (accepted, kept, dead) = totals.get(())?.map(|totals| totals.value()).unwrap_or_default();
    Ok(Totals { accepted, kept, dead })
}

/// How long ago a number was given; `None` for those of earlier versions, which began with 0.
pub(super) fn age(number: u64) -> Option<Duration> {
    /// In the year 2005.
    const TELLS_TIME_FROM: u64 = 1 << 50;
    (number >= TELLS_TIME_FROM).then(|| Duration::from_micros(now_us().saturating_sub(number)))
}

/// Reads the note on a chunk: an empty one where there is none.
pub(super) fn read_note(
    notes: &impl ReadableTable<(u64, u64), &'static [u8]>,
    number: u64,
    first: u64,
) -> Result<Note, Fault> {
    let note = notes.get((number, first))?;
    note.map_or_else(|| Ok(Note::default()), |stored| Note::from_stored(stored.value()))
}

/// Reads the row of a batch.
pub(super) fn read_batch(
    batches: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Option<BatchRow>, Fault> {
    batches.get(id)?.map(|stored| BatchRow::from_stored(id, stored.value())).transpose()
}

/// The keys of a batch in a table.
pub(super) fn keys_of<V: redb::Value + 'static>(
    table: &impl ReadableTable<(u64, u64), V>,
    number: u64,
) -> Result<Vec<(u64, u64)>, Fault> {
    table.range(all_of(number))?.map(|row| Ok(row?.0.value())).collect()
}

/// A chunk that a waiting entry names, and that is not there.
pub(super) fn missing_chunk(number: u64, first: u64) -> Fault {
    Fault::corrupt(format!("batch number {number} lacks its chunk {first}"))
}
