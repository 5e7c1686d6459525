//! Every table of the store, and what one transaction does to them.
//!
//! A payload is written once, when its chunk is appended. All other rows are small.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::fault::Fault;
use super::row::BatchRow;
use crate::{BatchId, Error, Priority};

/// The number that the next batch or waiting entry gets. No number is given twice.
const NEXT: TableDefinition<'_, (), u64> = TableDefinition::new("next");
/// Batch id → [`BatchRow`] as JSON.
pub(super) const BATCHES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("batches");
/// Batch number → batch id.
pub(super) const IDS: TableDefinition<'_, u64, &str> = TableDefinition::new("ids");
/// Batch number, place of the first record → payload: as sent, or as rewritten by the commit.
pub(super) const CHUNKS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("chunks");
/// What is to be done, in the order in which it is leased.
pub(super) const WAITING: TableDefinition<'_, Entry, Piece> = TableDefinition::new("waiting");
/// Batch number, place of the first record → how many places the committed chunk covers.
pub(super) const RESULTS: TableDefinition<'_, (u64, u64), u32> = TableDefinition::new("results");
/// Batch number, place that the sender gave: those that are taken, for batches in no order.
const PLACES: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("places");
/// Batch number, place → dead letter.
pub(super) const DEAD: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("dead");
/// Milliseconds since 1970, batch number: when an open batch is to be sealed.
pub(super) const DEADLINES: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("deadlines");
/// Milliseconds since 1970, batch number: when a batch was written.
const WRITTEN: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("written");

/// The key of a waiting entry: its rank (0 is leased first), then its number in the order of arrival.
pub(super) type Entry = (u8, u64);

/// A waiting piece of work: batch number, place of the first record, count. A roll has no records.
pub(super) type Piece = (u64, u64, u32);

/// The rank of rolls: before all chunks.
pub(super) const ROLL_RANK: u8 = 0;

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
    pub(super) ids: Table<'txn, u64, &'static str>,
    pub(super) chunks: Table<'txn, (u64, u64), &'static [u8]>,
    pub(super) waiting: Table<'txn, Entry, Piece>,
    pub(super) results: Table<'txn, (u64, u64), u32>,
    pub(super) places: Table<'txn, (u64, u64), ()>,
    pub(super) dead: Table<'txn, (u64, u64), &'static [u8]>,
    pub(super) deadlines: Table<'txn, (u64, u64), ()>,
    pub(super) written: Table<'txn, (u64, u64), ()>,
    /// The entries that this transaction ends.
    ended: Vec<Entry>,
}

impl<'txn> Tables<'txn> {
    /// Opens every table, and makes those that do not exist.
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            next: transaction.open_table(NEXT)?,
            batches: transaction.open_table(BATCHES)?,
            ids: transaction.open_table(IDS)?,
            chunks: transaction.open_table(CHUNKS)?,
            waiting: transaction.open_table(WAITING)?,
            results: transaction.open_table(RESULTS)?,
            places: transaction.open_table(PLACES)?,
            dead: transaction.open_table(DEAD)?,
            deadlines: transaction.open_table(DEADLINES)?,
            written: transaction.open_table(WRITTEN)?,
            ended: Vec::new(),
        })
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        let number = self.next.get(())?.map_or(0, |next| next.value());
        self.next.insert((), number + 1)?;
        Ok(number)
    }

    /// The batch that has this id.
    pub(super) fn batch(&self, id: &BatchId) -> Result<BatchRow, Fault> {
        read_batch(&self.batches, id.as_str())?
            .ok_or_else(|| Error::UnknownBatch(id.clone()).into())
    }

    /// The batch that has this id, if there is one.
    pub(super) fn find_batch(&self, id: &BatchId) -> Result<Option<BatchRow>, Fault> {
        read_batch(&self.batches, id.as_str())
    }

    /// The batch that another table names.
    pub(super) fn numbered_batch(&self, number: u64) -> Result<BatchRow, Fault> {
        read_numbered_batch(&self.ids, &self.batches, number)
    }

    /// Stores a batch that is new or has changed.
    pub(super) fn save(&mut self, row: &BatchRow) -> Result<(), Fault> {
        self.batches.insert(row.batch.id.as_str(), row.to_stored()?.as_slice())?;
        Ok(())
    }

    /// Removes a batch's row.
    pub(super) fn remove_batch(&mut self, row: &BatchRow) -> Result<(), Fault> {
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
        self.ended.push(entry);
        Ok(())
    }

    /// Closes the tables. Returns the entries that nobody needs to hold once this is committed.
    pub(super) fn into_ended(self) -> Vec<Entry> {
        self.ended
    }
}

/// Reads the row of a batch.
pub(super) fn read_batch(
    batches: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Option<BatchRow>, Fault> {
    batches.get(id)?.map(|stored| BatchRow::from_stored(id, stored.value())).transpose()
}

/// Reads the row of a batch that another table names: it exists.
pub(super) fn read_numbered_batch(
    ids: &impl ReadableTable<u64, &'static str>,
    batches: &impl ReadableTable<&'static str, &'static [u8]>,
    number: u64,
) -> Result<BatchRow, Fault> {
    let missing = || Fault::corrupt(format!("batch number {number} is missing"));
    let id = ids.get(number)?.ok_or_else(missing)?;
    read_batch(batches, id.value())?.ok_or_else(missing)
}
