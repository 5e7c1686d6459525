//! What is in the queue, looked at as a whole.

use std::time::Duration;

use crate::{Controls, Depth};

/// What waits, what was done, and what an operator has set. What a store is asked for it does not
/// grow with what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
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
    /// Chunks that workers have in hand.
    pub leased: u64,
    /// Complete batches that are not in the roll yet.
    pub unwritten: Unwritten,
    /// Sealed batches that wait for nothing but for their dead letters to be replayed or dropped.
    pub held: u64,
    /// Records since the store was first used.
    pub totals: Totals,
    /// What is set for all programs of the store.
    pub controls: Controls,
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

/// Batches that are complete, and not written to the roll yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// How many there are.
    pub batches: u64,
    /// How long the first of them has been complete.
    pub oldest: Option<Duration>,
}

/// Records since the store was first used, or since a version that counts them first used it.
///
/// None of these ever goes down. A record may count more than once: a dead letter that is replayed
/// and kept counts as dead and as kept, and each time it dies again as dead. A replay accepts
/// nothing anew, and an abort takes nothing back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records that were appended.
    pub accepted: u64,
    /// Records that were committed for the roll.
    pub kept: u64,
    /// Records that became dead letters.
    pub dead: u64,
}

impl Stats {
    /// Every line with its name.
    pub fn lines(&self) -> [(&'static str, Line); 4] {
        let Self { high, normal, low, isolated, .. } = *self;
        [("high", high), ("normal", normal), ("low", low), ("isolated", isolated)]
    }
}
