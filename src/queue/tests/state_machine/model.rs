//! What became of every record of every batch, as the promises of the queue have it.
//!
//! The model knows no chunks and keeps no counters: it counts records.

use std::collections::BTreeMap;

use bytes::Bytes;
use muster_content::{ContentDigest, RecordHash};
use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, BatchState, BatchTimes, Controls, DeadGroup,
    DeadLetter, Depth, Error, LetterId, NewChunk, Places, Result, Totals,
};

use super::run::{DIGEST, LIMITS};

/// All batches.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) batches: BTreeMap<BatchId, Sent>,
    /// Those that are complete and not written, in the order in which they became so.
    pub(crate) complete: Vec<BatchId>,
    pub(crate) controls: Controls,
    pub(crate) totals: Totals,
}

/// A batch.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) options: BatchOptions,
    pub(crate) state: BatchState,
    pub(crate) overdue: bool,
    /// What became of its records, by place.
    pub(crate) records: Vec<Record>,
    pub(crate) chunks: u64,
    pub(crate) chunks_committed: u64,
    /// The trace of the first chunk that had one.
    pub(crate) trace: Option<String>,
    way: Option<Way>,
    /// The digest of its records, if they came one after another.
    digest: Option<ContentDigest>,
    /// The indices that its records were sent with, where each has its own, and their hashes.
    taken: BTreeMap<u64, RecordHash>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Waiting,
    Retrying,
    Kept(Bytes),
    Dead(DeadLetter),
    Dropped,
    Replayed,
    /// Its batch is aborted.
    Void,
}

/// How the chunks of a batch say which records they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    From,
    Each,
}

impl Sent {
    pub(crate) fn new(options: BatchOptions) -> Self {
        let state = BatchState::Open;
        let (overdue, records, chunks, chunks_committed, way, taken) = Default::default();
        let (trace, digest) = (None, None);
        Self {
            options,
            state,
            overdue,
            records,
            chunks,
            chunks_committed,
            trace,
            way,
            digest,
            taken,
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.records.len() as u64
    }

    /// Whether the batch takes more, in this way.
    pub(crate) fn takes(&self, way: Way) -> bool {
        self.state == BatchState::Open && self.way.is_none_or(|begun| begun == way)
    }

    pub(crate) fn count(&self, is_so: impl Fn(&Record) -> bool) -> u64 {
        self.records.iter().filter(|record| is_so(record)).count() as u64
    }

    pub(crate) fn dead(&self) -> impl Iterator<Item = &DeadLetter> {
        self.records.iter().filter_map(|record| match record {
            Record::Dead(letter) => Some(letter),
            _ => None,
        })
    }

    /// The batch as the store must show it, but for the times.
    pub(crate) fn shown(&self, id: &BatchId) -> Batch {
        Batch {
            id: id.clone(),
            state: self.state,
            priority: self.options.priority,
            policy: self.options.policy,
            received: self.received(),
            digest: self.digest,
            retrying: self.count(|record| *record == Record::Retrying),
            kept: self.count(|record| matches!(record, Record::Kept(_))),
            dead: self.count(|record| matches!(record, Record::Dead(_))),
            dropped: self.count(|record| *record == Record::Dropped),
            replayed: self.count(|record| *record == Record::Replayed),
            overdue: self.overdue,
            roll_sha256: (self.state == BatchState::Written).then(|| DIGEST.to_owned()),
            chunks: self.chunks,
            chunks_committed: self.chunks_committed,
            trace: self.trace.clone(),
            times: BatchTimes::default(),
        }
    }

    /// Every answer that the store may give to chunks: what is refused for two reasons may be
    /// refused for either.
    pub(crate) fn answers(
        &self,
        id: &BatchId,
        chunks: &[NewChunk],
        depth: Depth,
    ) -> Vec<Result<Appended>> {
        let (batch, received) = (id.clone(), self.received());
        if self.state == BatchState::Aborted {
            return vec![Err(Error::Aborted(batch))];
        }
        let places = Places::of_all(chunks);
        let records = chunks.iter().map(|chunk| u64::from(chunk.count)).sum();
        let (way, present, is_all_present) = self.present(&places, records);
        let mut answers = Vec::new();
        if self.way.is_some_and(|begun| begun != way) {
            answers.push(Err(Error::MixedPlaces(batch.clone())));
        } else if let Some(present) = present {
            if self.state == BatchState::Open || is_all_present {
                return vec![Ok(present)];
            }
            answers.push(Ok(present));
        } else if let Places::From { first: place, before, .. } = places {
            if place > received {
                answers.push(Err(Error::Gap { batch: batch.clone(), received, place }));
            } else if let Err(different) = self.shown(id).check_digest(Some(before)) {
                return vec![Err(different)];
            }
        }
        if self.state != BatchState::Open {
            answers.push(Err(Error::Sealed { batch, received }));
        }
        if LIMITS.are_reached(depth) {
            answers.push(Err(Error::Full { records: depth.records, bytes: depth.bytes }));
        }
        if answers.is_empty() { vec![Ok(Appended::Accepted)] } else { answers }
    }

    /// What the batch has of these records already, if there is some, and whether it is all of it.
    fn present(&self, places: &Places, records: u64) -> (Way, Option<Appended>, bool) {
        let received = self.received();
        match places {
            Places::From { first: place, .. } => {
                let behind = (*place < received).then_some(Appended::Behind { received });
                (Way::From, behind, place + records <= received)
            }
            Places::Each(sent) => {
                let (mut same, mut different) = (Vec::new(), Vec::new());
                for (index, hash) in sent {
                    match self.taken.get(index) {
                        Some(taken) if taken == hash => same.push(*index),
                        Some(_) => different.push(*index),
                        None => {}
                    }
                }
                same.sort_unstable();
                different.sort_unstable();
                let count = same.len() + different.len();
                let taken = (count > 0).then_some(Appended::Taken { same, different });
                (Way::Each, taken, count == sent.len())
            }
        }
    }

    /// Takes a chunk that the store accepted.
    pub(crate) fn append(&mut self, chunk: &NewChunk) {
        match &chunk.places {
            Places::From { after, .. } => {
                self.way = Some(Way::From);
                self.digest = Some(*after);
            }
            Places::Each(records) => {
                self.way = Some(Way::Each);
                self.taken.extend(records.iter().copied());
            }
        }
        self.chunks += 1;
        if self.trace.is_none() {
            self.trace.clone_from(&chunk.trace);
        }
        self.records.extend((0..chunk.count).map(|_| Record::Waiting));
    }

    pub(crate) fn record(&mut self, place: u64) -> &mut Record {
        let place = usize::try_from(place).expect("a small place");
        &mut self.records[place]
    }
}

impl Model {
    pub(crate) fn shown(&self, id: &BatchId) -> Option<Batch> {
        self.batches.get(id).map(|sent| sent.shown(id))
    }

    pub(crate) fn state(&self, id: &BatchId) -> Option<BatchState> {
        self.batches.get(id).map(|sent| sent.state)
    }

    pub(crate) fn known(&mut self, id: &BatchId) -> Result<&mut Sent> {
        self.batches.get_mut(id).ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    /// Seals a batch, or says why the store must not.
    pub(crate) fn seal(
        &mut self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        let sent = self.known(id)?;
        let received = sent.received();
        if sent.state == BatchState::Aborted {
            return Err(Error::Aborted(id.clone()));
        }
        if let Some(claimed) = records.filter(|records| *records != received) {
            return Err(Error::Miscounted { batch: id.clone(), received, claimed });
        }
        if digest.is_some() && sent.way == Some(Way::Each) {
            return Err(Error::MixedPlaces(id.clone()));
        }
        sent.shown(id).check_digest(digest)?;
        sent.state = sent.state.max(BatchState::Sealed);
        self.complete_if_ready(id);
        Ok(self.batches[id].shown(id))
    }

    /// Aborts a batch, or says why the store must not.
    pub(crate) fn abort(&mut self, id: &BatchId) -> Result<Batch> {
        let sent = self.known(id)?;
        if matches!(sent.state, BatchState::Complete | BatchState::Written) {
            return Err(Error::Complete(id.clone()));
        }
        sent.state = BatchState::Aborted;
        sent.records.fill(Record::Void);
        sent.chunks_committed = 0;
        Ok(sent.shown(id))
    }

    /// Notes that a batch became complete, if it did.
    pub(crate) fn complete_if_ready(&mut self, id: &BatchId) {
        if let Some(sent) = self.batches.get_mut(id)
            && sent.state == BatchState::Sealed
            && sent.shown(id).may_complete()
        {
            sent.state = BatchState::Complete;
            self.complete.push(id.clone());
        }
    }

    /// Every dead letter, with the name of its group.
    pub(crate) fn all_dead(&self) -> impl Iterator<Item = (LetterId, &DeadLetter)> {
        self.batches.iter().flat_map(|(batch, sent)| {
            sent.dead()
                .map(|letter| (LetterId { batch: batch.clone(), place: letter.place }, letter))
        })
    }

    pub(crate) fn dead_groups(&self) -> Vec<DeadGroup> {
        let mut groups = BTreeMap::new();
        for (_, letter) in self.all_dead() {
            *groups.entry(letter.group()).or_default() += 1;
        }
        groups.into_iter().map(|(name, letters)| DeadGroup { name, letters }).collect()
    }
}
