//! The report, made small, on real programs and a real Redis.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use muster_integration::process::{Finished, Process};

const LIMIT: Duration = Duration::from_secs(600);

fn bench(arguments: &[&str], folder: &Path) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster-bench"));
    command.args(arguments).args(["--output", "performance.md"]);
    Process::start("muster-bench", command.current_dir(folder)).wait(LIMIT)
}

#[test]
fn a_report_of_throughput_has_every_case_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let report = ["report", "--only", "throughput", "--quick", "--records", "1000"];
    let report = [&report[..], &["--peers", "none", "--folder", "bench"]].concat();
    let report = bench(&report, folder.path());
    let report = report.expect_code(0);
    let page = fs::read_to_string(folder.path().join("performance.md")).unwrap();
    for case in [
        "| tonic alone: stream | 1,000 |",
        "| bare path: stream, AOF everysec | 1,000 |",
        "| bare path, 64 records an entry: stream | 1,000 |",
        "| Muster: stream | 1,000 |",
        "| Muster: stream, AOF always, answered when synced | 1,000 |",
        "| Muster: unary, 256 in flight | 200 |",
        "| Muster: `muster run`, in one process",
        "| Redis memory a waiting record",
        "(`--quick`): they say nothing",
        "## What is left out, and what went wrong\n\nNothing.\n",
    ] {
        assert!(page.contains(case), "{case:?} is not in\n{page}\n{report}");
    }
    let picture = fs::read_to_string(folder.path().join("performance/throughput.svg")).unwrap();
    assert!(picture.contains("prefers-color-scheme:dark") && picture.contains("Muster: stream"));

    let results = fs::read_to_string(folder.path().join("performance/results.jsonl")).unwrap();
    assert!(results.lines().count() > 20, "{results}");
    bench(&["write"], folder.path()).expect_code(0);
    assert_eq!(fs::read_to_string(folder.path().join("performance.md")).unwrap(), page);
}

#[test]
fn a_report_of_a_backlog_says_what_comes_and_what_is_worked_off() {
    let folder = tempfile::tempdir().unwrap();
    let report = ["report", "--only", "scaling", "--cases", "backlog", "--quick"];
    let report = [&report[..], &["--peers", "none", "--folder", "bench"]].concat();
    let report = bench(&report, folder.path()).expect_code(0);
    let page = fs::read_to_string(folder.path().join("performance.md")).unwrap();
    for part in [
        "| records waiting | records/s | answered/s | worked off/s |",
        "\n| 1,000 | ",
        "\n| 10,000 | ",
        "## What is left out, and what went wrong\n\nNothing.\n",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}\n{report}");
    }
}

#[test]
fn a_page_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = bench(&["write"], folder.path()).expect_code(1);
    assert!(refused.stderr.contains("nothing was measured yet"), "{refused}");
}
