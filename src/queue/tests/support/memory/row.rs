//! One batch in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, BatchState, DeadLetter, Error, NewChunk, Outcome,
    Output, Places, Result, ResultChunk,
};

/// A batch with all that is in it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) batch: Batch,
    seal_after: Option<Duration>,
    appended_at: Instant,
    begun: Option<Begun>,
    /// What was sent, by the place of the first record.
    pub(super) sent: BTreeMap<u64, ResultChunk>,
    results: BTreeMap<u64, ResultChunk>,
    dead_letters: BTreeMap<u64, DeadLetter>,
}

/// The way in which a batch was begun.
#[derive(Debug)]
enum Begun {
    From,
    Each(BTreeSet<u64>),
}

impl Row {
    pub(super) fn new(id: &BatchId, options: &BatchOptions) -> Self {
        Self {
            batch: Batch {
                id: id.clone(),
                state: BatchState::Open,
                priority: options.priority,
                received: 0,
                kept: 0,
                dead: 0,
                roll_sha256: None,
            },
            seal_after: options.seal_after,
            appended_at: Instant::now(),
            begun: None,
            sent: BTreeMap::new(),
            results: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
        }
    }

    pub(super) fn append(&mut self, chunk: &NewChunk) -> Result<Appended> {
        let present = match &chunk.places {
            Places::From(place) => self.has_from(*place)?,
            Places::Each(places) => self.has_each(places)?,
        };
        if let Some(answer) = present {
            return Ok(answer);
        }
        let (batch, received) = (self.batch.id.clone(), self.batch.received);
        if self.batch.state != BatchState::Open {
            return Err(Error::Sealed { batch, received });
        }
        match &chunk.places {
            Places::From(place) if *place > received => {
                return Err(Error::Gap { batch, received, place: *place });
            }
            Places::From(_) => self.begun = Some(Begun::From),
            Places::Each(places) => self.take(places),
        }
        let (count, payload) = (chunk.count, chunk.payload.clone());
        self.sent.insert(received, ResultChunk { first: received, count, payload });
        self.batch.received += u64::from(count);
        self.appended_at = Instant::now();
        Ok(Appended::Accepted)
    }

    fn has_from(&self, place: u64) -> Result<Option<Appended>> {
        if let Some(Begun::Each(_)) = self.begun {
            return Err(Error::MixedPlaces(self.batch.id.clone()));
        }
        let received = self.batch.received;
        Ok((place < received).then_some(Appended::Behind { received }))
    }

    fn has_each(&self, places: &[u64]) -> Result<Option<Appended>> {
        let taken: Vec<u64> = match &self.begun {
            Some(Begun::From) => return Err(Error::MixedPlaces(self.batch.id.clone())),
            Some(Begun::Each(all)) => {
                places.iter().copied().filter(|place| all.contains(place)).collect()
            }
            None => Vec::new(),
        };
        Ok((!taken.is_empty()).then_some(Appended::Taken { places: taken }))
    }

    fn take(&mut self, places: &[u64]) {
        match &mut self.begun {
            Some(Begun::Each(all)) => all.extend(places),
            _ => self.begun = Some(Begun::Each(places.iter().copied().collect())),
        }
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.batch.state == BatchState::Open
            && self.seal_after.is_some_and(|seal_after| self.appended_at.elapsed() >= seal_after)
    }

    pub(super) fn commit(&mut self, first: u64, outcome: &Outcome) {
        let Some(mut chunk) = self.sent.remove(&first) else {
            return;
        };
        let dead = outcome.dead.len() as u64;
        self.batch.dead += dead;
        self.batch.kept += u64::from(chunk.count) - dead;
        for letter in &outcome.dead {
            self.dead_letters.insert(letter.place, letter.clone());
        }
        if let Output::Rewritten(payload) = &outcome.output {
            chunk.payload = payload.clone();
        }
        self.results.insert(first, chunk);
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
        self.dead_letters
            .range(from_place..)
            .take(limit)
            .map(|(_, letter)| letter.clone())
            .collect()
    }

    pub(super) fn mark_written(&mut self, roll_sha256: &str) {
        self.batch.state = BatchState::Written;
        self.batch.roll_sha256 = Some(roll_sha256.to_owned());
        self.results.clear();
    }
}
