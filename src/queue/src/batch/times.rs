//! When a batch came to its states.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{BatchState, millis};

/// When a batch came to its states, to the millisecond, by the store's clock. `None` for what has
/// not happened, or happened in an earlier version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchTimes {
    /// When it was opened, or made by a replay.
    #[serde(rename = "opened_ms", with = "millis::optional_time")]
    pub opened: Option<SystemTime>,
    /// When it was sealed.
    #[serde(rename = "sealed_ms", with = "millis::optional_time")]
    pub sealed: Option<SystemTime>,
    /// When nothing was left to do.
    #[serde(rename = "completed_ms", with = "millis::optional_time")]
    pub completed: Option<SystemTime>,
    /// When it was written, or aborted.
    #[serde(rename = "ended_ms", with = "millis::optional_time")]
    pub ended: Option<SystemTime>,
}

impl BatchTimes {
    /// Notes that the batch comes to a state at a time.
    pub fn enter(&mut self, state: BatchState, at: SystemTime) {
        let entered = match state {
            BatchState::Open => &mut self.opened,
            BatchState::Sealed => &mut self.sealed,
            BatchState::Complete => &mut self.completed,
            BatchState::Written | BatchState::Aborted => &mut self.ended,
        };
        *entered = Some(at);
    }
}
