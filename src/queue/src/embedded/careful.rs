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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::EmbeddedQueue;
    use super::super::fault::StoreFault;
    use super::super::store::Store;
    use crate::{
        BatchId, BatchOptions, NewChunk, Places, Queue as _, StoreOptions, Work, WorkerId,
    };

    #[tokio::test]
    async fn what_cannot_be_written_down_is_held_by_nobody() {
        let home = tempfile::tempdir().unwrap();
        let (folder, away) = (home.path().join("store"), home.path().join("away"));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("queue.redb");
        let open = || EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
        let batch: BatchId = "b".parse().unwrap();
        {
            let queue = open();
            queue.open(&batch, &BatchOptions::default()).await.unwrap();
            let (before, after) = Default::default();
            let (places, payload) = (Places::From { first: 0, before, after }, "a record".into());
            let chunk = NewChunk { places, count: 1, payload, trace: None };
            queue.append(&batch, &[chunk]).await.unwrap();
        }
        // A process that is ended in the middle.
        drop(Store::open("file:test", &path).unwrap());
        let queue = open();

        // The next write opens the file anew, and finds no folder.
        queue.store.note_write(&Err(StoreFault::Unavailable("a test".to_owned())));
        std::fs::rename(&folder, &away).unwrap();
        queue.lease(&WorkerId::random("w"), 1, Duration::ZERO).await.unwrap_err();
        std::fs::rename(&away, &folder).unwrap();
        queue.open(&batch, &BatchOptions::default()).await.unwrap();
        let work = queue.lease(&WorkerId::random("w"), 1, Duration::ZERO).await.unwrap();
        assert!(matches!(&work[..], [Work::Chunk(chunk)] if chunk.lost == 0), "{work:?}");
    }
}
