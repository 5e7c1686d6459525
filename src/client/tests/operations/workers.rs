//! `workers`.

use muster_proto::v1::{ChunkInHand, Worker, WorkerState};
use prost_types::Timestamp;

use crate::double::Double;
use crate::printed;

pub(crate) fn worker() -> Worker {
    Worker {
        id: "w-1".to_owned(),
        host: "build\x1b[2J".to_owned(),
        pid: 4711,
        version: "0.1.0".to_owned(),
        workers: 5,
        state: WorkerState::Lost.into(),
        since: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        last_heartbeat: None,
        processed: 1200,
        failed: 3,
        in_hand: vec![ChunkInHand { batch: "b-1".to_owned(), first: 256, records: 44 }],
        roll_problem: "no space left\n".to_owned(),
        roll_problem_since: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
    }
}

#[test]
fn workers_are_shown_to_a_person_and_to_a_program() {
    let double = Double::start().with_workers([worker()]);
    let list = printed(&double, "workers");
    let mut cells = list.lines().nth(1).unwrap().split_whitespace();
    assert!(["w-1", r"build\u{1b}[2J", "4711"].into_iter().eq(cells.by_ref().take(3)), "{list}");
    assert!(list.contains(" ago  -          1        1200       3\n"), "{list}");
    insta::assert_snapshot!(printed(&double, "workers --json"), @r#"
    {"worker":"w-1","host":"build\u001b[2J","pid":4711,"version":"0.1.0","workers":5,"state":"lost","since":"2023-11-14T22:13:20.000Z","last_heartbeat":null,"in_hand":[{"batch":"b-1","first":256,"records":44}],"processed":1200,"failed":3,"roll_problem":"no space left\n","roll_problem_since":"2023-11-14T22:13:20.000Z"}
    "#);
    assert_eq!(printed(&Double::start(), "workers"), "no workers\n");
    assert_eq!(printed(&Double::start(), "workers --json"), "");
}
