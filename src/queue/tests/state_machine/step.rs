//! The steps that are taken, and how likely each is.

use muster_queue::Priority;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::model::{Model, Way};

/// How many batches there are.
pub(crate) const BATCHES: usize = 5;

/// How many workers there are.
pub(crate) const WORKERS: usize = 3;

/// The place of a single record is below this.
const EACH_PLACE_MAX: u64 = 16;

/// Something a sender, a worker or the store's host does.
///
/// Batches and workers go by number. A `claim` is one of those that the store has given so far.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Open {
        batch: usize,
        priority: Priority,
    },
    AppendFrom {
        batch: usize,
        place: u64,
        count: u32,
    },
    AppendEach {
        batch: usize,
        places: Vec<u64>,
    },
    Seal {
        batch: usize,
        records: Option<u64>,
    },
    Lease {
        worker: usize,
        max: usize,
    },
    TakeOver {
        worker: usize,
        max: usize,
    },
    Extend {
        claim: Index,
    },
    Release {
        claim: Index,
    },
    /// The records at the `dead` offsets of the chunk are dead.
    Commit {
        claim: Index,
        dead: Vec<bool>,
        is_rewritten: bool,
    },
    MarkWritten {
        batch: usize,
    },
    Reopen,
}

/// The steps that make sense now: senders mostly know where they are, but not always.
pub(crate) fn steps(model: &Model) -> BoxedStrategy<Step> {
    let worker = 0..WORKERS;
    let new = some_batch((0..BATCHES).filter(|batch| !model.batches.contains_key(batch)).collect());
    prop_oneof![
        4 => (new, select(&Priority::ALL[..]))
            .prop_map(|(batch, priority)| Step::Open { batch, priority }),
        8 => append_from(model),
        5 => append_each(model),
        2 => seal(model),
        7 => (worker.clone(), 1..5_usize).prop_map(|(worker, max)| Step::Lease { worker, max }),
        2 => (worker, 1..5_usize).prop_map(|(worker, max)| Step::TakeOver { worker, max }),
        1 => any::<Index>().prop_map(|claim| Step::Extend { claim }),
        2 => any::<Index>().prop_map(|claim| Step::Release { claim }),
        7 => commit(),
        2 => some_batch(model.which(|sent| sent.is_sealed))
            .prop_map(|batch| Step::MarkWritten { batch }),
        1 => Just(Step::Reopen),
    ]
    .boxed()
}

/// Mostly one of those that fit, if there are any; now and then one that may not.
fn some_batch(fitting: Vec<usize>) -> BoxedStrategy<usize> {
    if fitting.is_empty() {
        return (0..BATCHES).boxed();
    }
    prop_oneof![9 => select(fitting), 1 => 0..BATCHES].boxed()
}

/// A stream goes on where it is; or it is behind by some records, or ahead by one.
fn append_from(model: &Model) -> impl Strategy<Value = Step> + use<> {
    let received = received(model);
    let place = |received: u64| prop_oneof![3 => Just(received), 1 => 0..received + 2];
    let batch = some_batch(model.which(|sent| sent.takes(Way::From)));
    (batch, 1..4_u32).prop_flat_map(move |(batch, count)| {
        place(received[batch]).prop_map(move |place| Step::AppendFrom { batch, place, count })
    })
}

fn append_each(model: &Model) -> impl Strategy<Value = Step> + use<> {
    let batch = some_batch(model.which(|sent| sent.takes(Way::Each)));
    (batch, btree_set(0..EACH_PLACE_MAX, 1..4), any::<bool>()).prop_map(
        |(batch, places, is_descending)| {
            let mut places: Vec<u64> = places.into_iter().collect();
            if is_descending {
                places.reverse();
            }
            Step::AppendEach { batch, places }
        },
    )
}

/// The sender's number is mostly right, when it says one.
fn seal(model: &Model) -> impl Strategy<Value = Step> + use<> {
    let received = received(model);
    let batch = some_batch(model.which(|sent| sent.received() > 0));
    let extra = prop_oneof![3 => Just(0), 1 => 1..3_u64];
    (batch, option::of(extra)).prop_map(move |(batch, extra)| {
        let records = extra.map(|extra| received[batch] + extra);
        Step::Seal { batch, records }
    })
}

fn received(model: &Model) -> Vec<u64> {
    (0..BATCHES).map(|batch| model.received(batch)).collect()
}

fn commit() -> impl Strategy<Value = Step> {
    let dead = proptest::collection::vec(proptest::bool::weighted(0.2), 3);
    (any::<Index>(), dead, any::<bool>()).prop_map(|(claim, dead, is_rewritten)| Step::Commit {
        claim,
        dead,
        is_rewritten,
    })
}
