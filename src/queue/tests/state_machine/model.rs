//! What the senders have done: the part of the model that is known before any step is taken.
//!
//! What the workers do depends on which work the store gives to whom: see `desk`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use muster_queue::{Appended, BatchId, Error, NewChunk, Places, Priority, Result};
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use proptest_state_machine::ReferenceStateMachine;

use super::step::{self, Step};
use crate::support::payload;

/// The batches that were opened, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) batches: BTreeMap<usize, Sent>,
}

/// What was sent in one batch.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) priority: Priority,
    pub(crate) is_sealed: bool,
    /// The numbers of the records in each chunk, by the chunk's first place in the roll's order.
    pub(crate) chunks: BTreeMap<u64, Vec<u64>>,
    way: Option<Way>,
}

/// How the chunks of a batch say which records they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    From,
    Each,
}

/// The id of the batch with this number.
pub(crate) fn id(batch: usize) -> BatchId {
    format!("batch-{batch}").parse().expect("a batch id")
}

/// The bytes of the records with these numbers in a batch. No two batches have the same.
pub(crate) fn records(batch: usize, numbers: &[u64]) -> Bytes {
    payload(numbers.iter().map(|number| 1000 * batch as u64 + number))
}

/// The chunk that an append step sends; `None` for all other steps.
pub(crate) fn chunk(step: &Step) -> Option<(usize, NewChunk)> {
    let (batch, places, numbers) = match step {
        Step::AppendFrom { batch, place, count } => {
            let numbers = (*place..place + u64::from(*count)).collect();
            (*batch, Places::From(*place), numbers)
        }
        Step::AppendEach { batch, places } => {
            (*batch, Places::Each(places.clone()), places.clone())
        }
        _ => return None,
    };
    let count = u32::try_from(numbers.len()).expect("a small chunk");
    Some((batch, NewChunk { places, count, payload: records(batch, &numbers) }))
}

impl Sent {
    pub(crate) fn received(&self) -> u64 {
        self.chunks.last_key_value().map_or(0, |(first, numbers)| first + numbers.len() as u64)
    }

    /// Whether the batch takes more, in this way.
    pub(crate) fn takes(&self, way: Way) -> bool {
        !self.is_sealed && self.way.is_none_or(|begun| begun == way)
    }

    fn taken(&self) -> BTreeSet<u64> {
        self.chunks.values().flatten().copied().collect()
    }

    fn append(&mut self, id: BatchId, places: &Places, count: u32) -> Result<Appended> {
        let received = self.received();
        let (way, numbers) = match places {
            Places::From(place) => (Way::From, (*place..place + u64::from(count)).collect()),
            Places::Each(places) => (Way::Each, places.clone()),
        };
        if self.way.is_some_and(|begun| begun != way) {
            return Err(Error::MixedPlaces(id));
        }
        let taken = self.taken();
        match *places {
            Places::From(place) if place < received => return Ok(Appended::Behind { received }),
            Places::Each(_) if numbers.iter().any(|number| taken.contains(number)) => {
                let places = numbers.into_iter().filter(|number| taken.contains(number)).collect();
                return Ok(Appended::Taken { places });
            }
            _ if self.is_sealed => {
                return Err(Error::Sealed { batch: id, received });
            }
            Places::From(place) if place > received => {
                return Err(Error::Gap { batch: id, received, place });
            }
            _ => self.way = Some(way),
        }
        self.chunks.insert(received, numbers);
        Ok(Appended::Accepted)
    }

    /// Whether the queue's promises fix the answer: what is refused for two reasons may be
    /// refused for either.
    fn decides(&self, places: &Places, count: u32) -> bool {
        if !self.is_sealed {
            return true;
        }
        match places {
            Places::From(place) => {
                self.way != Some(Way::Each)
                    && (*place == self.received() || place + u64::from(count) <= self.received())
            }
            Places::Each(places) => {
                let taken = self.taken();
                let are_taken = places.iter().filter(|place| taken.contains(place)).count();
                self.way != Some(Way::From) && (are_taken == 0 || are_taken == places.len())
            }
        }
    }
}

impl Model {
    /// How many records a batch has.
    pub(crate) fn received(&self, batch: usize) -> u64 {
        self.batches.get(&batch).map_or(0, Sent::received)
    }

    /// The batches of which this is true.
    pub(crate) fn which(&self, is_so: impl Fn(&Sent) -> bool) -> Vec<usize> {
        self.batches.iter().filter(|(_, sent)| is_so(sent)).map(|(batch, _)| *batch).collect()
    }

    fn sent(&mut self, batch: usize) -> Result<&mut Sent> {
        self.batches.get_mut(&batch).ok_or_else(|| Error::UnknownBatch(id(batch)))
    }

    /// Opens a batch, unless it is open.
    pub(crate) fn open(&mut self, batch: usize, priority: Priority) {
        self.batches.entry(batch).or_insert_with(|| Sent {
            priority,
            is_sealed: false,
            chunks: BTreeMap::new(),
            way: None,
        });
    }

    /// Appends a chunk, and says what the store must answer.
    pub(crate) fn append(&mut self, batch: usize, chunk: &NewChunk) -> Result<Appended> {
        self.sent(batch)?.append(id(batch), &chunk.places, chunk.count)
    }

    /// Seals a batch, or says why the store must not.
    pub(crate) fn seal(&mut self, batch: usize, records: Option<u64>) -> Result<()> {
        let sent = self.sent(batch)?;
        let received = sent.received();
        if let Some(claimed) = records.filter(|records| *records != received) {
            return Err(Error::Miscounted { batch: id(batch), received, claimed });
        }
        sent.is_sealed = true;
        Ok(())
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        step::steps(state)
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        chunk(step).is_none_or(|(batch, chunk)| {
            state.batches.get(&batch).is_none_or(|sent| sent.decides(&chunk.places, chunk.count))
        })
    }

    /// Takes the step as far as the senders go; what is refused changes nothing.
    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Open { batch, priority } => state.open(*batch, *priority),
            Step::Seal { batch, records } => drop(state.seal(*batch, *records)),
            _ => {
                if let Some((batch, chunk)) = chunk(step) {
                    drop(state.append(batch, &chunk));
                }
            }
        }
        state
    }
}
