//! Workers as a list, and as JSON.

use std::time::SystemTime;

use muster_proto::v1::{ChunkInHand, Worker, WorkerState};
use serde::Serialize;

use super::figures::{ago, time};
use super::table::Columns;
use crate::printable;

/// What is shown of a process that runs workers, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct WorkerView<'a> {
    worker: &'a str,
    host: &'a str,
    pid: u32,
    version: &'a str,
    workers: u32,
    state: &'static str,
    since: Option<String>,
    last_heartbeat: Option<String>,
    in_hand: Vec<ChunkView<'a>>,
    processed: u64,
    failed: u64,
    roll_problem: Option<&'a str>,
    roll_problem_since: Option<String>,
}

/// A chunk that a worker has in hand.
#[derive(Debug, Serialize)]
struct ChunkView<'a> {
    batch: &'a str,
    first: u64,
    records: u32,
}

impl<'a> From<&'a Worker> for WorkerView<'a> {
    fn from(worker: &'a Worker) -> Self {
        Self {
            worker: &worker.id,
            host: &worker.host,
            pid: worker.pid,
            version: &worker.version,
            workers: worker.workers,
            state: state(worker),
            since: worker.since.and_then(time),
            last_heartbeat: worker.last_heartbeat.and_then(time),
            in_hand: worker.in_hand.iter().map(ChunkView::from).collect(),
            processed: worker.processed,
            failed: worker.failed,
            roll_problem: roll_problem(worker),
            roll_problem_since: worker.roll_problem_since.and_then(time),
        }
    }
}

impl<'a> From<&'a ChunkInHand> for ChunkView<'a> {
    fn from(chunk: &'a ChunkInHand) -> Self {
        Self { batch: &chunk.batch, first: chunk.first, records: chunk.records }
    }
}

/// Why a process cannot write the roll, if it cannot.
fn roll_problem(worker: &Worker) -> Option<&str> {
    Some(worker.roll_problem.as_str()).filter(|problem| !problem.is_empty())
}

/// How a worker process is, in a word.
pub(crate) fn state(worker: &Worker) -> &'static str {
    match worker.state() {
        WorkerState::Unspecified => "unknown",
        WorkerState::Running => "running",
        WorkerState::Draining => "draining",
        WorkerState::Lost => "lost",
    }
}

/// The names of the columns of a list.
pub(crate) const COLUMNS: [&str; 11] = [
    "worker",
    "host",
    "pid",
    "version",
    "workers",
    "state",
    "since",
    "heartbeat",
    "in hand",
    "processed",
    "failed",
];

/// The processes, a line each; then why some of them cannot write the roll.
pub(crate) fn list(workers: &[Worker], now: SystemTime) -> String {
    let names = COLUMNS.map(str::to_owned);
    let rows = workers.iter().map(|worker| row(worker, now));
    let rows = std::iter::once(names).chain(rows).collect::<Vec<_>>();
    let problems = workers.iter().filter_map(|worker| {
        let problem = printable::text(roll_problem(worker)?);
        Some(format!("{} cannot write the roll: {problem}\n", printable::text(&worker.id)))
    });
    Columns::at_least([0; 11]).lines(&rows) + &problems.collect::<String>()
}

/// What the columns say of a process.
pub(crate) fn row(worker: &Worker, now: SystemTime) -> [String; 11] {
    [
        printable::text(&worker.id),
        printable::text(&worker.host),
        worker.pid.to_string(),
        printable::text(&worker.version),
        worker.workers.to_string(),
        state(worker).to_owned(),
        ago(worker.since, now),
        ago(worker.last_heartbeat, now),
        worker.in_hand.len().to_string(),
        worker.processed.to_string(),
        worker.failed.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn workers_have_a_line_each() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let running = Worker {
            id: "w-1".to_owned(),
            host: "build\x1b[2J".to_owned(),
            pid: 4711,
            version: "0.1.0".to_owned(),
            workers: 5,
            state: WorkerState::Running.into(),
            since: at(100),
            last_heartbeat: at(9_999),
            processed: 123_456,
            failed: 7,
            in_hand: vec![ChunkInHand::default(); 3],
            ..Worker::default()
        };
        let lost = Worker {
            id: "w-2".to_owned(),
            state: WorkerState::Lost.into(),
            roll_problem: "no space left\n".to_owned(),
            ..running.clone()
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        insta::assert_snapshot!(list(&[running, lost], now), @r"
        worker  host            pid   version  workers  state    since       heartbeat  in hand  processed  failed
        w-1     build\u{1b}[2J  4711  0.1.0    5        running  2h 45m ago  1s ago     3        123456     7
        w-2     build\u{1b}[2J  4711  0.1.0    5        lost     2h 45m ago  1s ago     3        123456     7
        w-2 cannot write the roll: no space left\n
        ");
    }
}
