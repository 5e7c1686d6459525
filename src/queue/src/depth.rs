//! How much waits in the queue, and how much may.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// How much waits to be processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Records of chunks that are not committed.
    pub records: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
}

/// How much may wait. Below every limit the queue takes what is appended in one step, whatever its
/// size.
///
/// A store that is in several parts holds each part to the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Records that are not committed.
    pub records: Option<NonZeroU64>,
    /// Their payloads, in bytes.
    pub bytes: Option<NonZeroU64>,
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self { records: None, bytes: None };

    /// Whether a queue of this depth takes no more.
    pub fn are_reached(&self, depth: Depth) -> bool {
        self.records.is_some_and(|max| depth.records >= max.get())
            || self.bytes.is_some_and(|max| depth.bytes >= max.get())
    }
}
