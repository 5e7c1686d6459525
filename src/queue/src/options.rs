//! How a store is used, beside where it is.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::time::Duration;

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
    /// How long connecting to Redis may take in all: DNS, TCP, TLS, logins, sentinels or nodes of a
    /// cluster, and the checks of the servers.
    pub connect_timeout: Duration,
}

impl StoreOptions {
    /// The default of `connect_timeout`, 10 s. Over TLS with a cluster, connecting takes twelve round
    /// trips: 7.2 s at 300 ms each way.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// From 100 ms, which is enough for a server beside the program, to 5 min.
    const CONNECT_TIMEOUTS: RangeInclusive<Duration> =
        Duration::from_millis(100)..=Duration::from_secs(300);

    /// Checks a `connect_timeout`: it is from 100 ms to 5 min.
    ///
    /// # Errors
    ///
    /// It is shorter or longer.
    pub fn check_connect_timeout(timeout: Duration) -> Result<(), String> {
        if Self::CONNECT_TIMEOUTS.contains(&timeout) {
            Ok(())
        } else {
            Err("must be from 100ms to 5m".to_owned())
        }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            replicas: NonZeroU8::MIN,
            limits: Limits::default(),
            key_prefix: KeyPrefix::DEFAULT,
            connect_timeout: Self::CONNECT_TIMEOUT,
        }
    }
}
