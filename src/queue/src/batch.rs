//! A batch: the records that belong together.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of a batch: 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
///
/// The sender chooses it, or the server does. Two sends under one name are one batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BatchId(String);

impl BatchId {
    /// The longest name, in bytes.
    pub const LEN_MAX: usize = 64;

    /// Makes a name that no other batch has: `prefix`, a dash, and 128 random bits.
    ///
    /// `prefix` is cut to what leaves room for them.
    pub fn random(prefix: &str) -> Self {
        let unique = format!("{:032x}", rand::random::<u128>());
        let room = Self::LEN_MAX - unique.len() - 1;
        let prefix: String = prefix.chars().filter(|c| allowed(*c)).take(room).collect();
        Self(format!("{prefix}-{unique}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

impl FromStr for BatchId {
    type Err = InvalidBatchId;

    fn from_str(text: &str) -> Result<Self, InvalidBatchId> {
        if text.is_empty() || text.len() > Self::LEN_MAX || !text.chars().all(allowed) {
            return Err(InvalidBatchId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for BatchId {
    type Error = InvalidBatchId;

    fn try_from(text: String) -> Result<Self, InvalidBatchId> {
        text.parse()
    }
}

impl From<BatchId> for String {
    fn from(id: BatchId) -> Self {
        id.0
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no batch id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a batch id is 1 to 64 characters of A-Z a-z 0-9 . _ -")]
pub struct InvalidBatchId;

/// Which batches are leased first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// The default.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl Priority {
    /// Every priority, first to last.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The priority in lower case: `high`, `normal`, `low`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = InvalidPriority;

    fn from_str(text: &str) -> Result<Self, InvalidPriority> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == text).ok_or(InvalidPriority)
    }
}

/// A text that is no priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a priority is high, normal or low")]
pub struct InvalidPriority;

/// What is fixed when a batch is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOptions {
    /// Which chunks are leased first.
    pub priority: Priority,
    /// Seals the batch when nothing has been appended for so long ([`Queue::seal_overdue`]).
    ///
    /// For batches that a server opens of its own accord: if the server dies, nobody else knows
    /// of them.
    ///
    /// [`Queue::seal_overdue`]: crate::Queue::seal_overdue
    pub seal_after: Option<Duration>,
}

/// Where a batch is on its way to the roll. A batch goes through the states in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    /// Chunks may still be appended.
    Open,
    /// No more chunks will come; some are still to be committed.
    Sealed,
    /// Every record is kept or dead; the roll is to be written.
    Complete,
    /// The batch is in the roll, and its results are gone from the store.
    Written,
}

impl BatchState {
    /// Every state, first to last.
    pub const ALL: [Self; 4] = [Self::Open, Self::Sealed, Self::Complete, Self::Written];

    /// The state in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Complete => "complete",
            Self::Written => "written",
        }
    }
}

/// A batch as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// Where it is on its way.
    pub state: BatchState,
    /// Which chunks are leased first.
    pub priority: Priority,
    /// Records accepted: the place of the next one.
    pub received: u64,
    /// Records committed for the roll.
    pub kept: u64,
    /// Records committed as dead letters.
    pub dead: u64,
    /// SHA-256 of the roll that first held the batch, in hexadecimal, once it is written.
    pub roll_sha256: Option<String>,
}

impl Batch {
    /// Whether every record that was received is kept or dead.
    pub fn is_drained(&self) -> bool {
        self.kept + self.dead == self.received
    }
}
