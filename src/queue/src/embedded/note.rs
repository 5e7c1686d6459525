//! What is known of a waiting chunk, beside what its piece says.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::millis::{from_millis, to_millis};
use crate::{History, Retry};

/// What is known of a waiting chunk, if there is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    /// The trace that its records came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
    /// Whether its record was processed before.
    pub(super) is_retry: bool,
    pub(super) failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed_first_ms: Option<u64>,
    /// How often the process ended while it was leased.
    pub(super) lost: u32,
}

impl Note {
    /// The note on a new chunk.
    pub(super) fn new(trace: Option<String>) -> Self {
        Self { trace, ..Self::default() }
    }

    /// The note on a record that is tried again.
    pub(super) fn of_retry(retry: &Retry, trace: Option<String>) -> Self {
        let History { failures, failed_first, isolated: _ } = retry.history;
        let failed_first_ms = failed_first.map(to_millis);
        Self { trace, is_retry: true, failures, failed_first_ms, lost: 0 }
    }

    /// Whether there is nothing to note.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What became of the chunk's record.
    pub(super) fn history(&self, isolated: bool) -> History {
        let failed_first = self.failed_first_ms.map(from_millis);
        History { failures: self.failures, failed_first, isolated }
    }

    /// The note as stored.
    pub(super) fn to_stored(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|error| Fault::corrupt(format!("a note: {error}")))
    }

    /// Reads a note back.
    pub(super) fn from_stored(stored: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(stored).map_err(|error| Fault::corrupt(format!("a note: {error}")))
    }
}
