//! One batch in memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use muster_content::RecordHash;
use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, BatchState, CHECKPOINT_RECORDS, Checkpoint, DeadLetter,
    Deadline, Ending, Error, Indexed, Kept, LETTERS_BYTES_MAX, NewChunk, Outcome, Places, Result,
    ResultChunk,
};

use super::work::Piece;

/// A batch with all that is in it, but for its work.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) batch: Batch,
    deadline: Option<Deadline>,
    appended_at: Instant,
    begun: Option<Begun>,
    pub(super) checkpoints: Vec<Checkpoint>,
    results: BTreeMap<u64, ResultChunk>,
    pub(super) dead_letters: BTreeMap<u64, DeadLetter>,
}

/// The way in which a batch was begun.
#[derive(Debug)]
enum Begun {
    From,
    Each(BTreeMap<u64, RecordHash>),
}

impl Row {
    pub(super) fn new(id: &BatchId, options: &BatchOptions) -> Self {
        let mut batch = Batch::opened(id.clone(), options);
        batch.times.enter(BatchState::Open, now());
        Self {
            batch,
            deadline: options.deadline,
            appended_at: Instant::now(),
            begun: None,
            checkpoints: Vec::new(),
            results: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
        }
    }

    /// Brings the batch to a state.
    pub(super) fn enter(&mut self, state: BatchState) {
        self.batch.state = state;
        self.batch.times.enter(state, now());
    }

    /// The answer for records of which the batch has some already.
    pub(super) fn has_already(&self, places: &Places) -> Result<Option<Appended>> {
        if self.batch.state == BatchState::Aborted {
            return Err(Error::Aborted(self.batch.id.clone()));
        }
        let received = self.batch.received;
        match (places, &self.begun) {
            (Places::From { .. }, Some(Begun::Each(_))) | (Places::Each(_), Some(Begun::From)) => {
                Err(Error::MixedPlaces(self.batch.id.clone()))
            }
            (Places::From { first, before, .. }, _) => {
                if *first == received {
                    self.batch.check_digest(Some(*before))?;
                }
                Ok((*first < received).then_some(Appended::Behind { received }))
            }
            (Places::Each(records), Some(Begun::Each(all))) => {
                let taken = records.iter().filter(|(index, _)| all.contains_key(index));
                let is_same = |(index, hash): &(u64, RecordHash)| all[index] == *hash;
                let (same, different): (Vec<_>, Vec<_>) = taken.partition(|record| is_same(record));
                let indices = |records: Vec<&(u64, RecordHash)>| {
                    records.into_iter().map(|(index, _)| *index).collect::<Vec<u64>>()
                };
                let (same, different) = (indices(same), indices(different));
                let is_any = same.len() + different.len() > 0;
                Ok(is_any.then_some(Appended::Taken { same, different }))
            }
            (Places::Each(_), None) => Ok(None),
        }
    }

    pub(super) fn indexed(&self) -> Indexed {
        let mut indexed = Indexed::default();
        if let Some(Begun::Each(all)) = &self.begun {
            all.iter().for_each(|(index, hash)| indexed.add(*index, hash.short()));
        }
        indexed
    }

    pub(super) fn is_begun_by_single_records(&self) -> bool {
        matches!(self.begun, Some(Begun::Each(_)))
    }

    /// Whether records of which the batch has none may be appended.
    pub(super) fn takes(&self, places: &Places) -> Result<()> {
        let (batch, received) = (self.batch.id.clone(), self.batch.received);
        match *places {
            _ if self.batch.state != BatchState::Open => Err(Error::Sealed { batch, received }),
            Places::From { first: place, .. } if place > received => {
                Err(Error::Gap { batch, received, place })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn append(&mut self, chunk: &NewChunk) {
        match (&chunk.places, &mut self.begun) {
            (Places::From { first, after, .. }, _) => {
                self.begun = Some(Begun::From);
                self.batch.digest = Some(*after);
                let records = first + u64::from(chunk.count);
                let last = self.checkpoints.last().map_or(0, |last| last.records);
                if records - last >= CHECKPOINT_RECORDS {
                    self.checkpoints.push(Checkpoint { records, digest: after.short() });
                }
            }
            (Places::Each(records), Some(Begun::Each(all))) => all.extend(records.iter().copied()),
            (Places::Each(records), _) => {
                self.begun = Some(Begun::Each(records.iter().copied().collect()));
            }
        }
        self.batch.received += u64::from(chunk.count);
        self.batch.chunks += 1;
        if self.batch.trace.is_none() {
            self.batch.trace.clone_from(&chunk.trace);
        }
        self.appended_at = Instant::now();
    }

    /// How the batch is to end, if its deadline has passed.
    pub(super) fn overdue(&self) -> Option<Ending> {
        let deadline = self.deadline?;
        let is_over = self.appended_at.elapsed() >= deadline.after;
        (self.batch.state == BatchState::Open && is_over).then_some(deadline.then)
    }

    pub(super) fn abort(&mut self) {
        if self.batch.state != BatchState::Aborted {
            self.enter(BatchState::Aborted);
        }
        let batch = &mut self.batch;
        (batch.retrying, batch.kept, batch.dead) = (0, 0, 0);
        (batch.dropped, batch.replayed, batch.chunks_committed) = (0, 0, 0);
        self.results.clear();
        self.dead_letters.clear();
        self.checkpoints.clear();
        if let Some(Begun::Each(all)) = &mut self.begun {
            all.clear();
        }
    }

    pub(super) fn commit(&mut self, piece: &Piece, outcome: &Outcome) {
        let runs = match &outcome.kept {
            Kept::AsSent => vec![ResultChunk {
                first: piece.first,
                count: piece.count,
                payload: piece.payload.clone(),
            }],
            Kept::Runs(runs) => runs.clone(),
        };
        let batch = &mut self.batch;
        batch.kept += runs.iter().map(|run| u64::from(run.count)).sum::<u64>();
        batch.dead += outcome.dead.len() as u64;
        batch.retrying += outcome.retry.len() as u64;
        batch.retrying -= u64::from(piece.is_retried);
        batch.chunks_committed += 1;
        for run in runs {
            self.results.insert(run.first, run);
        }
        for letter in &outcome.dead {
            let (first, payload) = (letter.place, Bytes::new());
            self.results.insert(first, ResultChunk { first, count: 1, payload });
            self.dead_letters.insert(letter.place, letter.clone());
        }
    }

    /// Takes back that the record at `place` is dead.
    pub(super) fn clear_result(&mut self, place: u64) {
        self.results.remove(&place);
    }

    pub(super) fn results(&self, first: u64, bytes_max: usize) -> Vec<ResultChunk> {
        let (mut page, mut next, mut bytes) = (Vec::new(), first, 0);
        while let Some(chunk) = self.results.get(&next) {
            bytes += chunk.payload.len();
            if !page.is_empty() && bytes > bytes_max {
                break;
            }
            next += u64::from(chunk.count);
            page.push(chunk.clone());
        }
        page
    }

    pub(super) fn dead_letters(&self, from_place: u64, limit: usize) -> Vec<DeadLetter> {
        let letters = self.dead_letters.range(from_place..).take(limit);
        page(letters.map(|(_, letter)| letter.clone()), |letter| letter)
    }

    pub(super) fn mark_written(&mut self, roll_sha256: &str) {
        self.enter(BatchState::Written);
        self.batch.roll_sha256 = Some(roll_sha256.to_owned());
        self.results.clear();
    }
}

/// The time, to the millisecond.
fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_millis(since.as_millis().try_into().unwrap_or(u64::MAX))
}

/// As many of these as a page of dead letters takes.
pub(super) fn page<T>(
    letters: impl Iterator<Item = T>,
    letter_of: impl Fn(&T) -> &DeadLetter,
) -> Vec<T> {
    let mut bytes = 0;
    let fits = |item: &T| {
        let is_full = bytes >= LETTERS_BYTES_MAX;
        bytes += letter_of(item).record.len();
        !is_full
    };
    letters.take_while(fits).collect()
}
