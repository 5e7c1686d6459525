//! Batches that are aborted, or ended at their deadlines.

use std::time::Duration;

use muster_queue::redis::RedisQueue;
use muster_queue::{
    BatchId, BatchOptions, BatchState, Committed, Deadline, Depth, Ending, Error, Policy, Queue,
    WorkerId,
};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, all_dead, ask, chunk, each, id, keys, lease_chunk, open, queue,
    sealed_batch, sealed_batch_of, shown,
};
use crate::redis_server::RedisServer;

/// More letters than one step discards.
const MANY: u32 = 250;

async fn open_until(queue: &RedisQueue, name: &str, after: Duration, then: Ending) -> BatchId {
    let options =
        BatchOptions { deadline: Some(Deadline { after, then }), ..BatchOptions::default() };
    queue.open(&id(name), &options).await.unwrap().id
}

#[tokio::test]
async fn batches_that_their_sender_left_end_in_time() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    open_until(&queue, "empty", NO_WAIT, Ending::Seal).await;
    for (name, then) in [("sealed", Ending::Seal), ("aborted", Ending::Abort)] {
        let batch = open_until(&queue, name, NO_WAIT, then).await;
        queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
    }
    open_until(&queue, "busy", LONG_WAIT, Ending::Abort).await;
    open(&queue, "for-ever", muster_queue::Priority::Normal).await;

    let mut ended = queue.end_overdue(1).await.unwrap();
    assert_eq!(ended.len(), 1);
    ended.extend(queue.end_overdue(9).await.unwrap());
    assert_eq!(queue.end_overdue(9).await.unwrap(), []);
    ended.sort_by(|one, other| one.id.cmp(&other.id));
    let states: Vec<_> =
        ended.iter().map(|batch| (batch.id.as_str(), batch.state, batch.overdue)).collect();
    let expected = [
        ("aborted", BatchState::Aborted, true),
        ("empty", BatchState::Complete, true),
        ("sealed", BatchState::Sealed, true),
    ];
    assert_eq!(states, expected);
    for batch in &ended {
        assert_eq!(&shown(&queue, &batch.id).await, batch);
    }
    for name in ["busy", "for-ever"] {
        let open = shown(&queue, &id(name)).await;
        assert_eq!((open.state, open.overdue), (BatchState::Open, false));
    }
}

#[tokio::test]
async fn who_appends_puts_the_deadline_off_and_who_seals_lifts_it() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open_until(&queue, "b", LONG_WAIT, Ending::Seal).await;
    // As if it had been opened long ago.
    ask::<()>(&server, "ZADD {muster}:deadline 1 b").await;
    queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
    assert_eq!(queue.end_overdue(9).await.unwrap(), []);
    assert!(!queue.seal(&batch, None, None).await.unwrap().overdue);
    assert_eq!(ask::<u64>(&server, "EXISTS {muster}:deadline").await, 0);
}

#[tokio::test]
async fn an_aborted_batch_leaves_only_what_expires() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open_until(&queue, "b", LONG_WAIT, Ending::Seal).await;
    queue.append(&batch, &[each((0..u64::from(MANY)).collect())]).await.unwrap();
    for place in 0..2 {
        queue.append(&batch, &[each(vec![1000 + place])]).await.unwrap();
    }
    let dead = lease_chunk(&queue, &worker).await;
    let leased = lease_chunk(&queue, &worker).await;
    queue.commit(&dead, &all_dead(&dead, "no e-mail")).await.unwrap();

    for _ in 0..2 {
        let aborted = queue.abort(&batch).await.unwrap();
        assert_eq!((aborted.state, aborted.overdue), (BatchState::Aborted, false));
        assert_eq!(aborted.received, u64::from(MANY) + 2);
    }
    assert_eq!(queue.dead_groups().await.unwrap(), []);
    assert_eq!(queue.drop_letters(&batch, &[0]).await.unwrap(), 0);
    assert_eq!(keys(&server).await, ["{muster}:batch:b", "{muster}:depth"]);
    assert!(ask::<i64>(&server, "TTL {muster}:batch:b").await > 0);
    for error in [
        queue.append(&batch, &[each(vec![0])]).await.unwrap_err(),
        queue.append(&batch, &[chunk(0, 1)]).await.unwrap_err(),
        queue.seal(&batch, None, None).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Aborted(_)), "{error}");
    }
    assert!(!queue.mark_written(&batch, "5ha").await.unwrap());

    let waiting = lease_chunk(&queue, &worker).await;
    for chunk in [leased, waiting] {
        assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Refused);
    }
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    assert_eq!(shown(&queue, &batch).await.kept, 0);
    assert_eq!(keys(&server).await, ["{muster}:batch:b"]);
}

#[tokio::test]
async fn what_an_abort_leaves_when_it_is_cut_short_is_discarded_later() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open_until(&queue, "b", NO_WAIT, Ending::Abort).await;
    queue.append(&batch, &[chunk(0, MANY)]).await.unwrap();
    let dead = lease_chunk(&queue, &worker).await;
    queue.commit(&dead, &all_dead(&dead, "no e-mail")).await.unwrap();

    assert_eq!(queue.end_overdue(9).await.unwrap().len(), 1);
    assert_eq!(queue.drop_letters(&batch, &[u64::from(MANY) - 1]).await.unwrap(), 0);
    for _ in 0..3 {
        assert_eq!(queue.end_overdue(9).await.unwrap(), []);
    }
    assert_eq!(keys(&server).await, ["{muster}:batch:b"]);
    assert!(shown(&queue, &batch).await.overdue);
}

#[tokio::test]
async fn a_batch_that_is_complete_cannot_be_aborted() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &AS_SENT).await.unwrap();
    let error = queue.abort(&batch).await.unwrap_err();
    assert!(matches!(error, Error::Complete(_)), "{error}");
    queue.mark_written(&batch, "5ha").await.unwrap();
    let error = queue.abort(&batch).await.unwrap_err();
    assert!(matches!(error, Error::Complete(_)), "{error}");
    let error = queue.abort(&id("none")).await.unwrap_err();
    assert!(matches!(error, Error::UnknownBatch(_)), "{error}");

    // One that is held by its letters can.
    let held = sealed_batch_of(&queue, "held", 1, Policy::Fail).await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
    assert_eq!(queue.abort(&held).await.unwrap().state, BatchState::Aborted);
}
