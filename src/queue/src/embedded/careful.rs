//! What a process that ends in the middle leaves for the next one to know.
//!
//! Leases are in memory: a record that ends the process would be leased first again, and end it
//! again, for ever. So the store keeps a mark while it is open. Whoever finds the mark knows that the
//! process before was ended: until what was waiting then is done, leases of it are written down
//! before they are handed out. What is found written down at the next such start counts as lost
//! once more. In normal times nothing is written for a lease, and the first such end costs nothing.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::fault::Fault;
use super::tables::{Entry, Tables};

/// Puts the mark. Returns the number of the first entry of which leases need not be written down.
pub(super) fn start(tables: &mut Tables<'_>) -> Result<u64, Fault> {
    let next = tables.next_number()?;
    let was_ended = tables.running.get(())?.is_some();
    while let Some(entry) = pop_leased(tables)? {
        let piece = tables.waiting.get(entry)?.map(|piece| piece.value());
        if let Some(piece) = piece {
            tables.add_lost(piece, 1)?;
        }
    }
    tables.running.insert((), next)?;
    Ok(if was_ended { next } else { 0 })
}

/// Writes down that these entries are leased.
pub(super) fn lease(tables: &mut Tables<'_>, entries: &[Entry]) -> Result<(), Fault> {
    for entry in entries {
        tables.leased.insert(*entry, ())?;
    }
    Ok(())
}

/// Takes the mark away: the process ends as it should, and loses nothing. What it knows of losses
/// is written down: entries that are not ended, each with how often it was taken over.
pub(super) fn end(tables: &mut Tables<'_>, lost: &BTreeMap<Entry, u32>) -> Result<(), Fault> {
    for (entry, times) in lost {
        let piece = tables.waiting.get(*entry)?.map(|piece| piece.value());
        if let Some(piece) = piece {
            tables.add_lost(piece, *times)?;
        }
    }
    tables.leased.retain(|_, ()| false)?;
    tables.running.remove(())?;
    Ok(())
}

fn pop_leased(tables: &mut Tables<'_>) -> Result<Option<Entry>, Fault> {
    Ok(tables.leased.pop_first()?.map(|(entry, _)| entry.value()))
}
