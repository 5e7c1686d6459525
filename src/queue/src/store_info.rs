//! What keeps the queue, and what it may lose.

use std::fmt;

use crate::Durability;

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// What it is, and which version: `redis 7.0.15`, `valkey 8.0.1`, `redict 7.3.6`, `embedded`.
    pub version: String,
    /// The memory it uses, or the size of its file, in bytes.
    pub used_bytes: u64,
    /// How much it may use, in bytes; 0 when it has no limit.
    pub limit_bytes: u64,
    /// Whether it refuses to store more, because it has reached its limit.
    pub is_full: bool,
    /// What it writes to its disk; of several servers, the one that writes the least.
    pub persistence: Persistence,
    /// What it has done when it answers "ok". That may be stricter than this process is set, because
    /// another process of the store is set so.
    pub durability: Durability,
}

impl StoreInfo {
    /// Which accepted records may be lost, and when. `None` if none may.
    pub fn may_lose(&self) -> Option<&'static str> {
        self.persistence.may_lose(self.durability)
    }
}

/// What a store writes to its disk. A smaller one keeps less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Persistence {
    /// Nothing.
    None,
    /// It does not say.
    Unknown,
    /// A snapshot now and then.
    Snapshots,
    /// Each command, to an append-only file.
    AppendOnly {
        /// When it syncs the file.
        fsync: Fsync,
    },
    /// Everything, to a file that is synced before it answers: the embedded store.
    File,
}

/// When a server syncs its append-only file. A smaller one keeps less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fsync {
    /// Never by itself: the operating system does it.
    No,
    /// It does not say.
    Unknown,
    /// Each second, or not always before it answers.
    EverySecond,
    /// Before it answers.
    Always,
}

impl Persistence {
    /// The names of all kinds: see [`kind`](Self::kind).
    pub const KINDS: [&'static str; 5] = ["none", "unknown", "snapshots", "append_only", "file"];

    /// Which accepted records may be lost, and when, if "ok" means this. `None` if none may.
    pub(crate) fn may_lose(self, durability: Durability) -> Option<&'static str> {
        use Durability::{Accepted, Replicated, Synced};
        match (self, durability) {
            (Self::File, _) | (Self::AppendOnly { .. }, Synced) => None,
            (Self::AppendOnly { fsync: Fsync::Always }, Replicated) => None,
            // A master that restarts with less than its replicas empties them.
            (Self::None, _) => Some(
                "the store has no persistence: when it restarts, all accepted records are lost",
            ),
            (Self::Snapshots, Replicated) => Some(
                "the store only takes snapshots: when its master restarts before a replica has taken \
                 over, the records accepted since the last snapshot are lost",
            ),
            (Self::Snapshots, Accepted | Synced) => Some(
                "the store only takes snapshots: when it ends unexpectedly, the records accepted since \
                 the last snapshot are lost",
            ),
            (Self::Unknown, _) => Some(
                "the store does not say what it writes to its disk (CONFIG GET is not allowed): accepted \
                 records may be lost when it restarts",
            ),
            (Self::AppendOnly { .. }, Replicated) => Some(
                "when the master's host fails and restarts before a replica has taken over, the records \
                 accepted in the last seconds may be lost",
            ),
            (Self::AppendOnly { fsync: Fsync::No | Fsync::Unknown }, Accepted) => Some(
                "the store does not sync its file by itself, or does not say so: when its host fails, the \
                 records accepted in about the last 30 seconds may be lost",
            ),
            (Self::AppendOnly { fsync: Fsync::EverySecond }, Accepted) => Some(
                "durability is `accepted`: when the store's host fails, the records accepted in the last \
                 two seconds may be lost",
            ),
            (Self::AppendOnly { fsync: Fsync::Always }, Accepted) => Some(
                "durability is `accepted`: when the store's host fails, records that it answered before \
                 it had synced them may be lost",
            ),
        }
    }

    /// Its name, without when it syncs.
    pub fn kind(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unknown => "unknown",
            Self::Snapshots => "snapshots",
            Self::AppendOnly { .. } => "append_only",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no persistence",
            Self::Unknown => "persistence unknown",
            Self::Snapshots => "snapshots only",
            Self::AppendOnly { fsync: Fsync::No } => "append-only file, never synced by the server",
            Self::AppendOnly { fsync: Fsync::Unknown } => "append-only file",
            Self::AppendOnly { fsync: Fsync::EverySecond } => {
                "append-only file, synced each second"
            }
            Self::AppendOnly { fsync: Fsync::Always } => {
                "append-only file, synced before each answer"
            }
            Self::File => "file, synced before each answer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(persistence: Persistence, durability: Durability) -> StoreInfo {
        StoreInfo {
            version: "redis 7.0.15".to_owned(),
            used_bytes: 1,
            limit_bytes: 0,
            is_full: false,
            persistence,
            durability,
        }
    }

    #[test]
    fn nothing_is_lost_only_where_the_settings_promise_it() {
        use Durability::{Accepted, Replicated, Synced};
        let append_only = |fsync| Persistence::AppendOnly { fsync };
        for (persistence, durability, loses) in [
            (Persistence::None, Accepted, true),
            (Persistence::None, Replicated, true),
            (Persistence::Unknown, Accepted, true),
            (Persistence::Snapshots, Accepted, true),
            (Persistence::Snapshots, Replicated, true),
            (append_only(Fsync::No), Accepted, true),
            (append_only(Fsync::EverySecond), Accepted, true),
            (append_only(Fsync::Always), Accepted, true),
            (append_only(Fsync::EverySecond), Synced, false),
            (append_only(Fsync::Always), Synced, false),
            (append_only(Fsync::EverySecond), Replicated, true),
            (append_only(Fsync::Always), Replicated, false),
            (append_only(Fsync::Unknown), Accepted, true),
            (Persistence::File, Synced, false),
        ] {
            let may_lose = info(persistence, durability).may_lose();
            assert_eq!(may_lose.is_some(), loses, "{persistence}, {durability}: {may_lose:?}");
        }
    }

    #[test]
    fn the_one_that_keeps_less_is_smaller() {
        let mut all = [
            Persistence::File,
            Persistence::AppendOnly { fsync: Fsync::Always },
            Persistence::AppendOnly { fsync: Fsync::No },
            Persistence::Snapshots,
            Persistence::Unknown,
            Persistence::None,
        ];
        all.sort_unstable();
        assert_eq!(
            all.map(Persistence::kind),
            ["none", "unknown", "snapshots", "append_only", "append_only", "file"]
        );
        assert_eq!(Persistence::KINDS.len(), 5);
    }
}
