//! A backlog of many chunks: no step takes it all in hand at once.

use std::time::Duration;

use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, BatchId, BatchState, Chunk, Committed, Depth, Lease, Outcome, Priority, Queue, Work,
    WorkerId,
};

use super::given::{AS_SENT, NO_WAIT, ask, chunk, kept, open, queue, retry, shown};
use crate::redis_server::RedisServer;

/// A script of Redis has room for 8,000 values at once. What unpacks a value for each chunk fails
/// long before this.
const CHUNKS: u64 = 30_000;

async fn backlog(queue: &RedisQueue) -> BatchId {
    let batch = open(queue, "b", Priority::Normal).await;
    for place in 0..CHUNKS {
        assert_eq!(queue.append(&batch, &[chunk(place, 1)]).await.unwrap(), Appended::Accepted);
    }
    queue.seal(&batch, Some(CHUNKS), None).await.unwrap();
    batch
}

fn chunks(work: Vec<Work>) -> Vec<Chunk> {
    let chunk = |work| match work {
        Work::Chunk(chunk) => chunk,
        Work::Roll(roll) => panic!("{roll:?}"),
    };
    work.into_iter().map(chunk).collect()
}

/// Leases all that waits, as much at a time as there is.
async fn lease_all(queue: &RedisQueue, worker: &WorkerId) -> Vec<Chunk> {
    let mut leased = Vec::new();
    loop {
        let work = queue.lease(worker, usize::MAX, NO_WAIT).await.unwrap();
        if work.is_empty() {
            assert_eq!(leased.len() as u64, CHUNKS);
            return leased;
        }
        leased.extend(chunks(work));
    }
}

#[tokio::test]
async fn many_chunks_are_leased_given_back_taken_over_and_committed() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = backlog(&queue).await;

    let [releases, goes, is_lost, takes_over] =
        ["releases", "goes", "is-lost", "takes-over"].map(WorkerId::random);
    let leased = lease_all(&queue, &releases).await;
    let leases: Vec<Lease> = leased.into_iter().map(|chunk| chunk.lease).collect();
    queue.extend(&leases).await.unwrap();
    queue.release(&leases).await.unwrap();
    lease_all(&queue, &goes).await;
    queue.forget(&goes).await.unwrap();
    lease_all(&queue, &is_lost).await;

    let mut committed = 0;
    while committed < CHUNKS {
        let taken = chunks(queue.take_over(&takes_over, NO_WAIT, usize::MAX).await.unwrap());
        assert!(!taken.is_empty(), "{committed} of {CHUNKS}");
        for chunk in &taken {
            assert_eq!(queue.commit(chunk, &AS_SENT).await.unwrap(), Committed::Taken);
            committed += 1;
        }
    }

    let complete = queue.next_complete(1).await.unwrap().remove(0);
    assert_eq!((&complete.id, complete.kept), (&batch, CHUNKS));
    let mut read = 0;
    while read < CHUNKS {
        let results = queue.results(&batch, read, usize::MAX).await.unwrap();
        assert!(!results.is_empty(), "{read} of {CHUNKS}");
        read += results.iter().map(|result| u64::from(result.count)).sum::<u64>();
    }
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    assert_eq!(ask::<u64>(&server, "XLEN {muster}:queue:normal").await, 0);
}

#[tokio::test]
async fn many_retries_that_are_due_at_once_come_and_are_aborted() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = backlog(&queue).await;
    for chunk in lease_all(&queue, &worker).await {
        let again = retry(chunk.first, Duration::from_millis(1), false);
        let outcome = Outcome { retry: vec![again], ..kept(Vec::new()) };
        queue.commit(&chunk, &outcome).await.unwrap();
    }
    let retried = lease_all(&queue, &worker).await;
    assert_eq!(shown(&queue, &batch).await.retrying, CHUNKS);

    assert_eq!(queue.abort(&batch).await.unwrap().state, BatchState::Aborted);
    for chunk in &retried {
        queue.commit(chunk, &AS_SENT).await.unwrap();
    }
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
}
