//! What a person, or a program, sees of what a server keeps.

pub(crate) mod batch;
pub(crate) mod batches;
pub(crate) mod figures;
pub(crate) mod letter;
pub(crate) mod roll;
pub(crate) mod stats;
mod table;
pub(crate) mod workers;

use serde::Serialize;

use crate::printable;

/// One line of JSON, for a program; fit for a terminal all the same.
pub(crate) fn json(value: &impl Serialize) -> String {
    // Numbers, texts, lists and nulls: they are always JSON.
    printable::json(&serde_json::to_string(value).unwrap_or_default()) + "\n"
}
