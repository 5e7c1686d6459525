//! What is particular to the embedded store: its file, and leases in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/places.rs"]
mod places;

use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use muster_content::RecordHash;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, BatchState, Chunk, Committed, DeadLetter, Deadline, Ending,
    Error, History, Kept, NewChunk, Outcome, Places, Queue, ResultChunk, Retry, StoreOptions, Work,
    WorkerId,
};
use tempfile::TempDir;

/// Longer than any wait that a test hopes to end early.
const LONG: Duration = Duration::from_secs(60);

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.redb");
    (folder, path)
}

fn open(path: &Path) -> Arc<dyn Queue> {
    Arc::new(EmbeddedQueue::open(path, &StoreOptions::default()).unwrap())
}

fn id(text: &str) -> BatchId {
    text.parse().unwrap()
}

fn worker(label: &str) -> WorkerId {
    WorkerId::random(label)
}

fn as_sent() -> Outcome {
    Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() }
}

/// Ten records from a place on.
fn ten(place: u64) -> NewChunk {
    let payload = Bytes::from(format!("ten records from {place}"));
    NewChunk { places: places::from(place, 10), count: 10, payload, trace: None }
}

async fn append_tens(queue: &dyn Queue, id: &BatchId, chunks: u64) {
    queue.open(id, &BatchOptions::default()).await.unwrap();
    for chunk in 0..chunks {
        assert_eq!(queue.append(id, &[ten(chunk * 10)]).await.unwrap(), Appended::Accepted);
    }
}

async fn lease_chunks(queue: &dyn Queue, worker: &WorkerId, max: usize) -> Vec<Chunk> {
    let work = queue.lease(worker, max, Duration::ZERO).await.unwrap();
    chunks_of(work)
}

fn chunks_of(work: Vec<Work>) -> Vec<Chunk> {
    work.into_iter()
        .map(|work| match work {
            Work::Chunk(chunk) => chunk,
            Work::Roll(_) => panic!("a roll where a chunk was expected"),
        })
        .collect()
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let (_folder, path) = file();
    let (unfinished, finished) = (id("unfinished"), id("finished"));
    let letter = DeadLetter {
        place: 15,
        record_id: 7,
        reason: "no email".to_owned(),
        attempts: 1,
        crashes: 0,
        first: SystemTime::UNIX_EPOCH,
        last: SystemTime::UNIX_EPOCH,
        trace: None,
        record: Bytes::from_static(b"record"),
    };
    {
        let queue = open(&path);
        append_tens(&*queue, &finished, 2).await;
        let chunks = lease_chunks(&*queue, &worker("before"), 2).await;
        queue.commit(&chunks[0], &as_sent()).await.unwrap();
        let run = |first, count, payload| ResultChunk { first, count, payload };
        let runs = vec![
            run(10, 5, Bytes::from_static(b"five records")),
            run(16, 4, Bytes::from_static(b"four records")),
        ];
        let (kept, dead, retry) = (Kept::Runs(runs), vec![letter.clone()], Vec::new());
        let outcome = Outcome { kept, dead, retry };
        queue.commit(&chunks[1], &outcome).await.unwrap();
        queue.seal(&finished, Some(20), None).await.unwrap();
        append_tens(&*queue, &unfinished, 3).await;
        let chunks = queue.lease(&worker("before"), 3, Duration::ZERO).await.unwrap();
        assert_eq!(chunks.len(), 3);
    }

    let queue = open(&path);
    let batch = queue.next_complete(1).await.unwrap().remove(0);
    assert_eq!(batch.id, finished);
    assert_eq!((batch.state, batch.kept, batch.dead), (BatchState::Complete, 19, 1));
    let results = queue.results(&finished, 0, usize::MAX).await.unwrap();
    let payloads: Vec<_> = results.into_iter().map(|result| result.payload).collect();
    let of_second = [&b"five records"[..], b"", b"four records"].map(Bytes::from_static);
    assert_eq!(payloads[0], ten(0).payload);
    assert_eq!(payloads[1..], of_second);
    assert_eq!(queue.dead_letters(&finished, 0, 10).await.unwrap(), [letter]);

    // What was leased before is waiting again.
    let mut work = queue.lease(&worker("after"), 10, Duration::ZERO).await.unwrap();
    assert!(matches!(work.remove(0), Work::Roll(_)));
    let payloads: Vec<_> = chunks_of(work).into_iter().map(|chunk| chunk.payload).collect();
    assert_eq!(payloads, [ten(0).payload, ten(10).payload, ten(20).payload]);
    assert_eq!(queue.append(&unfinished, &[ten(30)]).await.unwrap(), Appended::Accepted);
}

#[tokio::test]
async fn a_lease_from_before_reopening_commits_nothing() {
    let (_folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 1).await;
    let old = lease_chunks(&*queue, &worker("before"), 1).await.remove(0);
    drop(queue);

    let queue = open(&path);
    let new = lease_chunks(&*queue, &worker("after"), 1).await.remove(0);
    assert_eq!(queue.commit(&old, &as_sent()).await.unwrap(), Committed::Refused);
    assert_eq!(queue.commit(&new, &as_sent()).await.unwrap(), Committed::Taken);
}

#[test]
fn a_file_is_opened_once() {
    let (_folder, path) = file();
    let first = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
    let error = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the store at file:{} is unavailable: the file is in use by another process",
            path.display()
        )
    );
    drop(first);
    EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap();
}

#[test]
fn a_missing_folder_is_named() {
    let (folder, _) = file();
    let error =
        EmbeddedQueue::open(&folder.path().join("nowhere/queue.redb"), &StoreOptions::default())
            .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Unavailable { .. }), "{text}");
    assert!(text.contains("nowhere: ") && text.contains("No such file"), "{text}");
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let (_folder, path) = file();
    let text = "these are somebody's notes\n".repeat(400);
    std::fs::write(&path, &text).unwrap();
    let error = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn an_empty_file_is_refused_and_left_alone() {
    let (_folder, path) = file();
    std::fs::write(&path, "").unwrap();
    let error = EmbeddedQueue::open(&path, &StoreOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("the file is empty: restore it from a backup"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
}

/// What can be read of a queue: errors, and no panics.
async fn read_all(path: &Path) -> Result<(), Error> {
    let queue = EmbeddedQueue::open(path, &StoreOptions::default())?;
    let stats = queue.stats().await;
    let batches = queue.batches(None, None, 100).await;
    let opened = queue.open(&id("another"), &BatchOptions::default()).await;
    let leased = queue.lease(&worker("w"), 1000, Duration::ZERO).await;
    stats.and(batches.map(drop)).and(opened.map(drop)).and(leased.map(drop))
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_no_panic() {
    const PAGE: usize = 4096;
    let (folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 300).await;
    drop(queue);
    let whole = std::fs::read(&path).unwrap();
    let mut errors = 0;
    // The first page says where everything else is: without it, the file is of something else.
    for page in 1..whole.len() / PAGE {
        let damaged = folder.path().join("damaged.redb");
        let mut bytes = whole.clone();
        bytes[page * PAGE..][..PAGE].fill(0);
        if bytes == whole {
            continue;
        }
        std::fs::write(&damaged, bytes).unwrap();
        match read_all(&damaged).await {
            Ok(()) => {}
            Err(Error::Corrupt { what, .. }) => {
                assert!(!what.is_empty());
                errors += 1;
            }
            Err(Error::Unavailable { .. }) => errors += 1,
            Err(error) => panic!("page {page}: {error}"),
        }
        let _ = std::fs::remove_file(&damaged);
    }
    assert!(errors > 0, "no page is needed");
}

#[tokio::test]
async fn a_commit_after_the_release_is_refused() {
    let (_folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 1).await;
    let first = lease_chunks(&*queue, &worker("first"), 1).await.remove(0);
    queue.release(std::slice::from_ref(&first.lease)).await.unwrap();
    assert_eq!(queue.commit(&first, &as_sent()).await.unwrap(), Committed::Refused);

    let second = lease_chunks(&*queue, &worker("second"), 1).await.remove(0);
    assert_eq!(queue.commit(&first, &as_sent()).await.unwrap(), Committed::Refused);
    assert_eq!(queue.commit(&second, &as_sent()).await.unwrap(), Committed::Taken);
    assert_eq!(queue.batch(&id("b")).await.unwrap().unwrap().kept, 10);
}

#[tokio::test]
async fn after_a_take_over_the_first_commit_wins() {
    let (_folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 2).await;
    let (slow, other) = (worker("slow"), worker("other"));
    let held = lease_chunks(&*queue, &slow, 2).await;
    assert!(queue.take_over(&other, LONG, 9).await.unwrap().is_empty(), "not idle");
    let taken = chunks_of(queue.take_over(&other, Duration::ZERO, 9).await.unwrap());
    assert_eq!(taken.len(), 2);

    // The release of a lost lease changes nothing.
    queue.release(&[held[0].lease.clone(), held[1].lease.clone()]).await.unwrap();
    assert!(lease_chunks(&*queue, &slow, 9).await.is_empty());

    assert_eq!(queue.commit(&held[0], &as_sent()).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&taken[0], &as_sent()).await.unwrap(), Committed::Refused);
    assert_eq!(queue.commit(&taken[1], &as_sent()).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&held[1], &as_sent()).await.unwrap(), Committed::Refused);
    assert_eq!(queue.batch(&id("b")).await.unwrap().unwrap().kept, 20);
}

#[tokio::test]
async fn two_commits_at_once_count_once() {
    let (_folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 1).await;
    let held = lease_chunks(&*queue, &worker("slow"), 1).await.remove(0);
    let taken = queue.take_over(&worker("other"), Duration::ZERO, 1).await.unwrap();
    let taken = chunks_of(taken).remove(0);
    let outcome = as_sent();
    let (one, two) = tokio::join!(queue.commit(&held, &outcome), queue.commit(&taken, &outcome));
    let taken_of = [one.unwrap(), two.unwrap()].map(|committed| committed == Committed::Taken);
    assert_ne!(taken_of[0], taken_of[1]);
    assert_eq!(queue.batch(&id("b")).await.unwrap().unwrap().kept, 10);
}

#[tokio::test]
async fn a_waiting_lease_is_woken() {
    let (_folder, path) = file();
    let queue = open(&path);
    let batch = id("b");
    queue.open(&batch, &BatchOptions::default()).await.unwrap();
    let (one, two) = (worker("one"), worker("two"));

    let append = ten(0);
    let (appended, work) =
        tokio::join!(queue.append(&batch, from_ref(&append)), queue.lease(&one, 1, LONG));
    appended.unwrap();
    let chunk = chunks_of(work.unwrap()).remove(0);

    let leases = [chunk.lease];
    let (work, released) = tokio::join!(queue.lease(&two, 1, LONG), queue.release(&leases));
    released.unwrap();
    let chunk = chunks_of(work.unwrap()).remove(0);

    queue.seal(&batch, None, None).await.unwrap();
    let outcome = as_sent();
    let (work, committed) =
        tokio::join!(queue.lease(&one, 1, LONG), queue.commit(&chunk, &outcome));
    committed.unwrap();
    assert!(matches!(work.unwrap()[..], [Work::Roll(_)]));
}

#[tokio::test]
async fn a_waiting_lease_is_woken_when_the_time_of_a_retry_has_come() {
    let (_folder, path) = file();
    let queue = open(&path);
    append_tens(&*queue, &id("b"), 1).await;
    let chunk = lease_chunks(&*queue, &worker("one"), 1).await.remove(0);
    let after = Duration::from_millis(300);
    let retry = Retry {
        place: 0,
        payload: Bytes::from_static(b"record"),
        history: History { failures: 1, ..History::default() },
        after,
    };
    let outcome = Outcome { kept: Kept::Runs(Vec::new()), dead: Vec::new(), retry: vec![retry] };
    let committed = Instant::now();
    queue.commit(&chunk, &outcome).await.unwrap();
    let chunk = chunks_of(queue.lease(&worker("two"), 1, LONG).await.unwrap()).remove(0);
    assert!(committed.elapsed() >= after && committed.elapsed() < LONG / 2);
    assert_eq!((chunk.first, chunk.count, chunk.history.failures), (0, 1, 1));
}

#[tokio::test]
async fn places_that_are_taken_are_known_after_reopening() {
    let (_folder, path) = file();
    let batch = id("b");
    let hashed = |index: &u64| (*index, RecordHash::of(&index.to_be_bytes()));
    let each = |places: &[u64]| NewChunk {
        places: Places::Each(places.iter().map(hashed).collect()),
        count: u32::try_from(places.len()).unwrap(),
        payload: Bytes::from_static(b"records"),
        trace: None,
    };
    let queue = open(&path);
    queue.open(&batch, &BatchOptions::default()).await.unwrap();
    assert_eq!(queue.append(&batch, &[each(&[2, 0])]).await.unwrap(), Appended::Accepted);
    drop(queue);

    let queue = open(&path);
    let taken = Appended::Taken { same: vec![0], different: vec![] };
    assert_eq!(queue.append(&batch, &[each(&[0, 1])]).await.unwrap(), taken);
    assert_eq!(queue.append(&batch, &[each(&[1])]).await.unwrap(), Appended::Accepted);
    let mixed = queue.append(&batch, &[ten(3)]).await.unwrap_err();
    assert!(matches!(mixed, Error::MixedPlaces(_)), "{mixed}");

    queue.seal(&batch, Some(3), None).await.unwrap();
    let taken = Appended::Taken { same: vec![2], different: vec![] };
    assert_eq!(queue.append(&batch, &[each(&[2])]).await.unwrap(), taken);
    let sealed = queue.append(&batch, &[each(&[2, 3])]).await.unwrap_err();
    assert!(matches!(sealed, Error::Sealed { received: 3, .. }), "{sealed}");
}

#[tokio::test]
async fn a_batch_is_sealed_when_its_time_is_over_and_not_before() {
    let (_folder, path) = file();
    let queue = open(&path);
    let (short, long) = (id("short"), id("long"));
    for (id, after) in [(&short, Duration::ZERO), (&long, LONG)] {
        let deadline = Some(Deadline { after, then: Ending::Seal });
        let options = BatchOptions { deadline, ..BatchOptions::default() };
        queue.open(id, &options).await.unwrap();
        queue.append(id, &[ten(0)]).await.unwrap();
    }
    drop(queue);
    let queue = open(&path);
    assert_eq!(queue.end_overdue(10).await.unwrap().len(), 1);
    assert_eq!(queue.end_overdue(10).await.unwrap(), []);
    assert_eq!(queue.batch(&short).await.unwrap().unwrap().state, BatchState::Sealed);
    assert_eq!(queue.batch(&long).await.unwrap().unwrap().state, BatchState::Open);
}

#[tokio::test]
async fn the_file_does_not_grow_with_what_was_written() {
    let (_folder, path) = file();
    let queue = open(&path);
    let mut size_early = 0;
    for number in 0..200 {
        write_batch(&*queue, id(&format!("batch-{number}"))).await;
        if number == 20 {
            size_early = std::fs::metadata(&path).unwrap().len();
        }
    }
    let size = std::fs::metadata(&path).unwrap().len();

    assert!(size < 2 * size_early, "from {size_early} bytes to {size}");
}

/// The file as a process leaves it that is killed while this many bytes wait: a copy of one that is open.
async fn killed_with(bytes: usize) -> (TempDir, PathBuf) {
    let (folder, path) = file();
    let queue = open(&path);
    queue.open(&id("b"), &BatchOptions::default()).await.unwrap();
    let chunks: Vec<NewChunk> = (0..(bytes >> 20) as u64)
        .map(|place| {
            let payload = Bytes::from(vec![b'x'; 1 << 20]);
            NewChunk { places: places::from(place, 1), count: 1, payload, trace: None }
        })
        .collect();
    for chunks in chunks.chunks(16) {
        queue.append(&id("b"), chunks).await.unwrap();
    }
    let killed = folder.path().join("killed.redb");
    std::fs::copy(&path, &killed).unwrap();
    (folder, killed)
}

#[tokio::test]
async fn file_of_a_killed_process_is_checked_in_the_background() {
    let (_folder, path) = killed_with(128 << 20).await;
    let queue = EmbeddedQueue::open_in_background(&path, &StoreOptions::default()).unwrap();
    let being_checked = "the file is being checked, ";
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains(being_checked), "{error}");
    let error = queue.open(&id("new"), &BatchOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains(being_checked), "{error}");
    let checked = async {
        while let Err(error) = queue.ping().await {
            assert!(error.to_string().contains(being_checked), "{error}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, checked).await.unwrap();
    assert_eq!(queue.batch(&id("b")).await.unwrap().unwrap().received, 128);
    queue.open(&id("new"), &BatchOptions::default()).await.unwrap();
}

#[tokio::test]
async fn check_of_a_file_ends_with_its_queue() {
    let (_folder, path) = killed_with(64 << 20).await;
    drop(EmbeddedQueue::open_in_background(&path, &StoreOptions::default()).unwrap());
    let queue = open(&path);
    assert_eq!(queue.batch(&id("b")).await.unwrap().unwrap().received, 64);
}

#[tokio::test]
async fn disk_space_is_given_back_when_all_is_written() {
    let (_folder, path) = killed_with(128 << 20).await;
    let queue = open(&path);
    let size = || std::fs::metadata(&path).unwrap().len();
    assert!(size() > 128 << 20);
    for chunk in lease_chunks(&*queue, &worker("w"), 1000).await {
        queue.commit(&chunk, &as_sent()).await.unwrap();
    }
    queue.seal(&id("b"), Some(128), None).await.unwrap();
    assert!(queue.mark_written(&id("b"), "digest").await.unwrap());
    // It is given back behind the answer, and before the next one.
    append_tens(&*queue, &id("next"), 1).await;
    assert!(size() < 8 << 20, "{} bytes are left", size());
    assert_eq!(lease_chunks(&*queue, &worker("w"), 10).await.len(), 1);
}

/// Takes a batch of 200 kB all the way.
async fn write_batch(queue: &dyn Queue, batch: BatchId) {
    queue.open(&batch, &BatchOptions::default()).await.unwrap();
    for place in 0..2 {
        let payload = Bytes::from(vec![b'x'; 100_000]);
        let chunk = NewChunk { places: places::from(place, 1), count: 1, payload, trace: None };
        queue.append(&batch, &[chunk]).await.unwrap();
    }
    for chunk in lease_chunks(queue, &worker("w"), 2).await {
        queue.commit(&chunk, &as_sent()).await.unwrap();
    }
    queue.seal(&batch, Some(2), None).await.unwrap();
    assert!(queue.mark_written(&batch, "digest").await.unwrap());
    assert!(!queue.mark_written(&batch, "digest").await.unwrap());
    assert!(queue.results(&batch, 0, 1).await.unwrap().is_empty());
    assert!(queue.lease(&worker("w"), 1, Duration::ZERO).await.unwrap().is_empty());
}
