//! The name a worker leases under.

use std::fmt;

/// A worker's name, new at each start, so that what a dead one held is never taken for its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(String);

impl WorkerId {
    /// Makes a name: `label` (a host, say), a dash, and 64 random bits.
    pub fn random(label: &str) -> Self {
        Self(format!("{label}-{:016x}", rand::random::<u64>()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
