//! Leases by pending entries, and waiting for them.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use muster_queue::{Priority, Queue, Work, WorkerId};

use super::given::{
    LONG_WAIT, NO_WAIT, ask, chunk, id, lease_chunk, one_chunk, open, queue, sealed_batch,
    until_blocked,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn only_the_holder_extends_and_releases() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let (old, new) = (WorkerId::random("old"), WorkerId::random("new"));
    sealed_batch(&queue, "b").await;

    let olds = lease_chunk(&queue, &old).await.lease;
    let news = one_chunk(queue.take_over(&new, NO_WAIT, 1).await.unwrap()).lease;
    queue.extend(from_ref(&olds)).await.unwrap();
    queue.release(&[olds]).await.unwrap();
    assert_eq!(queue.lease(&old, 1, NO_WAIT).await.unwrap(), []);

    queue.extend(from_ref(&news)).await.unwrap();
    queue.release(&[news.clone(), news]).await.unwrap();
    lease_chunk(&queue, &old).await;
    assert_eq!(queue.lease(&new, 1, NO_WAIT).await.unwrap(), []);
}

#[tokio::test]
async fn a_released_roll_keeps_its_turn_and_leaves_with_its_batch() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let first = open(&queue, "z-first", Priority::Normal).await;
    let second = open(&queue, "a-second", Priority::Normal).await;
    queue.seal(&first, Some(0), None).await.unwrap();
    queue.seal(&second, Some(0), None).await.unwrap();

    let roll = queue.lease(&worker, 1, NO_WAIT).await.unwrap();
    queue.release(&[roll[0].lease().clone()]).await.unwrap();
    assert_eq!(queue.next_complete(1).await.unwrap()[0].id, first);
    assert!(queue.mark_written(&first, "5ha").await.unwrap());
    assert_eq!(queue.next_complete(1).await.unwrap()[0].id, second);
    assert!(queue.mark_written(&second, "5ha").await.unwrap());

    assert_eq!(queue.next_complete(1).await.unwrap(), []);
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    assert_eq!(ask::<u64>(&server, "XLEN {muster}:queue:roll").await, 0);
}

#[tokio::test]
async fn a_lease_keeps_to_its_maximum_and_to_the_order() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let batch = open(&queue, priority.as_str(), priority).await;
        for first in 0..3 {
            queue.append(&batch, &[chunk(first, 1)]).await.unwrap();
        }
    }
    let empty = open(&queue, "empty", Priority::Normal).await;
    queue.seal(&empty, Some(0), None).await.unwrap();

    assert_eq!(queue.lease(&worker, 0, LONG_WAIT).await.unwrap(), []);
    let mut order = Vec::new();
    for max in [1, 2, 5, 9] {
        let work = queue.lease(&worker, max, LONG_WAIT).await.unwrap();
        assert!(work.len() <= max, "{} of {max}", work.len());
        order.extend(work.into_iter().map(|work| match work {
            Work::Roll(_) => ("roll".to_owned(), 0),
            Work::Chunk(chunk) => (chunk.batch.to_string(), chunk.first),
        }));
    }
    let chunks = ["high", "normal", "low"]
        .into_iter()
        .flat_map(|batch| (0..3).map(move |first| (batch.to_owned(), first)));
    let expected: Vec<_> = [("roll".to_owned(), 0)].into_iter().chain(chunks).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_lease_that_waits_keeps_to_its_maximum() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for priority in Priority::ALL {
        let batch = open(&queue, priority.as_str(), priority).await;
        queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
    }
    assert_eq!(queue.lease(&worker, 3, NO_WAIT).await.unwrap().len(), 3);

    // The steps share a connection, and so come one after another: work of three kinds arrives
    // after the lease has found none, and before it waits.
    let [high, normal, low] = Priority::ALL.map(|priority| id(priority.as_str()));
    let next = chunk(1, 1);
    let (work, ..) = tokio::join!(
        queue.lease(&worker, 1, LONG_WAIT),
        queue.append(&low, from_ref(&next)),
        queue.append(&normal, from_ref(&next)),
        queue.append(&high, from_ref(&next)),
    );
    assert_eq!(one_chunk(work.unwrap()).batch, high);
    let rest = queue.lease(&WorkerId::random("other"), 9, NO_WAIT).await.unwrap();
    assert_eq!(rest.len(), 2);
}

#[tokio::test]
async fn a_lease_that_waits_wakes_for_work_of_every_kind() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for priority in Priority::ALL {
        let batch = open(&queue, priority.as_str(), priority).await;
        let append = async {
            until_blocked(&server, 1).await;
            queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
        };
        let asked = Instant::now();
        let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), append);
        assert_eq!(one_chunk(work.unwrap()).batch, batch);
        assert!(asked.elapsed() < LONG_WAIT / 2, "took {:?}", asked.elapsed());
    }
    let empty = open(&queue, "empty", Priority::Normal).await;
    let seal = async {
        until_blocked(&server, 1).await;
        queue.seal(&empty, None, None).await.unwrap();
    };
    let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), seal);
    assert!(matches!(work.unwrap()[..], [Work::Roll(_)]));
}

#[tokio::test]
async fn a_lease_ends_without_work_when_its_wait_is_over() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let wait = Duration::from_millis(50);
    let asked = Instant::now();
    assert_eq!(queue.lease(&WorkerId::random("w"), 1, wait).await.unwrap(), []);
    assert!(asked.elapsed() >= wait);
}

#[tokio::test]
async fn a_lease_that_is_dropped_waits_no_more_and_takes_nothing() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    tokio::select! {
        work = queue.lease(&worker, 1, LONG_WAIT) => panic!("{work:?}"),
        () = until_blocked(&server, 1) => {}
    }
    until_blocked(&server, 0).await;
    sealed_batch(&queue, "b").await;
    lease_chunk(&queue, &WorkerId::random("other")).await;
}
