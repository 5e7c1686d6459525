//! The step that lets go of a batch: its results when it is written, all of it much later.

use std::time::Duration;

use redb::ReadableTable;

use super::clock::{duration_ms, now_ms};
use super::fault::Fault;
use super::tables::{ROLL_RANK, Tables, all_of};
use crate::{BatchId, BatchState, Result};

/// How long a written batch is remembered, with its dead letters.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many batches are forgotten in one step at most. More than one, so that they do not pile up.
const FORGOTTEN_MAX: usize = 8;

/// Marks a complete batch as written, and forgets those written long ago.
pub(super) fn mark_written(
    tables: &mut Tables<'_>,
    id: &BatchId,
    roll_sha256: &str,
) -> Result<bool, Fault> {
    let mut row = tables.batch(id)?;
    if row.batch.state != BatchState::Complete {
        return Ok(false);
    }
    let number = row.number;
    tables.chunks.retain_in(all_of(number), |_, _| false)?;
    tables.results.retain_in(all_of(number), |_, _| false)?;
    if let Some(sequence) = row.roll.take() {
        tables.end((ROLL_RANK, sequence))?;
    }
    let now_ms = now_ms();
    tables.written.insert((now_ms, number), ())?;
    row.batch.state = BatchState::Written;
    row.batch.roll_sha256 = Some(roll_sha256.to_owned());
    tables.save(&row)?;
    forget(tables, now_ms.saturating_sub(duration_ms(RETENTION)))?;
    Ok(true)
}

/// Forgets batches that were written before a time.
fn forget(tables: &mut Tables<'_>, before_ms: u64) -> Result<(), Fault> {
    let old: Vec<(u64, u64)> = tables
        .written
        .range(..(before_ms, 0))?
        .take(FORGOTTEN_MAX)
        .map(|written| written.map(|(key, _)| key.value()))
        .collect::<Result<_, _>>()?;
    for (written_ms, number) in old {
        let row = tables.numbered_batch(number)?;
        tables.remove_batch(&row)?;
        tables.dead.retain_in(all_of(number), |_, _| false)?;
        tables.places.retain_in(all_of(number), |_, ()| false)?;
        tables.written.remove((written_ms, number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Store, append, complete};
    use super::*;
    use crate::BatchOptions;

    #[test]
    fn what_was_written_long_ago_is_forgotten_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("file:test", &folder.path().join("queue.redb")).unwrap();
        let transaction = store.database.begin_write().unwrap();
        let mut tables = Tables::open(&transaction).unwrap();
        let [old, recent, complete] = ["old", "recent", "complete"].map(|id| id.parse().unwrap());
        for id in [&old, &recent, &complete] {
            append::open(&mut tables, id, &BatchOptions::default()).unwrap();
            complete::seal(&mut tables, id, None).unwrap();
        }
        assert!(mark_written(&mut tables, &old, "digest").unwrap());
        tables.written.pop_first().unwrap().unwrap();
        let number = tables.batch(&old).unwrap().number;
        tables.written.insert((1, number), ()).unwrap();
        tables.dead.insert((number, 0), b"letter".as_slice()).unwrap();

        assert!(mark_written(&mut tables, &recent, "digest").unwrap());
        assert!(tables.find_batch(&old).unwrap().is_none());
        assert!(tables.dead.first().unwrap().is_none());
        assert!(tables.find_batch(&recent).unwrap().is_some());
        assert!(tables.find_batch(&complete).unwrap().is_some());
    }
}
