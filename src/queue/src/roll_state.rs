//! What the store knows of the roll.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which roll the batches of a store are written to, and what that roll holds.
///
/// The manifest of the roll says the same. A writer compares the two before it writes, so that it
/// notices a folder or a store that is not the one that belongs to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollState {
    /// The id of the roll.
    pub id: String,
    /// How many batches were written to it.
    pub batches: u64,
    /// The SHA-256 of the roll with these batches, in hexadecimal. Empty for a roll without batches.
    pub sha256: String,
}

impl fmt::Display for RollState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.batches == 1 { "" } else { "es" };
        // The first digits are enough to tell rolls apart.
        write!(f, "roll {:.8} with {} batch{s}", self.id, self.batches)
    }
}
