//! How a store is used, beside where it is.

use std::fmt;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::{KeyPrefix, Limits};

/// What a store has done when it answers "ok".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// It has accepted the step: what then outlives the loss of the store is up to the store's own
    /// configuration.
    #[default]
    Accepted,
    /// The step is on the store's disk.
    Synced,
    /// The step is in the memory of so many replicas of the store, too:
    /// [`StoreOptions::replicas`].
    Replicated,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Synced => "synced",
            Self::Replicated => "replicated",
        })
    }
}

/// How a store is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// What "ok" means.
    pub durability: Durability,
    /// How many replicas [`Durability::Replicated`] means.
    pub replicas: NonZeroU8,
    /// How much may wait in it.
    pub limits: Limits,
    /// What its keys begin with, on Redis.
    pub key_prefix: KeyPrefix,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            replicas: NonZeroU8::MIN,
            limits: Limits::default(),
            key_prefix: KeyPrefix::DEFAULT,
        }
    }
}
