//! How much may wait.

use std::num::NonZeroU64;

use muster_queue::redis::RedisQueue;
use muster_queue::{Appended, Depth, Error, Limits, Priority, Queue, StoreOptions, WorkerId};

use super::given::{AS_SENT, ask, chunk, lease_chunk, open, payload};
use crate::redis_server::RedisServer;

async fn limited(server: &RedisServer, limits: Limits) -> RedisQueue {
    let options = StoreOptions { limits, ..StoreOptions::default() };
    RedisQueue::connect(&server.url(), &options).await.unwrap()
}

#[tokio::test]
async fn a_full_queue_takes_no_more_until_it_is_below_its_limit() {
    let len = payload(0).len() as u64;
    for limits in [
        Limits { records: NonZeroU64::new(3), bytes: None },
        Limits { records: None, bytes: NonZeroU64::new(2 * len) },
    ] {
        let server = RedisServer::start();
        let queue = limited(&server, limits).await;
        let worker = WorkerId::random("w");
        let batch = open(&queue, "b", Priority::Normal).await;
        for first in [0, 2] {
            let appended = queue.append(&batch, &[chunk(first, 2)]).await.unwrap();
            assert_eq!(appended, Appended::Accepted);
        }
        let error = queue.append(&batch, &[chunk(4, 2)]).await.unwrap_err();
        let Error::Full { records, bytes } = error else { panic!("{error}") };
        assert_eq!((records, bytes), (4, 2 * len));
        // What it has it has, full or not.
        let again = queue.append(&batch, &[chunk(2, 2)]).await.unwrap();
        assert_eq!(again, Appended::Behind { received: 4 });

        // What is leased still waits.
        let leased = lease_chunk(&queue, &worker).await;
        assert_eq!(queue.depth().await.unwrap(), Depth { records, bytes });
        queue.append(&batch, &[chunk(4, 2)]).await.unwrap_err();
        queue.commit(&leased, &AS_SENT).await.unwrap();
        assert_eq!(queue.append(&batch, &[chunk(4, 2)]).await.unwrap(), Appended::Accepted);
        queue.append(&batch, &[chunk(6, 2)]).await.unwrap_err();
    }
}

#[tokio::test]
async fn what_an_earlier_version_queued_is_counted_off_no_line() {
    let server = RedisServer::start();
    let queue = limited(&server, Limits::NONE).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    queue.append(&batch, &[chunk(0, 2)]).await.unwrap();
    // As it is where lines were not counted.
    let fields = ask::<u64>(&server, "HDEL {muster}:depth normal:records normal:bytes").await;
    assert_eq!(fields, 2);

    queue.append(&batch, &[chunk(2, 3)]).await.unwrap();
    let records = async || queue.stats().await.unwrap().normal.depth.records;
    assert_eq!(records().await, 3);
    let leased = lease_chunk(&queue, &worker).await;
    queue.commit(&leased, &AS_SENT).await.unwrap();
    assert_eq!(records().await, 1);
    let leased = lease_chunk(&queue, &worker).await;
    queue.commit(&leased, &AS_SENT).await.unwrap();
    // From here on it is right again.
    queue.append(&batch, &[chunk(5, 2)]).await.unwrap();
    assert_eq!(records().await, 2);
}
