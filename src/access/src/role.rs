//! What somebody may do.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// What somebody may do. Who has several may do all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Send records, and follow the batches that they are in.
    Send,
    /// See everything, and download the roll.
    Read,
    /// Do what changes the queue, and see everything.
    Operate,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Send, Self::Read, Self::Operate];

    /// Its name, as in the access list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// Whether who has this role may do what asks for the other.
    pub fn covers(self, other: Self) -> bool {
        self == other || (self, other) == (Self::Operate, Self::Read)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is send, read or operate")]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(NoRole)
    }
}
