//! What follows the writing of the roll: the store learns what the roll holds, and removes the results of a
//! batch when it is written, all of it much later, when its dead letters are resolved.

use std::time::Duration;

use redb::{ReadTransaction, ReadableTable};

use super::clock::now_ms;
use super::fault::Fault;
use super::letters;
use super::states;
use super::tables::{ROLL, ROLL_RANK, Tables, all_of};
use crate::millis::duration_ms;
use crate::{BatchId, BatchState, Result, RollState};

/// How long a batch is remembered when nothing is left to do for it.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many batches are forgotten in one step at most. More than one, so that they do not pile up.
const FORGOTTEN_MAX: usize = 8;

/// Marks a complete batch as written, and forgets those resolved long ago.
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
    states::enter(tables, &mut row, BatchState::Written)?;
    row.batch.roll_sha256 = Some(roll_sha256.to_owned());
    letters::forget_later_if_resolved(tables, &mut row)?;
    tables.save(&row)?;
    forget(tables, now_ms.saturating_sub(duration_ms(RETENTION)))?;
    Ok(true)
}

/// What is known of the roll.
pub(super) fn roll(store: &ReadTransaction) -> Result<Option<RollState>, Fault> {
    read_roll(&store.open_table(ROLL)?)
}

/// Replaces what is known of the roll, unless it is something other than `before`. Returns what is known then.
pub(super) fn set_roll(
    tables: &mut Tables<'_>,
    before: Option<RollState>,
    after: RollState,
) -> Result<Option<RollState>, Fault> {
    let known = read_roll(&tables.roll)?;
    if known != before {
        return Ok(known);
    }
    let stored = serde_json::to_vec(&after).map_err(unreadable_roll)?;
    tables.roll.insert((), stored.as_slice())?;
    Ok(Some(after))
}

fn read_roll(roll: &impl ReadableTable<(), &'static [u8]>) -> Result<Option<RollState>, Fault> {
    let stored = roll.get(())?;
    stored.map(|stored| serde_json::from_slice(stored.value()).map_err(unreadable_roll)).transpose()
}

fn unreadable_roll(error: serde_json::Error) -> Fault {
    Fault::corrupt(format!("the state of the roll: {error}"))
}

/// Forgets batches for which nothing was left to do before a time.
fn forget(tables: &mut Tables<'_>, before_ms: u64) -> Result<(), Fault> {
    let old: Vec<(u64, u64)> = tables
        .resolved
        .range(..(before_ms, 0))?
        .take(FORGOTTEN_MAX)
        .map(|resolved| resolved.map(|(key, _)| key.value()))
        .collect::<Result<_, _>>()?;
    for key in old {
        let (_, number) = key;
        if let Some(row) = tables.numbered_batch(number)? {
            tables.remove_batch(&row)?;
        }
        tables.remove_content(number)?;
        tables.resolved.remove(key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use redb::ReadableTableMetadata as _;

    use super::super::store::Store;
    use super::super::{append, complete};
    use super::*;
    use crate::BatchOptions;

    #[test]
    fn what_was_resolved_long_ago_is_forgotten_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("file:test", &folder.path().join("queue.redb")).unwrap();
        let transaction = store.begin_write().unwrap();
        let mut tables = Tables::open(&transaction).unwrap();
        let ids = ["old", "recent", "ill", "complete"].map(|id| id.parse().unwrap());
        for id in &ids {
            append::open(&mut tables, id, &BatchOptions::default()).unwrap();
            complete::seal(&mut tables, id, None, None).unwrap();
        }
        let [old, recent, ill, complete] = ids;
        let mut row = tables.batch(&ill).unwrap();
        row.batch.dead = 1;
        tables.save(&row).unwrap();
        for id in [&old, &ill] {
            assert!(mark_written(&mut tables, id, "digest").unwrap());
        }
        let ((_, number), ()) = {
            let first = tables.resolved.pop_first().unwrap().unwrap();
            (first.0.value(), first.1.value())
        };
        tables.resolved.insert((1, number), ()).unwrap();

        assert!(mark_written(&mut tables, &recent, "digest").unwrap());
        assert!(tables.find_batch(&old).unwrap().is_none());
        for id in [&recent, &ill, &complete] {
            assert!(tables.find_batch(id).unwrap().is_some(), "{id}");
        }
        assert_eq!(tables.lists.len().unwrap(), 6, "three are in two lists each");
    }
}
