//! Deliberate bugs: the state machine is worth something if it finds each of them.

use std::sync::Arc;

use super::mutant::{Bug, Mutant};
use super::run::OPTIONS;
use super::session::{Home, Session};
use crate::support::MemoryQueue;
use crate::{find_failure, runtime};

/// Sequences for each bug, at most: more than one that holds gets, for the first that fails is the
/// last.
pub(crate) const CASES: u32 = 1000;

#[test]
fn an_append_that_stores_a_part_is_found() {
    assert_found(Bug::AppendsOneByOne);
}

#[test]
fn a_chunk_that_leaves_the_queue_when_it_is_leased_is_found() {
    assert_found(Bug::AcknowledgesWhenLeased);
}

#[test]
fn a_commit_that_never_completes_a_batch_is_found() {
    assert_found(Bug::CompletesInSealAlone);
}

#[test]
fn a_release_by_one_who_does_not_hold_it_is_found() {
    assert_found(Bug::ReleasesForAnybody);
}

#[expect(clippy::print_stdout, reason = "the shortest case that finds it is worth a look")]
fn assert_found(bug: Bug) {
    let failure = find_failure(&runtime(), CASES, async || {
        let queue = Arc::new(Mutant::new(bug, MemoryQueue::new(OPTIONS)));
        Ok(Session { queue, home: Home::Memory })
    });
    println!("{bug:?}: {}", failure.expect("the bug is found"));
}
