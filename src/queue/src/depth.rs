//! How much waits in the queue, and how much may.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much waits to be processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Records of chunks that are not committed.
    pub records: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
}

/// What waits, looked at more closely. What a store is asked for it does not grow with what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Chunks of high priority.
    pub high: Line,
    /// Chunks of normal priority.
    pub normal: Line,
    /// Chunks of low priority.
    pub low: Line,
    /// Chunks that are isolated, whatever their priority.
    pub isolated: Line,
    /// Dead letters of all batches.
    pub dead_letters: u64,
}

/// Chunks that are leased in the order in which they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How much waits, what is leased and what is to be retried included.
    pub depth: Depth,
    /// How long the oldest has been in line, leased or not. A chunk that is given back or retried
    /// may come into line anew, and one that waits for its time is not in line.
    pub oldest: Option<Duration>,
}

impl Backlog {
    /// Every line with its name.
    pub fn lines(&self) -> [(&'static str, Line); 4] {
        let Self { high, normal, low, isolated, .. } = *self;
        [("high", high), ("normal", normal), ("low", low), ("isolated", isolated)]
    }
}

/// How much may wait. Below every limit the queue takes another chunk, whatever its size.
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
