//! The embedded store on a disk that is full for a while.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/places.rs"]
mod places;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use muster_integration::disk::Disk;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, BatchState, Chunk, Committed, Error, Kept, NewChunk, Outcome,
    Queue, Result, StoreOptions, Work, WorkerId,
};
use tempfile::TempDir;

const DISK_BYTES: u64 = 16 << 20;
/// More chunks than the disk has room for.
const CHUNKS_MAX: u64 = 1000;
const CHUNK_BYTES: usize = 64 << 10;
/// What the system says of a full disk.
const FULL: &str = "No space left on device";

/// A disk of its own, which goes with the test.
struct Place {
    disk: Disk,
    file: PathBuf,
    _folder: TempDir,
}

/// `None` where this user may not mount one, with words.
#[expect(clippy::print_stderr, reason = "who reads of a test that passed wants to know")]
fn place() -> Option<Place> {
    let folder = tempfile::tempdir().unwrap();
    let mounted = folder.path().join("disk");
    match Disk::mount(&mounted, DISK_BYTES) {
        Ok(disk) => Some(Place { disk, file: mounted.join("queue.redb"), _folder: folder }),
        Err(problem) => {
            eprintln!("skipped: {problem}");
            None
        }
    }
}

fn open(file: &Path) -> EmbeddedQueue {
    EmbeddedQueue::open(file, &StoreOptions::default()).unwrap()
}

fn id() -> BatchId {
    "batch".parse().unwrap()
}

/// The chunk at this place, of one record.
fn chunk(place: u64) -> NewChunk {
    let payload = place.to_string().repeat(CHUNK_BYTES).into_bytes();
    let payload = Bytes::from(payload).slice(..CHUNK_BYTES);
    NewChunk { places: places::from(place, 1), count: 1, payload, trace: None }
}

/// Appends chunk after chunk from this place on, until one is refused: its place, and why.
async fn append_until_refused(queue: &EmbeddedQueue, first: u64) -> (u64, Error) {
    for place in first..CHUNKS_MAX {
        match queue.append(&id(), &[chunk(place)]).await {
            Ok(answer) => assert_eq!(answer, Appended::Accepted),
            Err(error) => return (place, error),
        }
    }
    panic!("the disk takes all")
}

#[track_caller]
fn assert_full<T: std::fmt::Debug>(answer: Result<T>) {
    match answer {
        Err(Error::Unavailable { reason, .. }) if reason.contains(FULL) => {}
        other => panic!("no word of the full disk: {other:?}"),
    }
}

async fn lease(queue: &EmbeddedQueue, max: usize) -> Vec<Chunk> {
    let work = queue.lease(&WorkerId::random("test"), max, Duration::ZERO).await.unwrap();
    let chunks = work.into_iter().map(|work| match work {
        Work::Chunk(chunk) => chunk,
        Work::Roll(_) => panic!("no batch is complete"),
    });
    chunks.collect()
}

async fn commit(queue: &EmbeddedQueue, chunk: &Chunk) -> Result<Committed> {
    let outcome = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
    queue.commit(chunk, &outcome).await
}

#[tokio::test]
async fn a_full_disk_is_reported_and_with_room_all_goes_on() {
    let Some(Place { disk, file, _folder }) = place() else { return };
    let queue = open(&file);
    queue.open(&id(), &BatchOptions::default()).await.unwrap();
    assert_eq!(queue.append(&id(), &[chunk(0)]).await.unwrap(), Appended::Accepted);
    let held = lease(&queue, 1).await.remove(0);

    let mut next = 1;
    for _ in 0..3 {
        disk.fill();
        let (refused, error) = append_until_refused(&queue, next).await;
        assert_full::<()>(Err(error));
        // As long as it is full, everybody is told why.
        for _ in 0..3 {
            assert_full(queue.ping().await);
            assert_full(queue.append(&id(), &[chunk(refused)]).await);
        }
        // What is there can be read all the same.
        let batch = queue.batch(&id()).await.unwrap().unwrap();
        assert_eq!((batch.received, batch.kept), (refused, 0));
        disk.free();
        assert_eq!(queue.append(&id(), &[chunk(refused)]).await.unwrap(), Appended::Accepted);
        queue.ping().await.unwrap();
        next = refused + 1;
    }

    assert_eq!(commit(&queue, &held).await.unwrap(), Committed::Taken);
    let batch = queue.seal(&id(), Some(next), None).await.unwrap();
    assert_eq!((batch.state, batch.received, batch.kept), (BatchState::Sealed, next, 1));
    drop(queue);

    // Nothing that was accepted is lost, or there twice.
    let queue = open(&file);
    let chunks = lease(&queue, usize::try_from(CHUNKS_MAX).unwrap()).await;
    assert_eq!(chunks.iter().map(|chunk| chunk.first).collect::<Vec<_>>(), Vec::from_iter(1..next));
    for found in &chunks {
        assert_eq!(found.payload, chunk(found.first).payload);
        assert_eq!(commit(&queue, found).await.unwrap(), Committed::Taken);
    }
    let batch = queue.batch(&id()).await.unwrap().unwrap();
    assert_eq!((batch.state, batch.kept), (BatchState::Complete, next));
}

#[tokio::test]
async fn a_store_that_is_closed_after_the_disk_was_full_is_closed_well() {
    let Some(Place { disk, file, _folder }) = place() else { return };
    let queue = open(&file);
    queue.open(&id(), &BatchOptions::default()).await.unwrap();
    assert_eq!(queue.append(&id(), &[chunk(0)]).await.unwrap(), Appended::Accepted);
    disk.fill();
    assert_full::<()>(Err(append_until_refused(&queue, 1).await.1));
    disk.free();
    drop(queue);

    // The next process loses nothing by being killed, which a copy of its file stands for: only
    // one that follows a kill writes down what it leases.
    let queue = open(&file);
    assert_eq!(lease(&queue, 1).await[0].lost, 0);
    let copy = file.with_file_name("copy.redb");
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(lease(&open(&copy), 1).await[0].lost, 0);
}
