//! `queue pause`, `queue resume`, `log`.

use muster_proto::v1::Stats;

use crate::double::Double;
use crate::{printed, refused};

#[test]
fn the_queue_is_paused_and_resumed_without_a_question() {
    let double = Double::start().with_stats(Stats { leased: 2, ..Stats::default() });
    insta::assert_snapshot!(printed(&double, "queue pause"), @r"
    queue     paused, until muster-client queue resume
    in hand   2 chunks, still to be finished
    ");
    assert_eq!(printed(&double, "queue pause --json"), "{\"paused\":true,\"in_hand\":2}\n");
    assert_eq!(printed(&double, "queue resume"), "queue     running\n");
    assert_eq!(printed(&double, "queue resume --json"), "{\"paused\":false,\"in_hand\":2}\n");
    assert_eq!(double.changes(), ["pause", "pause", "resume", "resume"]);
}

#[test]
fn the_log_is_set_for_all_and_set_back() {
    let double = Double::start();
    assert_eq!(printed(&double, "log info,h2=off"), "log       info,h2=off\n");
    assert_eq!(printed(&double, "log debug --json"), "{\"log_filter\":\"debug\"}\n");
    assert_eq!(printed(&double, "log --reset"), "log       as each program is set\n");
    assert_eq!(printed(&double, "log --reset --json"), "{\"log_filter\":null}\n");
    assert_eq!(double.changes(), ["log `info,h2=off`", "log `debug`", "log ``", "log ``"]);
}

#[test]
fn what_is_no_filter_is_not_asked_for() {
    let double = Double::start();
    insta::assert_snapshot!(refused(&double, "log verbose", 2), @r"
    error: invalid value 'verbose' for '[FILTER]': `verbose` is no log level; use error, warn, info, debug or trace, or a filter such as info,muster_queue=debug

    For more information, try '--help'.
    ");
    assert!(refused(&double, "log ", 2).contains("--reset lets each program"));
    assert!(refused(&double, "log debug --reset", 2).contains("cannot be used with"));
    assert!(refused(&double, "log", 2).contains("<FILTER>"));
    assert!(double.changes().is_empty());
}
