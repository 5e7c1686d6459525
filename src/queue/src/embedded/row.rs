//! A batch as its row holds it.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::millis::duration_ms;
use crate::{Batch, BatchOptions, Ending, Places};

/// A batch, and what the store alone needs to know of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BatchRow {
    /// Stands for the batch in the keys of the other tables.
    pub(super) number: u64,
    pub(super) batch: Batch,
    /// How its records say their places, once the first chunk has decided.
    pub(super) order: Option<Order>,
    pub(super) deadline: Option<Deadline>,
    /// When it ends if nothing is appended: its key in the table of deadlines.
    pub(super) ends_at_ms: Option<u64>,
    /// The sequence of its roll among the waiting entries, while it is complete.
    pub(super) roll: Option<u64>,
}

/// [`crate::Deadline`], as stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Deadline {
    pub(super) after_ms: u64,
    pub(super) then: Ending,
}

/// [`Places`] without the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    From,
    Each,
}

impl From<&Places> for Order {
    fn from(places: &Places) -> Self {
        match places {
            Places::From { .. } => Self::From,
            Places::Each(_) => Self::Each,
        }
    }
}

impl BatchRow {
    /// The row of a batch that has just been opened.
    pub(super) fn opened(number: u64, batch: Batch, options: &BatchOptions) -> Self {
        let deadline = options.deadline.map(|deadline| Deadline {
            after_ms: duration_ms(deadline.after),
            then: deadline.then,
        });
        Self { number, batch, order: None, deadline, ends_at_ms: None, roll: None }
    }

    /// The row as stored.
    pub(super) fn to_stored(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self)
            .map_err(|error| Fault::corrupt(format!("batch {}: {error}", self.batch.id)))
    }

    /// Reads a row back.
    pub(super) fn from_stored(id: &str, stored: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(stored)
            .map_err(|error| Fault::corrupt(format!("batch {id}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchTimes;

    #[test]
    fn the_row_of_an_earlier_version_is_read() {
        let stored = br#"{"number":7,"batch":{"id":"b","state":"sealed","priority":"normal",
            "policy":"partial","received":5,"retrying":0,"kept":2,"dead":0,"dropped":0,
            "replayed":0,"overdue":false,"roll_sha256":null},"order":"from","deadline":null,
            "ends_at_ms":null,"roll":null}"#;
        let row = BatchRow::from_stored("b", stored).unwrap();
        let Batch { received, chunks, chunks_committed, times, .. } = row.batch;
        assert_eq!((received, chunks, chunks_committed), (5, 0, 0));
        assert_eq!(times, BatchTimes::default());
    }
}
