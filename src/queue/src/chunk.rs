//! A chunk on its way: appended, leased, committed, read back for the roll.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use muster_content::{ContentDigest, RecordHash};

use crate::{BatchId, DeadLetter, WorkerId};

/// How many chunks one [`Queue::append`] takes at most. It bounds the time for which a store can do
/// nothing else.
///
/// [`Queue::append`]: crate::Queue::append
pub const APPENDED_MAX: usize = 16;

/// A chunk to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChunk {
    /// Which records of the batch these are.
    pub places: Places,
    /// How many records there are: at least 1.
    pub count: u32,
    /// The records, in a form that the store does not look into. What two chunks hold one after
    /// another is what one chunk would hold.
    pub payload: Bytes,
    /// The trace that the records came with (a W3C `traceparent`), if they share one.
    pub trace: Option<String>,
}

/// How the records of a chunk say which records of the batch they are.
///
/// A batch keeps to one of the two: the first chunk decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// One after another. The sender sends in order.
    From {
        /// The index of the first.
        first: u64,
        /// The digest of the records of the batch before them.
        before: ContentDigest,
        /// The digest of the records of the batch up to the last of them.
        after: ContentDigest,
    },
    /// Each its own, with its hash, in the order of the payload. The sender has several under way at
    /// once.
    Each(Vec<(u64, RecordHash)>),
}

impl Places {
    /// The places of chunks that are appended together, as those of one chunk.
    ///
    /// # Panics
    ///
    /// When these cannot be appended together: there are none, or more than [`APPENDED_MAX`], or they
    /// do not follow one another, or they say their places in both ways.
    pub fn of_all(chunks: &[NewChunk]) -> Self {
        assert!((1..=APPENDED_MAX).contains(&chunks.len()), "{} chunks at once", chunks.len());
        let (first, others) = (&chunks[0], &chunks[1..]);
        let mut all = first.places.clone();
        let mut received = u64::from(first.count);
        for chunk in others {
            match (&mut all, &chunk.places) {
                (
                    Self::From { first, after: end, .. },
                    Self::From { first: next, before, after },
                ) => {
                    assert_eq!(*next, *first + received, "a chunk follows the one before it");
                    assert_eq!(before, end, "a chunk goes on with the digest before it");
                    *end = *after;
                }
                (Self::Each(all), Self::Each(places)) => all.extend(places),
                (all, places) => panic!("{places:?} together with {all:?}"),
            }
            received += u64::from(chunk.count);
        }
        all
    }
}

/// What became of chunks that were to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// All of them are stored.
    Accepted,
    /// [`Places::From`]: the batch already has records up to here, and nothing was stored.
    ///
    /// The sender goes on with the record at this place, once it has checked that the digest of its
    /// own records up to there is that of the batch.
    Behind {
        /// How many records the batch has.
        received: u64,
    },
    /// [`Places::Each`]: the batch already has records at some of these indices, and nothing was
    /// stored.
    ///
    /// The sender goes on with the others.
    Taken {
        /// The indices at which the batch has the same record.
        same: Vec<u64>,
        /// The indices at which the batch has a different record.
        different: Vec<u64>,
    },
}

/// A worker's claim on a piece of work. Opaque to all but the store that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Who holds it.
    pub worker: WorkerId,
    /// The store's name for the entry that is leased.
    pub(crate) entry: String,
}

impl Lease {
    /// Makes a claim by `worker` on what the store calls `entry`: for those who write a store.
    pub fn new(worker: WorkerId, entry: String) -> Self {
        Self { worker, entry }
    }

    /// The store's name for what is leased.
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

/// A piece of work that was leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A chunk is to be processed.
    Chunk(Chunk),
    /// A batch is complete: the roll is to be written ([`Queue::next_complete`]).
    ///
    /// [`Queue::next_complete`]: crate::Queue::next_complete
    Roll(Lease),
}

impl Work {
    /// The claim on it.
    pub fn lease(&self) -> &Lease {
        match self {
            Self::Chunk(chunk) => &chunk.lease,
            Self::Roll(lease) => lease,
        }
    }
}

/// A leased chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The claim on it.
    pub lease: Lease,
    /// The batch it is of.
    pub batch: BatchId,
    /// The place of its first record in the roll's order of the batch, from 0.
    pub first: u64,
    /// How many records there are.
    pub count: u32,
    /// The records, as appended.
    pub payload: Bytes,
    /// The trace that the records came with.
    pub trace: Option<String>,
    /// How often its lease was lost: a worker was given it, and fell silent. Such a worker may have
    /// been ended by a record of the chunk, or by something else: a loss is no failure.
    pub lost: u32,
    /// What became of its record before, if it is one that is retried.
    pub history: History,
}

/// What became of a record before, where a record has a chunk of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How often processing it has failed.
    pub failures: u32,
    /// When it failed first, to the millisecond.
    pub failed_first: Option<SystemTime>,
    /// Whether it is suspected of ending workers. Such a chunk is leased by
    /// [`Queue::lease_isolated`] alone, so that nothing else is lost with it.
    ///
    /// [`Queue::lease_isolated`]: crate::Queue::lease_isolated
    pub isolated: bool,
}

/// What came of a chunk: every record of it is kept, dead, or to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The records for the roll.
    pub kept: Kept,
    /// The records that will not be tried again.
    pub dead: Vec<DeadLetter>,
    /// The records that will: each becomes a chunk of its own.
    pub retry: Vec<Retry>,
}

/// The records of a chunk that are for the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of the chunk, unchanged: its bytes stay where they are.
    AsSent,
    /// These: each a run of records that follow one another, in order.
    Runs(Vec<ResultChunk>),
}

/// A record that is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Its place in the batch.
    pub place: u64,
    /// The record, in the form of a chunk's payload.
    pub payload: Bytes,
    /// What became of it until now.
    pub history: History,
    /// How long to wait before it may be leased. What is isolated does not wait.
    pub after: Duration,
}

/// A committed run of records, read back for the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultChunk {
    /// The place of its first record.
    pub first: u64,
    /// How many places it covers: the next one begins at `first + count`. Where a record is dead,
    /// was dropped or was replayed into another batch, one covers its place alone and is empty.
    pub count: u32,
    /// The records that are kept, in order.
    pub payload: Bytes,
}

/// What [`Queue::commit`] did.
///
/// [`Queue::commit`]: crate::Queue::commit
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The outcome is stored: it was the first for this chunk.
    Taken,
    /// Nothing was stored: the chunk had been committed before, by whoever, or the lease had ended
    /// by release, or the batch is aborted.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(places: Places, count: u32) -> NewChunk {
        NewChunk { places, count, payload: Bytes::new(), trace: None }
    }

    fn hash(index: u64) -> RecordHash {
        RecordHash::of(&index.to_be_bytes())
    }

    /// The digest of the first `records`.
    fn digest(records: u64) -> ContentDigest {
        (0..records).map(hash).fold(ContentDigest::EMPTY, ContentDigest::then)
    }

    fn from(first: u64, count: u32) -> NewChunk {
        let after = digest(first + u64::from(count));
        chunk(Places::From { first, before: digest(first), after }, count)
    }

    fn each(indices: &[u64]) -> NewChunk {
        chunk(Places::Each(indices.iter().map(|index| (*index, hash(*index))).collect()), 1)
    }

    #[test]
    fn the_places_of_chunks_are_those_of_one() {
        let stream = [from(4, 2), from(6, 1), from(7, 3)];
        let (before, after) = (digest(4), digest(10));
        assert_eq!(Places::of_all(&stream), Places::From { first: 4, before, after });
        let calls = [each(&[3, 1]), each(&[7])];
        assert_eq!(Places::of_all(&calls), each(&[3, 1, 7]).places);
    }

    #[test]
    fn what_cannot_be_appended_together_is_a_mistake() {
        let too_many: Vec<NewChunk> = (0..=APPENDED_MAX as u64).map(|at| from(at, 1)).collect();
        let other = ContentDigest::EMPTY.then(RecordHash::of(b"other"));
        let different = Places::From { first: 1, before: other, after: other.then(hash(1)) };
        for chunks in [
            vec![],
            too_many,
            vec![from(0, 1), from(2, 1)],
            vec![from(1, 1), from(1, 1)],
            vec![from(0, 1), chunk(different, 1)],
            vec![from(0, 1), each(&[1])],
        ] {
            assert!(std::panic::catch_unwind(|| Places::of_all(&chunks)).is_err(), "{chunks:?}");
        }
    }
}
