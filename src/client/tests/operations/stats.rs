//! `stats`, once and again and again.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use muster_proto::v1::{Flow, Line, Stats, StoreHealth};
use serde_json::Value;

use crate::double::Double;
use crate::{command, finish, printed};

pub(crate) fn stats() -> Stats {
    let line = |name: &str, records| Line {
        name: name.to_owned(),
        records,
        bytes: records * 300,
        oldest: (records > 0).then_some(prost_types::Duration { seconds: 75, nanos: 500_000_000 }),
    };
    Stats {
        lines: vec![line("high", 0), line("normal", 1200), line("low", 0), line("isolated", 1)],
        dead_letters: 3,
        leased: 2,
        accepted: 5000,
        kept: 3796,
        dead: 3,
        workers: 5,
        workers_lost: 1,
        flow: vec![Flow { at: None, accepted: 90, processed: 60 }; 12],
        store: Some(StoreHealth {
            url: "redis://redis:6379".to_owned(),
            version: "redis \x1b[2J".to_owned(),
            latency: Some(prost_types::Duration { seconds: 0, nanos: 310_000 }),
            used_bytes: 12 << 20,
            limit_bytes: 0,
            durability: "synced".to_owned(),
            problem: String::new(),
            persistence: "snapshots only".to_owned(),
            may_lose: "what it \x1b[2J says".to_owned(),
            full: false,
        }),
        ..Stats::default()
    }
}

#[test]
fn stats_are_shown_to_a_person_and_to_a_program() {
    let double = Double::start().with_stats(stats());
    insta::assert_snapshot!(printed(&double, "stats"), @r"
    line      records   size        oldest
    high      0         0 B         -
    normal    1200      351.56 KiB  1m 15s
    low       0         0 B         -
    isolated  1         300 B       1m 15s

    queue     running
    in        90 a second, 5000 records so far
    out       60 a second, 3796 kept and 3 dead so far
    in hand   2 chunks
    dead      3 dead letters
    workers   5, 1 lost
    store     redis://redis:6379
              redis \u{1b}[2J, synced, answers in 310.0µs, uses 12.00 MiB
              snapshots only; what it \u{1b}[2J says
    log       as each program is set
    ");
    let shown: Value = serde_json::from_str(&printed(&double, "stats --json")).unwrap();
    assert_eq!(shown["lines"][1]["oldest_seconds"], 75.5);
    assert_eq!(
        (&shown["accepted_per_second"], &shown["processed_per_second"]),
        (&90.0.into(), &60.0.into())
    );
    assert_eq!(
        (&shown["store"]["limit_bytes"], &shown["log_filter"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn watching_ends_well_when_nobody_reads_any_more() {
    let double = Double::start().with_stats(stats());
    for words in [&["stats", "--watch"][..], &["stats", "--watch", "--json"]] {
        let mut child =
            command(&double, words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The second look: it has not ended after the first.
        let first = lines.next().unwrap().unwrap();
        assert!(lines.any(|line| line.unwrap().split('"').next() == first.split('"').next()));
        drop(lines);
        let finished = finish(&double, child);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{words:?}");
    }
}
