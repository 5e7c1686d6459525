//! The embedded store in a process that is killed while it writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/places.rs"]
mod places;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, Chunk, Kept, NewChunk, Outcome, Queue, StoreOptions, Work,
    WorkerId,
};
use tokio::task::JoinSet;

/// In the environment of a child process: the file it is to fill until it is killed.
const FILE_TO_FILL: &str = "MUSTER_TEST_FILE_TO_FILL";

/// Longer than the child lives.
const LONG: Duration = Duration::from_secs(60);

fn batches() -> [BatchId; 4] {
    ["a", "b", "c", "d"].map(|id| id.parse().unwrap())
}

/// Ten records from a place on.
fn ten(place: u64) -> NewChunk {
    let payload = Bytes::from(format!("ten records from {place}"));
    NewChunk { places: places::from(place, 10), count: 10, payload, trace: None }
}

async fn lease(queue: &EmbeddedQueue, worker: &WorkerId, max: usize) -> Vec<Chunk> {
    let work = queue.lease(worker, max, LONG).await.unwrap();
    work.into_iter()
        .map(|work| match work {
            Work::Chunk(chunk) => chunk,
            Work::Roll(_) => panic!("no batch is complete"),
        })
        .collect()
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = std::env::var_os(FILE_TO_FILL) {
        fill_until_killed(Path::new(&path)).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.redb");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_was_acknowledged_survives_a_kill", "--nocapture"])
        .env(FILE_TO_FILL, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Appended and committed, of four batches: the last number of each.
    let mut acknowledged: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = 0;
    while count < 400 || acknowledged.len() < 8 {
        acknowledged.extend(acknowledgement(&lines.next().unwrap().unwrap()));
        count += 1;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had printed by then counts as well.
    acknowledged.extend(lines.filter_map(|line| acknowledgement(&line.unwrap())));

    let queue = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
    let mut waiting: BTreeMap<BatchId, Vec<Chunk>> = BTreeMap::new();
    for chunk in lease(&queue, &WorkerId::random("after"), usize::MAX).await {
        waiting.entry(chunk.batch.clone()).or_default().push(chunk);
    }
    for batch in batches() {
        let found = queue.batch(&batch).await.unwrap().unwrap();
        assert!(found.received >= acknowledged[&format!("{batch}-appended")]);
        assert!(found.kept >= acknowledged[&format!("{batch}-committed")]);
        let committed = queue.results(&batch, 0, usize::MAX).await.unwrap();
        let mut payloads: Vec<_> = committed.into_iter().map(|result| result.payload).collect();
        assert_eq!(payloads.len() as u64 * 10, found.kept);
        payloads.extend(waiting.remove(&batch).unwrap_or_default().into_iter().map(|c| c.payload));
        let expected: Vec<_> = (0..found.received / 10).map(|n| ten(n * 10).payload).collect();
        assert_eq!(payloads, expected, "batch {batch}");
    }
}

/// In the environment of a child process: the file of which it is to lease a chunk, and die.
const FILE_TO_LEASE: &str = "MUSTER_TEST_FILE_TO_LEASE";

#[tokio::test]
async fn a_chunk_that_ends_process_after_process_is_known_as_lost() {
    if let Some(path) = std::env::var_os(FILE_TO_LEASE) {
        let queue = EmbeddedQueue::open(Path::new(&path), &StoreOptions::default()).unwrap();
        let chunk = lease(&queue, &WorkerId::random("child"), 1).await.remove(0);
        println!("leased {}", chunk.lost);
        std::process::abort();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.redb");
    let batch: BatchId = "b".parse().unwrap();
    let queue = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
    queue.open(&batch, &BatchOptions::default()).await.unwrap();
    for place in [0, 10] {
        queue.append(&batch, &[ten(place)]).await.unwrap();
    }
    drop(queue);

    let leased = || {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_chunk_that_ends_process_after_process_is_known_as_lost"])
            .args(["--nocapture"])
            .env(FILE_TO_LEASE, &path)
            .output()
            .unwrap();
        assert!(!child.status.success());
        let said = String::from_utf8(child.stdout).unwrap();
        said.lines().find_map(|line| Some(line.strip_prefix("leased ")?.to_owned())).unwrap()
    };
    // The first end costs nothing: nobody knows what was in hand.
    assert_eq!([leased(), leased(), leased(), leased()], ["0", "0", "1", "2"]);
    let queue = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
    let lost: Vec<u32> = lease(&queue, &WorkerId::random("after"), usize::MAX)
        .await
        .iter()
        .map(|chunk| chunk.lost)
        .collect();
    assert_eq!(lost, [3, 0], "its neighbour was in nobody's hands");
    drop(queue);

    // An end as it should be loses nothing.
    let queue = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
    let chunks = lease(&queue, &WorkerId::random("later"), usize::MAX).await;
    assert_eq!([chunks[0].lost, chunks[1].lost], [3, 0]);
}

/// Appends to four batches at once and commits meanwhile, and prints what is acknowledged: how many
/// records each batch has, and how many of them are committed.
async fn fill_until_killed(path: &Path) {
    let queue = Arc::new(EmbeddedQueue::open(path, &StoreOptions::default()).unwrap());
    let mut fillers = JoinSet::new();
    for batch in batches() {
        let queue = Arc::clone(&queue);
        fillers.spawn(async move {
            queue.open(&batch, &BatchOptions::default()).await.unwrap();
            for number in 0.. {
                let appended = queue.append(&batch, &[ten(number * 10)]).await.unwrap();
                assert_eq!(appended, Appended::Accepted);
                print_acknowledged(&format!("{batch}-appended"), (number + 1) * 10);
            }
        });
    }
    let worker = WorkerId::random("child");
    let outcome = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
    loop {
        for chunk in lease(&queue, &worker, 1).await {
            queue.commit(&chunk, &outcome).await.unwrap();
            print_acknowledged(&format!("{}-committed", chunk.batch), chunk.first + 10);
        }
    }
}

fn print_acknowledged(what: &str, records: u64) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "acknowledged {what} {records} records").unwrap();
    stdout.flush().unwrap();
}

/// Reads such a line; `None` for another one, or one that was cut off.
fn acknowledgement(line: &str) -> Option<(String, u64)> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["acknowledged", what, records, "records"] => {
            Some((what.to_owned(), records.parse().unwrap()))
        }
        _ => None,
    }
}
