//! `batch show`, `batch wait`, `batch abort`.

use muster_proto::v1::{Batch, BatchPolicy, BatchState};

use crate::double::Double;
use crate::{enter, printed, refused};

fn batch(state: BatchState) -> Batch {
    let policy = BatchPolicy::Partial.into();
    Batch { state: state.into(), policy, received: 5, kept: 5, ..Batch::default() }
}

#[test]
fn show_shows_a_batch_to_a_person_and_to_a_program() {
    let double = Double::start().with_batch([batch(BatchState::Open)]);
    insta::assert_snapshot!(printed(&double, "batch show b-1"), @r"
    batch     b-1
    state     open
    policy    partial
    received  5 records
    kept      5 records
    ");
    insta::assert_snapshot!(printed(&double, "batch show b-1 --json"), @r#"
    {"batch":"b-1","state":"open","policy":"partial","received":5,"kept":5,"retrying":0,"dead":0,"dropped":0,"replayed":0,"held":false,"overdue":false,"sha256":null}
    "#);
}

#[test]
fn a_batch_that_is_not_there_is_named() {
    let double = Double::start();
    insta::assert_snapshot!(refused(&double, "batch show b-2", 1), @r"
    muster-client: [server] has no batch b-2: check its id; a written batch is forgotten after seven days
    ");
    for line in ["batch wait b-2", "batch abort b-2 --yes"] {
        assert!(refused(&double, line, 1).contains("has no batch b-2"), "{line}");
    }
    assert!(refused(&double, "batch show b/2", 2).contains("a batch id is 1 to 64 characters"));
}

#[test]
fn wait_waits_until_the_batch_is_written() {
    let ways = [BatchState::Open, BatchState::Sealed, BatchState::Complete, BatchState::Written];
    let double = Double::start().with_batch(ways.map(batch));
    assert!(printed(&double, "batch wait b-1").contains("state     written\n"));
}

#[test]
fn wait_ends_with_3_when_records_are_dead_or_the_batch_is_held() {
    let written = Batch { dead: 1, ..batch(BatchState::Written) };
    let double = Double::start().with_batch([batch(BatchState::Sealed), written]);
    assert_eq!(enter(&double, "batch wait b-1").code, 3);

    let held = Batch { dead: 3, held: true, ..batch(BatchState::Sealed) };
    let double = Double::start().with_batch([batch(BatchState::Sealed), held]);
    let finished = enter(&double, "batch wait b-1");
    assert_eq!(finished.code, 3);
    let what_to_do =
        "3 dead letters must be replayed or dropped (muster-client dead list --batch b-1)";
    assert!(finished.stdout.contains(what_to_do), "{finished:?}");
}

#[test]
fn wait_fails_when_the_batch_is_aborted() {
    let aborted = Batch { overdue: true, ..batch(BatchState::Aborted) };
    let double = Double::start().with_batch([batch(BatchState::Open), aborted]);
    insta::assert_snapshot!(refused(&double, "batch wait b-1", 1), @r"
    muster-client: [server]: batch b-1 is aborted: its sender did not come back before its deadline. None of it is in the roll; send it as a new batch if it is still wanted
    ");
}

#[test]
fn abort_needs_a_yes() {
    let double = Double::start().with_batch([batch(BatchState::Open), batch(BatchState::Aborted)]);
    insta::assert_snapshot!(refused(&double, "batch abort b-1", 2), @r"
    muster-client: this cannot be undone, and there is no terminal to ask on: say --yes
    ");
    assert!(double.changes().is_empty());
    assert!(printed(&double, "batch abort b-1 --yes").contains("state     aborted\n"));
    assert_eq!(double.changes(), ["abort b-1"]);
}

#[test]
fn a_written_batch_is_not_aborted() {
    let double = Double::start().with_batch([batch(BatchState::Written)]);
    insta::assert_snapshot!(refused(&double, "batch abort b-1 --yes", 1), @r"
    muster-client: [server]: the batch is written (FailedPrecondition)
    ");
}

#[test]
fn a_server_that_is_away_is_named() {
    let url = Double::start().url();
    let message = refused(&Double::start(), &format!("batch show b-1 --server {url}"), 1);
    assert!(message.contains(&url) && message.contains("Connection refused"), "{message}");
}
