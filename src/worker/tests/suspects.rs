//! A suspect in a process whose workers are busy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use muster_content::{ContentDigest, RecordHash};
use muster_program::shutdown::Shutdown;
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    Batch, BatchId, BatchOptions, BatchState, Durability, History, Kept, NewChunk, Outcome, Places,
    Queue, Retry, StoreOptions, Work, WorkerId,
};
use muster_worker::RollFailure;
use muster_worker::config::Config;
use muster_worker::processor::{Processor, Verdict};
use muster_worker::roll::Roll;

const LEASE: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Keeps every record, but is held up by those called `slow` until they are let go.
#[derive(Debug, Default)]
struct HeldUp {
    begun: AtomicUsize,
    let_go: AtomicBool,
}

impl Processor for HeldUp {
    fn process(&self, record: &User<'_>) -> Verdict {
        if record.user_name == "slow" {
            self.begun.fetch_add(1, Ordering::SeqCst);
            // A test that fails lets nobody go.
            let begun = Instant::now();
            while !self.let_go.load(Ordering::SeqCst) && begun.elapsed() < WAIT_MAX {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Verdict::Keep
    }
}

fn record(name: &str) -> bytes::Bytes {
    let mut payload = Encoder::default();
    payload.push(&User { user_name: name, ..User::default() });
    payload.take()
}

async fn append(queue: &dyn Queue, batch: &BatchId, first: u64, name: &str) {
    let digest = |records: u64| match records {
        0 => ContentDigest::EMPTY,
        _ => ContentDigest::EMPTY.then(RecordHash::of(&records.to_be_bytes())),
    };
    let places = Places::From { first, before: digest(first), after: digest(first + 1) };
    let chunk = NewChunk { places, count: 1, payload: record(name), trace: None };
    queue.append(batch, &[chunk]).await.unwrap();
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < WAIT_MAX, "{what}: not within {WAIT_MAX:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A batch of one record, which is isolated.
async fn suspected(queue: &dyn Queue, batch: &BatchId) {
    queue.open(batch, &BatchOptions::default()).await.unwrap();
    append(queue, batch, 0, "suspect").await;
    queue.seal(batch, Some(1), None).await.unwrap();
    let work = queue.lease(&WorkerId::random("test"), 1, Duration::ZERO).await.unwrap();
    let [Work::Chunk(chunk)] = &work[..] else { panic!("{work:?}") };
    let history = History { isolated: true, ..History::default() };
    let retry = Retry { place: 0, payload: record("suspect"), history, after: Duration::ZERO };
    let outcome = Outcome { kept: Kept::Runs(Vec::new()), dead: Vec::new(), retry: vec![retry] };
    queue.commit(chunk, &outcome).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_lost_while_it_waits_for_them() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("queue.redb");
    let queue = Arc::new(EmbeddedQueue::open(&file, &StoreOptions::default()).unwrap());
    let processor = Arc::new(HeldUp::default());
    let shutdown = Shutdown::default();
    let config = Config {
        lease: LEASE,
        scan_interval: LEASE / 5,
        roll: home.path().join("roll"),
        ..Config::default()
    };
    let process = shutdown.spawn({
        let queue = Arc::clone(&queue) as Arc<dyn Queue>;
        let processor = Arc::clone(&processor) as Arc<dyn Processor>;
        let shutdown = shutdown.clone();
        async move {
            let roll = Roll::in_folder(&config.roll, Durability::Synced, None);
            let failure = RollFailure::TryAgain;
            muster_worker::run(queue, roll, &config, processor, failure, &shutdown).await
        }
    });
    let busy: BatchId = "busy".parse().unwrap();
    queue.open(&busy, &BatchOptions::default()).await.unwrap();
    append(queue.as_ref(), &busy, 0, "slow").await;
    until("the process is busy", async || processor.begun.load(Ordering::SeqCst) == 1).await;
    let batch: BatchId = "suspected".parse().unwrap();
    suspected(queue.as_ref(), &batch).await;

    // Another process looks for suspects, too, for longer than a lease from then on that the busy
    // one has this one.
    let other = WorkerId::random("other");
    let mut held_since = None;
    until("the suspect is held for long", async || {
        if let Some(chunk) = queue.lease_isolated(&other, LEASE).await.unwrap() {
            assert_eq!(chunk.lost, 0, "the process that has it lives");
            queue.release(&[chunk.lease]).await.unwrap();
            return false;
        }
        held_since.get_or_insert_with(Instant::now).elapsed() > LEASE * 4
    })
    .await;

    processor.let_go.store(true, Ordering::SeqCst);
    let found = async || -> Batch { queue.batch(&batch).await.unwrap().unwrap() };
    let is_written = async || found().await.state == BatchState::Written;
    until("the suspect's batch is written", is_written).await;
    assert_eq!((found().await.kept, found().await.dead), (1, 0));
    shutdown.begin();
    process.await.unwrap().unwrap();
}
