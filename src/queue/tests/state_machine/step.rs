//! The steps that are taken, and how likely each is.

use std::time::Duration;

use muster_queue::{BatchOptions, BatchState, Deadline, Ending, Policy, Priority};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// How many batches are opened by their senders, at most.
pub(crate) const BATCHES: usize = 5;

/// How many workers there are.
pub(crate) const WORKERS: usize = 3;

/// The most records of a chunk.
pub(crate) const COUNT_MAX: usize = 3;

/// The most chunks that are appended together.
const CHUNKS_MAX: usize = 3;

/// A deadline that passes, and one that does not while the test runs.
pub(crate) const SOON: Duration = Duration::from_millis(5);
pub(crate) const LATE: Duration = Duration::from_secs(3600);

/// Something a sender, a worker, an operator or the store's host does.
///
/// Workers go by number. What else a step is about is picked when it is taken.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Open {
        batch: usize,
        options: BatchOptions,
    },
    /// The stream goes on where it is; or, if there is an index, at some other place.
    AppendFrom {
        batch: Pick,
        place: Option<Index>,
        /// How many records each chunk has.
        counts: Vec<u32>,
        /// Whether the sender has other records than those that mostly come.
        other: bool,
    },
    AppendEach {
        batch: Pick,
        /// The places of each chunk.
        chunks: Vec<Vec<u64>>,
        /// As in a stream.
        other: bool,
    },
    /// The sender's number, if it says one, is off by so much. Its digest, if it says one, may be that of
    /// other records.
    Seal {
        batch: Pick,
        off_by: Option<u64>,
        other: Option<bool>,
    },
    Abort {
        batch: Pick,
    },
    EndOverdue {
        limit: usize,
    },
    Lease {
        worker: usize,
        max: usize,
    },
    TakeOver {
        worker: usize,
        idle: Duration,
        max: usize,
    },
    LeaseIsolated {
        worker: usize,
        idle: Duration,
    },
    Extend {
        claim: Pick,
    },
    Release {
        claim: Pick,
    },
    Forget {
        worker: usize,
    },
    Commit {
        claim: Pick,
        fates: [Fate; COUNT_MAX],
        is_rewritten: bool,
    },
    MarkWritten {
        batch: Pick,
    },
    Replay {
        batch: Pick,
        letters: Vec<Pick>,
        is_edited: bool,
    },
    DropLetters {
        batch: Pick,
        letters: Vec<Pick>,
    },
    Pause {
        paused: bool,
    },
    List {
        state: Option<BatchState>,
        page: usize,
    },
    Reopen,
}

/// One of those there are: mostly of those that fit, now and then any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    index: Index,
    is_any: bool,
}

/// What a worker makes of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Keep,
    /// It is dead, for this one of some reasons.
    Die(usize),
    Retry {
        due: Due,
        isolated: bool,
    },
}

/// When a record that is to be retried may be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    /// While the test runs, nobody knows just when.
    Soon,
    /// Not while the test runs.
    Late,
}

impl Due {
    pub(crate) fn after(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::Soon => SOON,
            Self::Late => LATE,
        }
    }
}

impl Pick {
    /// Picks from `all`; `None` when there are none.
    pub(crate) fn of<T: Clone>(self, all: Vec<T>, fits: impl Fn(&T) -> bool) -> Option<T> {
        let fitting: Vec<T> = all.iter().filter(|one| fits(one)).cloned().collect();
        let from = if self.is_any || fitting.is_empty() { all } else { fitting };
        (!from.is_empty()).then(|| self.index.get(&from).clone())
    }
}

/// A sequence of at most `max` steps.
pub(crate) fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..max)
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0..WORKERS;
    let idle = prop_oneof![4 => Just(Duration::ZERO), 1 => Just(LATE)];
    let letters = vec(pick(), 1..4);
    prop_oneof![
        5 => (0..BATCHES, options()).prop_map(|(batch, options)| Step::Open { batch, options }),
        8 => append_from(),
        5 => append_each(),
        3 => (pick(), option::of(prop_oneof![3 => Just(0), 1 => 1..3_u64]), option::of(other()))
            .prop_map(|(batch, off_by, other)| Step::Seal { batch, off_by, other }),
        1 => pick().prop_map(|batch| Step::Abort { batch }),
        1 => (1..3_usize).prop_map(|limit| Step::EndOverdue { limit }),
        8 => (worker.clone(), 1..5_usize).prop_map(|(worker, max)| Step::Lease { worker, max }),
        3 => (worker.clone(), idle.clone(), 1..5_usize)
            .prop_map(|(worker, idle, max)| Step::TakeOver { worker, idle, max }),
        2 => (worker.clone(), idle).prop_map(|(worker, idle)| Step::LeaseIsolated { worker, idle }),
        1 => pick().prop_map(|claim| Step::Extend { claim }),
        3 => pick().prop_map(|claim| Step::Release { claim }),
        1 => worker.prop_map(|worker| Step::Forget { worker }),
        11 => commit(),
        2 => pick().prop_map(|batch| Step::MarkWritten { batch }),
        2 => (pick(), letters.clone(), any::<bool>()).prop_map(|(batch, letters, is_edited)| {
            Step::Replay { batch, letters, is_edited }
        }),
        1 => (pick(), letters).prop_map(|(batch, letters)| Step::DropLetters { batch, letters }),
        1 => proptest::bool::weighted(0.3).prop_map(|paused| Step::Pause { paused }),
        1 => (option::of(select(&BatchState::ALL[..])), 1..4_usize)
            .prop_map(|(state, page)| Step::List { state, page }),
        1 => Just(Step::Reopen),
    ]
}

fn pick() -> impl Strategy<Value = Pick> + Clone {
    (any::<Index>(), proptest::bool::weighted(0.1))
        .prop_map(|(index, is_any)| Pick { index, is_any })
}

fn options() -> impl Strategy<Value = BatchOptions> {
    let after = prop_oneof![Just(SOON), Just(LATE)];
    let then = select(&[Ending::Seal, Ending::Abort][..]);
    let deadline = (after, then).prop_map(|(after, then)| Deadline { after, then });
    (select(&Priority::ALL[..]), select(&Policy::ALL[..]), option::weighted(0.2, deadline))
        .prop_map(|(priority, policy, deadline)| BatchOptions { priority, policy, deadline })
}

fn append_from() -> impl Strategy<Value = Step> {
    let count = 1..=u32::try_from(COUNT_MAX).expect("a small number");
    (pick(), option::weighted(0.2, any::<Index>()), vec(count, 1..=CHUNKS_MAX), other())
        .prop_map(|(batch, place, counts, other)| Step::AppendFrom { batch, place, counts, other })
}

fn append_each() -> impl Strategy<Value = Step> {
    let places = proptest::collection::btree_set(0..16_u64, 1..=CHUNKS_MAX);
    let places = places.prop_map(|places| places.into_iter().collect::<Vec<u64>>()).prop_shuffle();
    let chunks = (places, 1..=COUNT_MAX)
        .prop_map(|(places, count)| places.chunks(count).map(<[u64]>::to_vec).collect());
    (pick(), chunks, other()).prop_map(|(batch, chunks, other)| Step::AppendEach {
        batch,
        chunks,
        other,
    })
}

fn other() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.1)
}

fn commit() -> impl Strategy<Value = Step> {
    let due = prop_oneof![8 => Just(Due::Now), 3 => Just(Due::Soon), 1 => Just(Due::Late)];
    let fate = prop_oneof![
        6 => Just(Fate::Keep),
        2 => (0..3_usize).prop_map(Fate::Die),
        2 => (due, proptest::bool::weighted(0.3))
            .prop_map(|(due, isolated)| Fate::Retry { due, isolated }),
    ];
    (pick(), [fate.clone(), fate.clone(), fate], any::<bool>())
        .prop_map(|(claim, fates, is_rewritten)| Step::Commit { claim, fates, is_rewritten })
}
