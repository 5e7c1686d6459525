//! What an operator has set for all programs of a store.

use serde::{Deserialize, Serialize};

/// What an operator has set for all programs of the store: nothing, at first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Controls {
    /// Whether workers are given no chunks ([`Queue::pause`]).
    ///
    /// [`Queue::pause`]: crate::Queue::pause
    pub paused: bool,
    /// The filter of every program's log; `None` when each has its own.
    pub log_filter: Option<String>,
}
