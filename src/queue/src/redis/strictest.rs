//! How durable "ok" is, for all processes of a store.
//!
//! A process that asks for more than an answer writes that to a key, which stays for a minute after its
//! last process. The others read it and ask for the same. So if processes are set differently, the
//! strictest setting wins: what one of them has made durable does not depend on a step that another one
//! lost.

use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;

use redis::Cmd;
use tokio::time::timeout;

use super::link::Link;
use crate::{Durability, StoreOptions};

/// How long the key stays, in milliseconds: several times as long as between two looks.
const STAYS_MS: u32 = 60_000;

/// How long an answer may take without which a connection is used as well: twice as long as one round
/// trip of 300 ms each way. A part of a cluster may be away, and the others are to work.
pub(super) const ANSWER_MAX: Duration = Duration::from_millis(1200);

/// What "ok" is to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Accepted,
    Synced,
    Replicated(NonZeroU8),
}

impl Asked {
    pub(super) fn of(options: &StoreOptions) -> Self {
        match options.durability {
            Durability::Accepted => Self::Accepted,
            Durability::Synced => Self::Synced,
            Durability::Replicated => Self::Replicated(options.replicas),
        }
    }

    pub(super) fn durability(self) -> Durability {
        match self {
            Self::Accepted => Durability::Accepted,
            Self::Synced => Durability::Synced,
            Self::Replicated(_) => Durability::Replicated,
        }
    }

    /// What both ask for, or why that is not possible.
    pub(super) fn with(self, other: Self) -> Result<Self, String> {
        match (self, other) {
            (Self::Accepted, asked) | (asked, Self::Accepted) => Ok(asked),
            (Self::Synced, Self::Synced) => Ok(Self::Synced),
            (Self::Replicated(one), Self::Replicated(two)) => Ok(Self::Replicated(one.max(two))),
            _ => Err(format!(
                "durability is `{self}` here, and `{other}` at another process of this store, or was \
                 until a minute ago: set the same at all of them"
            )),
        }
    }

    /// What it is in the key. A later version may write what this one does not know.
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "synced" => Some(Self::Synced),
            Some(("replicated", replicas)) => replicas.parse().ok().map(Self::Replicated),
            _ => None,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.durability().fmt(f)?;
        match self {
            Self::Replicated(replicas) => write!(f, " {replicas}"),
            _ => Ok(()),
        }
    }
}

/// What other processes of the store ask for; `None` if the server does not answer that soon.
pub(super) async fn read(link: &Link, key: &str) -> Option<Asked> {
    let mut link = link.clone();
    let read = timeout(ANSWER_MAX, Cmd::get(key).query_async::<Option<String>>(&mut link)).await;
    let asked = read.ok()?.ok()?;
    Some(asked.as_deref().and_then(Asked::parse).unwrap_or(Asked::Accepted))
}

/// Says to the other processes what this one asks for.
pub(super) async fn write(link: &Link, key: &str, asked: Asked) {
    let mut link = link.clone();
    // First what needs no memory: a server that has none left takes no new keys.
    let mut write = redis::pipe();
    write.cmd("PEXPIRE").arg(key).arg(STAYS_MS).ignore();
    write.cmd("SET").arg(key).arg(asked.to_string()).arg("PX").arg(STAYS_MS).ignore();
    if !matches!(timeout(ANSWER_MAX, write.query_async::<()>(&mut link)).await, Ok(Ok(()))) {
        tracing::debug!("the other processes of the store are not informed of the durability");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_wins() {
        let replicated = |replicas| Asked::Replicated(NonZeroU8::new(replicas).unwrap());
        for (one, other, both) in [
            (Asked::Accepted, Asked::Accepted, Some(Asked::Accepted)),
            (Asked::Accepted, Asked::Synced, Some(Asked::Synced)),
            (Asked::Synced, Asked::Accepted, Some(Asked::Synced)),
            (Asked::Synced, Asked::Synced, Some(Asked::Synced)),
            (Asked::Accepted, replicated(2), Some(replicated(2))),
            (replicated(1), replicated(2), Some(replicated(2))),
            (replicated(2), replicated(1), Some(replicated(2))),
            (replicated(1), Asked::Synced, None),
            (Asked::Synced, replicated(1), None),
        ] {
            assert_eq!(one.with(other).ok(), both, "{one} and {other}");
        }
        let refusal = Asked::Synced.with(replicated(2)).unwrap_err();
        assert_eq!(
            refusal,
            "durability is `synced` here, and `replicated 2` at another process of this store, or was \
             until a minute ago: set the same at all of them"
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for asked in [Asked::Synced, Asked::Replicated(NonZeroU8::MAX)] {
            assert_eq!(Asked::parse(&asked.to_string()), Some(asked));
        }
        for text in ["", "accepted", "replicated", "replicated 0", "synced 1", "more"] {
            assert_eq!(Asked::parse(text), None, "{text}");
        }
    }
}
