//! What the workers have done: who holds which chunk, and what was committed.
//!
//! The store decides which work it gives. The desk checks that it may, and keeps it in mind.

use std::collections::BTreeMap;

use bytes::Bytes;
use muster_queue::{Chunk, DeadLetter, Priority, Work, WorkerId};

/// A chunk by the number of its batch and the place of its first record.
pub(crate) type Name = (usize, u64);

/// All work that there is.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) pieces: BTreeMap<Name, Piece>,
    /// Every claim that the store gave and that may still mean something, oldest first.
    pub(crate) claims: Vec<Claim>,
    /// The batches that are complete and not written, in the order in which they became so.
    pub(crate) complete: Vec<usize>,
}

/// A chunk on its way.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) priority: Priority,
    pub(crate) payload: Bytes,
    pub(crate) count: u32,
    pub(crate) at: At,
    /// How often it was given back: a claim from before means nothing.
    returns: u32,
}

/// Where a chunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Waiting,
    Held(WorkerId),
    Done { output: Bytes, dead: Vec<DeadLetter> },
}

/// A lease as the store gave it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) work: Work,
    returns: u32,
}

impl Desk {
    /// Adds a chunk that was accepted.
    pub(crate) fn add(&mut self, name: Name, priority: Priority, count: u32, payload: Bytes) {
        let piece = Piece { priority, payload, count, at: At::Waiting, returns: 0 };
        self.pieces.insert(name, piece);
    }

    /// The chunks of one batch, in order, with their first places.
    pub(crate) fn of(&self, batch: usize) -> impl Iterator<Item = (u64, &Piece)> {
        self.pieces.range((batch, 0)..=(batch, u64::MAX)).map(|((_, first), piece)| (*first, piece))
    }

    /// Checks what the store leased to `worker`: the most urgent of what waits, rolls first.
    pub(crate) fn leased(&mut self, worker: &WorkerId, max: usize, work: &[Work]) {
        let waiting = |at: &At| *at == At::Waiting;
        let mut urgent: Vec<Priority> =
            self.pieces.values().filter(|piece| waiting(&piece.at)).map(|p| p.priority).collect();
        urgent.sort_unstable();
        let leased: Vec<Name> = self.given(worker, max, work, waiting);
        let priorities: Vec<Priority> =
            leased.iter().map(|name| self.pieces[name].priority).collect();
        assert_eq!(priorities, urgent[..priorities.len()], "the most urgent chunks come first");
        let is_roll = |work: &Work| matches!(work, Work::Roll(_));
        assert!(work.is_sorted_by_key(|work| !is_roll(work)), "rolls come first: {work:?}");
    }

    /// Checks what `worker` took over: nothing but what somebody held.
    pub(crate) fn taken_over(&mut self, worker: &WorkerId, max: usize, work: &[Work]) {
        self.given(worker, max, work, |at| matches!(at, At::Held(_)));
    }

    /// Notes that `worker` got this work, and checks that it `may`.
    fn given(
        &mut self,
        worker: &WorkerId,
        max: usize,
        work: &[Work],
        may: impl Fn(&At) -> bool,
    ) -> Vec<Name> {
        let was_some = self.pieces.values().any(|piece| may(&piece.at));
        assert!(work.len() <= max, "{} of at most {max}", work.len());
        assert!(!was_some || !work.is_empty(), "there was work for {worker}");
        let mut names = Vec::new();
        let mut rolls = 0;
        for work in work {
            assert_eq!(work.lease().worker, *worker);
            let returns = match work {
                Work::Roll(_) => {
                    rolls += 1;
                    0
                }
                Work::Chunk(chunk) => {
                    let piece = self.pieces.get_mut(&name(chunk)).expect("it was appended");
                    assert!(may(&piece.at), "{worker} may not have {chunk:?}: {piece:?}");
                    assert_eq!((&chunk.payload, chunk.count), (&piece.payload, piece.count));
                    piece.at = At::Held(worker.clone());
                    names.push(name(chunk));
                    piece.returns
                }
            };
            self.claims.push(Claim { work: work.clone(), returns });
        }
        assert!(rolls <= self.complete.len(), "a roll for each complete batch, not {rolls}");
        names
    }

    /// Notes that a claim was given back, and has an effect if it was not lost.
    pub(crate) fn released(&mut self, claim: &Claim) {
        let Work::Chunk(chunk) = &claim.work else {
            return;
        };
        let piece = self.pieces.get_mut(&name(chunk)).expect("it was leased");
        let held = At::Held(chunk.lease.worker.clone());
        if piece.returns == claim.returns && piece.at == held {
            piece.returns += 1;
            piece.at = At::Waiting;
        }
    }

    /// Commits a chunk, and says whether the store must take it: the first time, whoever holds it.
    pub(crate) fn commit(&mut self, claim: &Claim, output: Bytes, dead: Vec<DeadLetter>) -> bool {
        let Work::Chunk(chunk) = &claim.work else {
            return false;
        };
        let piece = self.pieces.get_mut(&name(chunk)).expect("it was leased");
        let is_first = piece.returns == claim.returns && !matches!(piece.at, At::Done { .. });
        if is_first {
            piece.at = At::Done { output, dead };
        }
        is_first
    }

    /// Notes that all leases are void.
    pub(crate) fn forget_claims(&mut self) {
        self.claims.clear();
        for piece in self.pieces.values_mut() {
            if let At::Held(_) = piece.at {
                piece.at = At::Waiting;
            }
        }
    }
}

/// The name of a chunk.
pub(crate) fn name(chunk: &Chunk) -> Name {
    let number = chunk.batch.as_str().trim_start_matches("batch-");
    (number.parse().expect("a batch of the model"), chunk.first)
}
