//! Workers that do not come back.

use muster_queue::{Committed, Outcome, Queue, Work, WorkerId};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, ask, chunk, id, kept, lease_chunk, open, queue, retry,
    sealed_batch,
};
use crate::redis_server::RedisServer;

/// Which workers the server knows for a stream.
async fn workers(server: &RedisServer, stream: &str) -> Vec<redis::Value> {
    ask(server, &format!("XINFO CONSUMERS {{muster}}:queue:{stream} workers")).await
}

#[tokio::test]
async fn what_a_forgotten_worker_held_is_given_back() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let (gone, other) = (WorkerId::random("gone"), WorkerId::random("other"));
    queue
        .seal(&open(&queue, "empty", muster_queue::Priority::Low).await, None, None)
        .await
        .unwrap();
    sealed_batch(&queue, "b").await;
    let suspect = Outcome { retry: vec![retry(0, NO_WAIT, true)], ..kept(Vec::new()) };
    let work = queue.lease(&gone, 9, NO_WAIT).await.unwrap();
    let [Work::Roll(_), Work::Chunk(chunk)] = &work[..] else { panic!("{work:?}") };
    queue.commit(chunk, &suspect).await.unwrap();
    queue.lease_isolated(&gone, LONG_WAIT).await.unwrap().unwrap();
    sealed_batch(&queue, "c").await;
    let late = lease_chunk(&queue, &gone).await;
    sealed_batch(&queue, "d").await;
    let others = lease_chunk(&queue, &other).await;

    queue.forget(&gone).await.unwrap();
    let work = queue.lease(&other, 9, NO_WAIT).await.unwrap();
    let [Work::Roll(_), Work::Chunk(chunk)] = &work[..] else { panic!("{work:?}") };
    assert_eq!((&chunk.batch, chunk.lost), (&id("c"), 0));
    assert!(queue.lease_isolated(&other, LONG_WAIT).await.unwrap().is_some());
    assert_eq!(queue.commit(&late, &AS_SENT).await.unwrap(), Committed::Refused);
    // What others hold they keep.
    assert_eq!(queue.commit(&others, &AS_SENT).await.unwrap(), Committed::Taken);
    assert!(queue.mark_written(&id("empty"), "5ha").await.unwrap());
    assert_eq!(ask::<u64>(&server, "XLEN {muster}:queue:roll").await, 1);
    for stream in ["roll", "high", "normal", "low", "isolated"] {
        let known = format!("{:?}", workers(&server, stream).await);
        assert!(!known.contains(gone.as_str()), "{stream}: {known}");
    }
    assert_eq!(queue.commit(chunk, &AS_SENT).await.unwrap(), Committed::Taken);
}

#[tokio::test]
async fn more_than_one_step_gives_back_is_given_back() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let gone = WorkerId::random("gone");
    let batch = open(&queue, "b", muster_queue::Priority::High).await;
    for first in 0..1500 {
        queue.append(&batch, &[chunk(first, 1)]).await.unwrap();
    }
    for _ in 0..2 {
        queue.lease(&gone, 1000, NO_WAIT).await.unwrap();
    }
    queue.forget(&gone).await.unwrap();
    for stream in ["roll", "high", "normal", "low"] {
        assert_eq!(workers(&server, stream).await, [], "{stream}");
    }
    let other = WorkerId::random("other");
    assert_eq!(queue.lease(&other, 1000, NO_WAIT).await.unwrap().len(), 1000);
    assert_eq!(queue.lease(&other, 1000, NO_WAIT).await.unwrap().len(), 500);
}
