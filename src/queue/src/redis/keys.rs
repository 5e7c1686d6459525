//! Every key the store uses.
//!
//! | key | type | holds |
//! | --- | --- | --- |
//! | `{muster}:queue:roll` | stream | one entry for each complete batch: `b` batch |
//! | `{muster}:queue:high` `…:normal` `…:low` | stream | the chunks: `b` batch, `f` first place, `n` count, `p` payload |
//! | `{muster}:seal` | sorted set | batches by the time, in ms, at which to seal them |
//! | `{muster}:complete` | sorted set | complete batches in the order in which they became so |
//! | `{muster}:batch:<id>` | hash | `state`, `priority`, `received`, `kept`, `dead`, `places` (`from` or `each`), `seal_after_ms`, `roll_entry`, `roll_sha256` |
//! | `{muster}:batch:<id>:results` | hash | by first place: the count as 4 bytes, big-endian, and the payload |
//! | `{muster}:batch:<id>:places` | bitmap | the places of a batch whose records each have their own |
//! | `{muster}:batch:<id>:dead` | sorted set, all scores 0 | the place as 8 bytes, big-endian, and the letter |
//!
//! All share the hash tag `{muster}`, so that in a cluster they share a slot, as a script needs.

use crate::{BatchId, Priority};

/// The consumer group of every stream.
pub(super) const GROUP: &str = "workers";

/// What the key of every batch begins with.
pub(super) const BATCH: &str = "{muster}:batch:";

/// The batches that are to be sealed, by time.
pub(super) const SEAL: &str = "{muster}:seal";

/// The batches that are complete, in order.
pub(super) const COMPLETE: &str = "{muster}:complete";

/// The keys of the streams, in the order in which work is leased: see [`Stream`].
pub(super) const STREAMS: [&str; 4] =
    ["{muster}:queue:roll", "{muster}:queue:high", "{muster}:queue:normal", "{muster}:queue:low"];

/// The key of the stream of rolls.
pub(super) const ROLL: &str = STREAMS[Stream::Roll as usize];

/// A stream, in the order in which work is leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Roll,
    High,
    Normal,
    Low,
}

impl Stream {
    pub(super) const ALL: [Self; 4] = [Self::Roll, Self::High, Self::Normal, Self::Low];

    pub(super) fn key(self) -> &'static str {
        STREAMS[self as usize]
    }

    /// Its name in a lease.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Roll => "roll",
            Self::High => Priority::High.as_str(),
            Self::Normal => Priority::Normal.as_str(),
            Self::Low => Priority::Low.as_str(),
        }
    }

    /// Its number in `KEYS` of a script that is given [`STREAMS`], from 1.
    pub(super) fn number(self) -> usize {
        self as usize + 1
    }
}

/// The batch itself.
pub(super) fn batch(id: &BatchId) -> String {
    format!("{BATCH}{id}")
}

/// Its results.
pub(super) fn results(id: &BatchId) -> String {
    format!("{BATCH}{id}:results")
}

/// Its places, if its records each have their own.
pub(super) fn places(id: &BatchId) -> String {
    format!("{BATCH}{id}:places")
}

/// Its dead letters.
pub(super) fn dead(id: &BatchId) -> String {
    format!("{BATCH}{id}:dead")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_where_its_number_says() {
        for (index, stream) in Stream::ALL.into_iter().enumerate() {
            assert_eq!(stream.number(), index + 1);
            assert!(stream.key().ends_with(stream.name()));
        }
    }
}
