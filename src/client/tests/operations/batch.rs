//! `batch list`, `batch show`, `batch wait`, `batch abort`.

use muster_proto::v1::{Batch, BatchPolicy, BatchPriority, BatchState};
use prost_types::Timestamp;

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
    priority  normal
    received  5 records
    kept      5 records
    ");
    insta::assert_snapshot!(printed(&double, "batch show b-1 --json"), @r#"
    {"batch":"b-1","state":"open","policy":"partial","priority":"normal","received":5,"kept":5,"retrying":0,"dead":0,"dropped":0,"replayed":0,"held":false,"overdue":false,"chunks":0,"chunks_committed":0,"opened_at":null,"sealed_at":null,"completed_at":null,"ended_at":null,"digest":null,"sha256":null,"waiting_for":null}
    "#);
}

#[test]
fn show_shows_what_a_written_batch_went_through() {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let written = Batch {
        priority: BatchPriority::High.into(),
        chunks: 3,
        chunks_committed: 3,
        opened_at: at(1_700_000_000),
        sealed_at: at(1_700_000_001),
        completed_at: at(1_700_000_002),
        ended_at: at(1_700_000_003),
        ..batch(BatchState::Written)
    };
    let double = Double::start().with_batch([written]);
    insta::assert_snapshot!(printed(&double, "batch show b-1"), @r"
    batch     b-1
    state     written
    policy    partial
    priority  high
    received  5 records
    kept      5 records
    chunks    3, 3 committed
    opened    2023-11-14T22:13:20.000Z
    sealed    2023-11-14T22:13:21.000Z
    complete  2023-11-14T22:13:22.000Z
    written   2023-11-14T22:13:23.000Z
    ");
}

/// Five batches: three pages.
fn double_with_list() -> Double {
    let states = [BatchState::Open, BatchState::Sealed, BatchState::Written, BatchState::Aborted];
    let batches = (1..).zip(states.into_iter().cycle().take(5));
    Double::start().with_list(
        batches.map(|(number, state)| Batch { id: format!("b-{number}"), ..batch(state) }),
    )
}

#[test]
fn list_lists_batches_of_all_pages_up_to_its_limit() {
    let double = double_with_list();
    insta::assert_snapshot!(printed(&double, "batch list"), @r"
    batch     state         received  done      dead  retrying  opened      sha256
    b-1       open          5         5         0     0         -           -
    b-2       sealed        5         5         0     0         -           -
    b-3       written       5         5         0     0         -           -
    b-4       aborted       5         5         0     0         -           -
    b-5       open          5         5         0     0         -           -
    ");
    assert_eq!(double.changes(), ["list 50 from 0", "list 48 from 2", "list 46 from 4"]);

    let double = double_with_list();
    assert_eq!(printed(&double, "batch list --limit 3 --json").lines().count(), 3);
    assert_eq!(double.changes(), ["list 3 from 0", "list 1 from 2"]);

    let double = double_with_list();
    assert_eq!(printed(&double, "batch list --limit 0 --json").lines().count(), 5);
    assert_eq!(double.changes()[0], "list 1000 from 0");
}

#[test]
fn list_lists_those_in_a_state() {
    let listed = printed(&double_with_list(), "batch list --state open --json");
    let ids = listed.lines().map(|line| line[..14].to_owned()).collect::<Vec<_>>();
    assert_eq!(ids, [r#"{"batch":"b-1""#, r#"{"batch":"b-5""#]);
    assert_eq!(printed(&double_with_list(), "batch list --state complete"), "no batches\n");
    assert_eq!(printed(&double_with_list(), "batch list --state complete --json"), "");
    insta::assert_snapshot!(refused(&Double::start(), "batch list --state seald", 2), @r"
    error: invalid value 'seald' for '--state <STATE>'
      [possible values: open, sealed, complete, written, aborted]

      tip: a similar value exists: 'sealed'

    For more information, try '--help'.
    ");
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
