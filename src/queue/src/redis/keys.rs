//! Every key the store uses, and the partitions that they are in.
//!
//! | key | type | holds |
//! | --- | --- | --- |
//! | `TAG:queue:roll` | stream | one entry for each complete batch: `b` batch |
//! | `TAG:queue:high` `…:normal` `…:low` | stream | chunks by priority: `b` batch, `f` first place, `n` count, `p` the name of the payload, `z` its length in bytes; `o` when the batch was opened, in ms; of a retry `a` failures and, if there was one, `s` the time of the first in ms; `t` trace, if there is one; last `l` how often its lease was lost before it was given back, if ever; replays in place have `a` as retries do |
//! | `TAG:queue:isolated` | stream | such retries as are isolated |
//! | `TAG:retry` | sorted set | `<batch>/<place>` of retries by the time, in ms, at which they are to be in line |
//! | `TAG:retries` | hash | by `<batch>/<place>`: the stream and the fields of their future entry, as MessagePack |
//! | `TAG:depth` | hash | `records`, `bytes`: of all chunks that are not committed; `high:records`, `high:bytes`, …: of those in each stream, or on their way back into it; gone when there are none at all |
//! | `TAG:totals` | hash | `accepted`, `kept`, `dead`: records since the store was first used |
//! | `TAG:controls` | hash | what an operator has set: `paused` (1), `log_filter` |
//! | `TAG:format` | string | the format of all that is here, a number; in the first partition only |
//! | `TAG:durability` | string, for a minute | the strictest durability that a process of the store is set to, if that is more than `accepted`; in the first partition only |
//! | `TAG:held` | set | sealed batches that wait for nothing but for their dead letters to be resolved |
//! | `TAG:roll` | hash | what is known of the roll: `id`, `batches`, `sha256`; in the first partition only |
//! | `TAG:workers` | sorted set | processes that run workers by the time, in ms, of their last heartbeat; in the first partition alone |
//! | `TAG:worker:<id>` | string, for a day | what such a process said of itself, as JSON |
//! | `TAG:batches` | sorted set, all scores 0 | all batches: the time at which each was opened, in ms, as 8 bytes, big-endian, and its id |
//! | `TAG:batches:<state>` | sorted set, all scores 0 | the same, of those in this state |
//! | `TAG:batches:going` | sorted set | the same, of those that have an end, by the time, in ms, at which they are gone |
//! | `TAG:deadline` | sorted set | open batches by the time, in ms, at which to end them; at 0 aborted ones of which something is left |
//! | `TAG:complete` | sorted set | complete batches in the order in which they became so |
//! | `TAG:dead` | sorted set, all scores 0 | dead letters of all batches: group, batch, and place as 8 bytes, big-endian, with a 0 byte between |
//! | `TAG:dead:groups` | hash | by group: how many dead letters it has |
//! | `TAG:settled` | string, for a day | what a settled step writes to (`settle.rs`) |
//! | `TAG:clock` | string | the server's time in ms, as last seen, to a second |
//! | `TAG:batch:<id>` | hash | `state`, `priority`, `policy`, `received`, `retrying`, `kept`, `dead`, `dropped`, `replayed`, `overdue`, `places` (`from` or `each`), `deadline_ms`, `ending`, `roll_entry`, `roll_sha256`, `chunks`, `chunks_committed`, `opened_ms`, `sealed_ms`, `completed_ms`, `ended_ms`, `trace`, `digest` of the records received, in hexadecimal, if they came one after another |
//! | `TAG:batch:<id>:results` | hash | by first place: the count and the length of the payload, as 4 bytes each, big-endian, and the name of the payload; of a dead letter count 1, length 0 and no name |
//! | `TAG:batch:<id>:payloads` | hash | by name: what the chunks of the batch, and its results, have for a payload; by `+` and a name: nothing, for an appended one that is there; gone when the batch is written or aborted |
//! | `TAG:batch:<id>:hashes` | hash | of a batch whose records each have their own index, by index / 32: 8 bytes of each record's hash, as `shared/content.lua` says |
//! | `TAG:batch:<id>:checkpoints` | string | of a batch whose records came one after another: 24 bytes for each checkpoint, as `shared/content.lua` says |
//! | `TAG:batch:<id>:places` | bitmap | the indices of the records that an earlier version received |
//! | `TAG:batch:<id>:dead` | sorted set, all scores 0 | the place as 8 bytes, big-endian, and the letter |
//!
//! `TAG` is the hash tag of a partition, `{PREFIX}` on a server and `{PREFIX:0}` to `{PREFIX:7}` on a
//! cluster, where PREFIX is the key prefix: its keys share a slot in a cluster, as a script needs. A
//! script is given the tag and makes the keys of it (`shared/keys.lua`).

use crate::{BatchId, KeyPrefix, Priority};

/// The consumer group of every stream.
pub(super) const GROUP: &str = "workers";

/// How many partitions a cluster has. Fixed, as the partition of a batch follows from its id and
/// this: with another number, batches would not be found. Enough to use some masters well, few
/// enough to look at all of them for work.
const CLUSTER_PARTITIONS: usize = 8;

/// A part of the queue that lives in one slot: some of the batches, with all that belongs to them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    /// Its place among the partitions.
    pub(super) index: usize,
    /// Its hash tag, in braces: what all its keys begin with.
    pub(super) tag: String,
    /// What a script says its keys are: the tag, and one more. There is neither. So while the slot
    /// moves from one server to another, and neither has all the keys, a script is refused
    /// (`TRYAGAIN`): with one key alone, it would be run by the server that the keys go to.
    pub(super) keys: [String; 2],
}

impl Partition {
    /// The only partition of a server, or those of a cluster.
    pub(super) fn all(cluster: bool, prefix: &KeyPrefix) -> Vec<Self> {
        if !cluster {
            return vec![Self::new(0, format!("{{{prefix}}}"))];
        }
        (0..CLUSTER_PARTITIONS)
            .map(|index| Self::new(index, format!("{{{prefix}:{index}}}")))
            .collect()
    }

    fn new(index: usize, tag: String) -> Self {
        let keys = [tag.clone(), format!("{tag}:whole")];
        Self { index, tag, keys }
    }

    /// The partition of a batch.
    pub(super) fn of<'a>(all: &'a [Self], id: &BatchId) -> &'a Self {
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(fnv1a(id.as_str().as_bytes()) % count).unwrap_or_default();
        &all[index]
    }

    /// The key of a stream.
    pub(super) fn stream(&self, stream: Stream) -> String {
        format!("{}:queue:{}", self.tag, stream.name())
    }

    /// The stream of this key.
    pub(super) fn stream_of(&self, key: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| self.stream(*stream) == key)
    }

    /// The payloads of a batch.
    pub(super) fn payloads(&self, batch: &BatchId) -> String {
        format!("{}:batch:{batch}:payloads", self.tag)
    }

    /// The results of a batch.
    pub(super) fn results(&self, batch: &BatchId) -> String {
        format!("{}:batch:{batch}:results", self.tag)
    }

    /// The hashes of a batch's records.
    pub(super) fn hashes(&self, batch: &BatchId) -> String {
        format!("{}:batch:{batch}:hashes", self.tag)
    }

    /// The checkpoints of a batch.
    pub(super) fn checkpoints(&self, batch: &BatchId) -> String {
        format!("{}:batch:{batch}:checkpoints", self.tag)
    }

    /// How much waits.
    pub(super) fn depth(&self) -> String {
        format!("{}:depth", self.tag)
    }

    /// What an operator has set.
    pub(super) fn controls(&self) -> String {
        format!("{}:controls", self.tag)
    }

    /// The format of the data.
    pub(super) fn format(&self) -> String {
        format!("{}:format", self.tag)
    }

    /// How durable "ok" is to be.
    pub(super) fn durability(&self) -> String {
        format!("{}:durability", self.tag)
    }

    /// What is known of the roll.
    pub(super) fn roll(&self) -> String {
        format!("{}:roll", self.tag)
    }

    /// The groups of dead letters.
    pub(super) fn dead_groups(&self) -> String {
        format!("{}:dead:groups", self.tag)
    }
}

/// FNV-1a, 64 bits: the same for ever, unlike the standard library's hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A stream of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Roll,
    High,
    Normal,
    Low,
    Isolated,
}

impl Stream {
    pub(super) const ALL: [Self; 5] =
        [Self::Roll, Self::High, Self::Normal, Self::Low, Self::Isolated];

    /// Those that any worker leases from, in this order.
    pub(super) const LEASED: [Self; 4] = [Self::Roll, Self::High, Self::Normal, Self::Low];

    /// Its name in a lease and in its key.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Roll => "roll",
            Self::High => Priority::High.as_str(),
            Self::Normal => Priority::Normal.as_str(),
            Self::Low => Priority::Low.as_str(),
            Self::Isolated => "isolated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_stays_in_its_partition() {
        let all = Partition::all(true, &KeyPrefix::DEFAULT);
        // The fault suite relies on the last one.
        for (id, index) in [("a", 4), ("b", 5), ("batch-1", 1), ("send-1", 5)] {
            assert_eq!(Partition::of(&all, &id.parse().unwrap()).index, index, "{id}");
        }
        let one = Partition::all(false, &KeyPrefix::DEFAULT);
        assert_eq!(Partition::of(&one, &"a".parse().unwrap()).tag, "{muster}");
    }

    #[test]
    fn batches_are_spread_over_all_partitions() {
        let all = Partition::all(true, &KeyPrefix::DEFAULT);
        let mut batches = [0; CLUSTER_PARTITIONS];
        for _ in 0..800 {
            batches[Partition::of(&all, &BatchId::random("b")).index] += 1;
        }
        assert!(batches.iter().all(|count| *count > 50), "{batches:?}");
    }

    #[test]
    fn a_stream_is_found_by_its_key() {
        for partition in Partition::all(true, &KeyPrefix::DEFAULT) {
            for stream in Stream::ALL {
                assert_eq!(partition.stream_of(&partition.stream(stream)), Some(stream));
            }
            assert_eq!(partition.stream_of("{muster}:queue:roll"), None);
        }
    }
}
