//! What an operator has set.

use redb::{ReadTransaction, ReadableTable};

use super::fault::Fault;
use super::tables::{CONTROLS, Tables};
use crate::{Controls, Result};

/// Changes what is set.
pub(super) fn set(
    tables: &mut Tables<'_>,
    change: impl FnOnce(&mut Controls),
) -> Result<(), Fault> {
    let mut controls = read(&tables.controls)?;
    change(&mut controls);
    let stored = serde_json::to_vec(&controls).map_err(unreadable)?;
    tables.controls.insert((), stored.as_slice())?;
    Ok(())
}

/// What is set.
pub(super) fn get(store: &ReadTransaction) -> Result<Controls, Fault> {
    read(&store.open_table(CONTROLS)?)
}

fn read(controls: &impl ReadableTable<(), &'static [u8]>) -> Result<Controls, Fault> {
    let stored = controls.get(())?;
    let controls = stored.map(|stored| serde_json::from_slice(stored.value()).map_err(unreadable));
    Ok(controls.transpose()?.unwrap_or_default())
}

fn unreadable(error: serde_json::Error) -> Fault {
    Fault::corrupt(format!("the controls: {error}"))
}
