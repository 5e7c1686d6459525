//! The chunks that are in the queue, and who holds which.
//!
//! The store decides which work it gives. The desk checks that it may, and keeps it in mind.

use std::collections::BTreeMap;

use bytes::Bytes;
use muster_queue::{BatchId, Chunk, Depth, History, Line, Priority, Work, WorkerId};

use super::step::Due;

/// All work that there is, but for the rolls.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The chunks in the queue, by the order in which they got there.
    pub(crate) pieces: BTreeMap<usize, Piece>,
    /// Every claim that the store gave and that may still mean something, oldest first.
    pub(crate) claims: Vec<Claim>,
    pieces_made: usize,
}

/// A chunk in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) batch: BatchId,
    pub(crate) first: u64,
    pub(crate) records: Vec<Bytes>,
    pub(crate) priority: Priority,
    pub(crate) trace: Option<String>,
    pub(crate) history: History,
    pub(crate) at: At,
    /// Whether its batch is aborted: then it may come without its payload.
    pub(crate) is_void: bool,
    lost: u32,
    /// Whether the store may have counted one loss more: its process ended with the lease.
    is_loss_unsure: bool,
    /// How often it was given back: a claim from before means nothing.
    returns: u32,
}

/// Where a chunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Waiting(Due),
    Held(WorkerId),
}

/// A lease as the store gave it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) work: Work,
    /// The number of the chunk; `None` for a roll.
    piece: Option<usize>,
    returns: u32,
}

impl Piece {
    pub(crate) fn new(
        batch: &BatchId,
        first: u64,
        records: Vec<Bytes>,
        priority: Priority,
    ) -> Self {
        Self {
            batch: batch.clone(),
            first,
            records,
            priority,
            trace: None,
            history: History::default(),
            at: At::Waiting(Due::Now),
            is_void: false,
            lost: 0,
            is_loss_unsure: false,
            returns: 0,
        }
    }

    /// Whether any worker may lease it now; `None` when the clock decides.
    fn waits(&self) -> Option<bool> {
        match self.at {
            _ if self.history.isolated => Some(false),
            At::Waiting(Due::Soon) => None,
            At::Waiting(Due::Now) => Some(true),
            At::Waiting(Due::Late) | At::Held(_) => Some(false),
        }
    }

    /// Whether it is in line for sure, and does not wait for its time.
    fn is_in_line(&self) -> bool {
        self.history.isolated || matches!(self.at, At::Held(_) | At::Waiting(Due::Now))
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.at, At::Held(_))
    }

    /// Checks a chunk that the store gave against what was queued.
    fn check(&mut self, chunk: &Chunk) {
        if self.is_loss_unsure {
            self.is_loss_unsure = false;
            self.lost += u32::from(chunk.lost > self.lost + u32::from(self.is_held()));
        }
        self.lost += u32::from(self.is_held());
        if !(self.is_void && chunk.payload.is_empty()) {
            assert_eq!(chunk.payload, self.records.concat());
        }
        assert_eq!(chunk.count as usize, self.records.len());
        assert_eq!((&chunk.trace, chunk.history), (&self.trace, self.history), "{chunk:?}");
        assert_eq!(chunk.lost, self.lost, "losses of {chunk:?}");
    }

    fn give_back(&mut self) {
        self.returns += 1;
        self.at = At::Waiting(Due::Now);
    }
}

fn depth<'a>(pieces: impl Iterator<Item = &'a Piece> + Clone) -> Depth {
    let records = pieces.flat_map(|piece| &piece.records);
    Depth {
        records: records.clone().count() as u64,
        bytes: records.map(|record| record.len() as u64).sum(),
    }
}

impl Desk {
    pub(crate) fn add(&mut self, piece: Piece) {
        self.pieces_made += 1;
        self.pieces.insert(self.pieces_made, piece);
    }

    /// What the store must say that waits.
    pub(crate) fn depth(&self) -> Depth {
        depth(self.pieces.values())
    }

    /// Checks what the store says of a line: that of a priority, or of what is isolated.
    pub(crate) fn check_line(&self, priority: Option<Priority>, line: Line) {
        let is_in = |piece: &&Piece| {
            piece.history.isolated == priority.is_none()
                && priority.is_none_or(|priority| priority == piece.priority)
        };
        let pieces = || self.pieces.values().filter(is_in);
        assert_eq!(line.depth, depth(pieces()), "the line of {priority:?}");
        if pieces().any(Piece::is_in_line) {
            assert!(line.oldest.is_some(), "{priority:?} has an oldest");
        } else if pieces().all(|piece| piece.at == At::Waiting(Due::Late)) {
            assert_eq!(line.oldest, None, "{priority:?} has nobody in line");
        }
    }

    /// Checks what the store leased to `worker`: the most urgent of what waits, rolls first.
    pub(crate) fn leased(&mut self, worker: &WorkerId, max: usize, work: &[Work]) {
        let given = self.given(worker, max, work, |piece| piece.waits() != Some(false));
        let given: Vec<Priority> =
            given.iter().map(|number| self.pieces[number].priority).collect();
        let is_roll = |work: &Work| matches!(work, Work::Roll(_));
        assert!(work.is_sorted_by_key(|work| !is_roll(work)), "rolls come first: {work:?}");
        assert!(given.is_sorted(), "the most urgent come first: {work:?}");
        let last = if work.len() < max { Some(Priority::Low) } else { given.last().copied() };
        for piece in self.pieces.values().filter(|piece| piece.waits() == Some(true)) {
            let may_wait = work.len() == max && last.is_none_or(|last| piece.priority >= last);
            assert!(may_wait, "{worker} got {work:?}, and there was {piece:?}");
        }
    }

    /// Checks what `worker` was given while the queue is paused: rolls alone.
    pub(crate) fn leased_rolls(&mut self, worker: &WorkerId, max: usize, work: &[Work]) {
        self.given(worker, max, work, |_| false);
    }

    /// Checks what `worker` took over: what somebody held, and was not isolated.
    pub(crate) fn taken_over(&mut self, worker: &WorkerId, max: usize, work: &[Work]) {
        let is_free = |piece: &Piece| piece.is_held() && !piece.history.isolated;
        let was_some = self.pieces.values().any(is_free);
        assert!(!was_some || !work.is_empty(), "{worker} got none of what is held");
        self.given(worker, max, work, is_free);
    }

    /// Checks the isolated chunk that `worker` got: one that is held, if it `may_take` those, or
    /// one that waits.
    pub(crate) fn isolated(&mut self, worker: &WorkerId, may_take: bool, chunk: Option<&Chunk>) {
        let isolated = || self.pieces.values().filter(|piece| piece.history.isolated);
        let is_some_held = may_take && isolated().any(Piece::is_held);
        let is_some = is_some_held || isolated().any(|piece| !piece.is_held());
        assert_eq!(chunk.is_some(), is_some, "{worker} got {chunk:?}");
        let work: Vec<Work> = chunk.cloned().map(Work::Chunk).into_iter().collect();
        let may = |piece: &Piece| piece.history.isolated && piece.is_held() == is_some_held;
        self.given(worker, 1, &work, may);
    }

    /// Notes that `worker` got this work, and checks that it `may`. Returns the chunks' numbers.
    fn given(
        &mut self,
        worker: &WorkerId,
        max: usize,
        work: &[Work],
        may: impl Fn(&Piece) -> bool,
    ) -> Vec<usize> {
        assert!(work.len() <= max, "{} of at most {max}", work.len());
        let mut numbers = Vec::new();
        for work in work {
            assert_eq!(work.lease().worker, *worker);
            let Work::Chunk(chunk) = work else {
                self.claims.push(Claim { work: work.clone(), piece: None, returns: 0 });
                continue;
            };
            let is_it = |piece: &Piece| piece.batch == chunk.batch && piece.first == chunk.first;
            let found = self.pieces.iter_mut().find(|(_, piece)| is_it(piece));
            let (number, piece) =
                found.unwrap_or_else(|| panic!("{worker} got what is not in the queue: {chunk:?}"));
            assert!(may(piece), "{worker} may not have {chunk:?}: {piece:?}");
            piece.check(chunk);
            piece.at = At::Held(worker.clone());
            numbers.push(*number);
            let (piece, returns) = (Some(*number), piece.returns);
            self.claims.push(Claim { work: work.clone(), piece, returns });
        }
        numbers
    }

    /// The number of the chunk that a claim is on, unless it was given back or is committed.
    pub(crate) fn number(&self, claim: &Claim) -> Option<usize> {
        let piece = self.pieces.get(&claim.piece?)?;
        (piece.returns == claim.returns).then_some(claim.piece?)
    }

    /// Notes that a claim was given back, and has an effect if it was not lost.
    pub(crate) fn released(&mut self, claim: &Claim) {
        let held = At::Held(claim.work.lease().worker.clone());
        if let Some(piece) = self.number(claim).and_then(|number| self.pieces.get_mut(&number))
            && piece.at == held
        {
            piece.give_back();
        }
    }

    /// Notes that all that a worker held was given back.
    pub(crate) fn forgotten(&mut self, worker: &WorkerId) {
        let held = At::Held(worker.clone());
        self.pieces.values_mut().filter(|piece| piece.at == held).for_each(Piece::give_back);
    }

    /// Notes that all leases are void.
    pub(crate) fn void_claims(&mut self) {
        self.claims.clear();
        for piece in self.pieces.values_mut().filter(|piece| piece.is_held()) {
            piece.give_back();
            piece.is_loss_unsure = true;
        }
    }
}
