//! A batch: the records that belong together.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `times` | when it came to its states |
//! | `checkpoint` | what it had received at some point |
//! | `indexed` | its records that each have their own index |
//! | `cursor` | its place in a list of batches |

mod checkpoint;
mod cursor;
mod indexed;
mod times;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use muster_content::ContentDigest;
use serde::{Deserialize, Serialize};

pub use self::checkpoint::{CHECKPOINT_RECORDS, Checkpoint};
pub use self::cursor::{BatchCursor, InvalidBatchCursor};
pub use self::indexed::Indexed;
pub use self::times::BatchTimes;
use crate::Error;
use crate::millis::to_millis;

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

/// What becomes of a batch some of whose records are dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It is complete without them; the manifest says how many they are.
    #[default]
    Partial,
    /// It is not complete, and the roll does not have it, until each of them is replayed or
    /// dropped.
    Fail,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Partial, Self::Fail];

    /// The policy in lower case: `partial`, `fail`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Policy {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(InvalidPolicy)
    }
}

/// A text that is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a policy is partial or fail")]
pub struct InvalidPolicy;

/// How an open batch ends of its own accord when its sender does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deadline {
    /// How long nothing must have been appended.
    pub after: Duration,
    /// What happens then ([`Queue::end_overdue`]).
    ///
    /// [`Queue::end_overdue`]: crate::Queue::end_overdue
    pub then: Ending,
}

/// How a batch ends at its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It is sealed: what it has goes into the roll.
    Seal,
    /// It is aborted: what it has is discarded.
    Abort,
}

impl Ending {
    /// The ending in lower case: `seal`, `abort`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Abort => "abort",
        }
    }
}

/// What is fixed when a batch is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BatchOptions {
    /// Which chunks are leased first.
    pub priority: Priority,
    /// What its dead letters mean for the others.
    pub policy: Policy,
    /// When it ends by itself; `None` for never.
    pub deadline: Option<Deadline>,
}

/// Where a batch is on its way to the roll. A batch goes through the first four in this order, or
/// leaves the way from one of the first two to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    /// Chunks may still be appended.
    Open,
    /// No more chunks will come; some are still to be committed, or dead letters to be resolved.
    Sealed,
    /// Nothing is left to do; the roll is to be written.
    Complete,
    /// The batch is in the roll, and its results are gone from the store.
    Written,
    /// The batch is discarded: none of it is in the roll, or will be.
    Aborted,
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Sealed, Self::Complete, Self::Written, Self::Aborted];

    /// The state in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Complete => "complete",
            Self::Written => "written",
            Self::Aborted => "aborted",
        }
    }
}

/// A batch as the store has it.
///
/// Each record that was received is waiting, retrying, kept, dead, dropped or replayed; in an
/// aborted batch all of these are zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// Where it is on its way.
    pub state: BatchState,
    /// Which chunks are leased first.
    pub priority: Priority,
    /// What its dead letters mean for the others.
    pub policy: Policy,
    /// Records accepted: the place of the next one.
    pub received: u64,
    /// The digest of the records received, if they came one after another. None if each came with
    /// its own index, or if an earlier version received some of them.
    #[serde(default)]
    pub digest: Option<ContentDigest>,
    /// Records that failed or were replayed here, and wait for their next attempt or are at it.
    pub retrying: u64,
    /// Records committed for the roll.
    pub kept: u64,
    /// Records that are dead letters now.
    pub dead: u64,
    /// Records that were dead letters and were dropped.
    pub dropped: u64,
    /// Records that were dead letters when the batch was complete, and went into another batch.
    pub replayed: u64,
    /// Whether its deadline ended it.
    pub overdue: bool,
    /// SHA-256 of the roll that first held the batch, in hexadecimal, once it is written.
    pub roll_sha256: Option<String>,
    /// Chunks accepted; of a batch that was made by a replay, those that it was made with.
    #[serde(default)]
    pub chunks: u64,
    /// Chunks committed, those of records that were tried again included.
    #[serde(default)]
    pub chunks_committed: u64,
    /// The trace of the first of its chunks that came with one.
    #[serde(default)]
    pub trace: Option<String>,
    /// When it came to its states.
    #[serde(default)]
    pub times: BatchTimes,
}

impl Batch {
    /// A batch that has just been opened, but for the time.
    pub fn opened(id: BatchId, options: &BatchOptions) -> Self {
        Self {
            id,
            state: BatchState::Open,
            priority: options.priority,
            policy: options.policy,
            received: 0,
            digest: None,
            retrying: 0,
            kept: 0,
            dead: 0,
            dropped: 0,
            replayed: 0,
            overdue: false,
            roll_sha256: None,
            chunks: 0,
            chunks_committed: 0,
            trace: None,
            times: BatchTimes::default(),
        }
    }

    /// Its place in a list of batches; `None` if it is in none, as an earlier version opened it.
    pub fn cursor(&self) -> Option<BatchCursor> {
        let opened_ms = to_millis(self.times.opened?);
        Some(BatchCursor { opened_ms, id: self.id.clone() })
    }

    /// The digest of the records received, or of none; `None` if there are some and their digest is not
    /// known.
    pub fn digest_so_far(&self) -> Option<ContentDigest> {
        match self.received {
            0 => Some(ContentDigest::EMPTY),
            _ => self.digest,
        }
    }

    /// Checks that the records received have this digest, as far as both are known.
    ///
    /// # Errors
    ///
    /// [`Error::Different`].
    pub fn check_digest(&self, digest: Option<ContentDigest>) -> Result<(), Error> {
        match (self.digest_so_far(), digest) {
            (Some(known), Some(digest)) if known != digest => Err(Error::Different {
                batch: self.id.clone(),
                from: 0,
                to: self.received.saturating_sub(1),
            }),
            _ => Ok(()),
        }
    }

    /// Whether every record that was received has an outcome.
    pub fn is_drained(&self) -> bool {
        self.kept + self.dead + self.dropped + self.replayed == self.received
    }

    /// Whether nothing is missing for the roll but somebody who replays or drops its dead letters.
    pub fn is_held(&self) -> bool {
        self.state == BatchState::Sealed && self.is_drained() && !self.may_complete()
    }

    /// Whether, once it is sealed, it is complete.
    pub fn may_complete(&self) -> bool {
        self.is_drained() && (self.policy == Policy::Partial || self.dead == 0)
    }
}
