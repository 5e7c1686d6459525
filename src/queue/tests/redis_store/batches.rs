//! Batches from open to written.

use muster_queue::{
    Appended, BatchOptions, BatchState, Committed, Error, Priority, Queue, Work, WorkerId,
};
use std::slice::from_ref;

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, ask, chunk, each, kept, lease_chunk, one_chunk, open, payload,
    queue, run, sealed_batch,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn every_step_may_be_repeated() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Low).await;

    let opened = queue.open(&batch, &BatchOptions::default()).await.unwrap();
    assert_eq!(opened.priority, Priority::Low);
    assert_eq!(queue.append(&batch, &[chunk(0, 2)]).await.unwrap(), Appended::Accepted);
    let again = queue.append(&batch, &[chunk(0, 2)]).await.unwrap();
    assert_eq!(again, Appended::Behind { received: 2 });

    let chunk = lease_chunk(&queue, &worker).await;
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Refused);

    for _ in 0..2 {
        let sealed = queue.seal(&batch, Some(2), None).await.unwrap();
        assert_eq!((sealed.state, sealed.kept, sealed.dead), (BatchState::Complete, 2, 0));
    }
    let rolls = queue.lease(&worker, 9, NO_WAIT).await.unwrap();
    assert!(matches!(rolls[..], [Work::Roll(_)]), "{rolls:?}");

    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    assert!(!queue.mark_written(&batch, "another").await.unwrap());
    let written = queue.seal(&batch, None, None).await.unwrap();
    assert_eq!(written.roll_sha256.as_deref(), Some("5ha"));
    assert_eq!(queue.next_complete(1).await.unwrap(), []);
}

#[tokio::test]
async fn the_first_commit_wins_and_the_late_one_is_refused() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let (slow, quick) = (WorkerId::random("slow"), WorkerId::random("quick"));
    let batch = sealed_batch(&queue, "b").await;

    let slows = lease_chunk(&queue, &slow).await;
    assert_eq!(queue.take_over(&quick, LONG_WAIT, 9).await.unwrap(), []);
    let quicks = one_chunk(queue.take_over(&quick, NO_WAIT, 9).await.unwrap());
    assert_eq!((&quicks.batch, &quicks.payload), (&slows.batch, &slows.payload));

    let rewritten = kept(vec![run(0, 2, "quick")]);
    assert_eq!(queue.commit(&quicks, &rewritten).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&slows, &AS_SENT).await.unwrap(), Committed::Refused);

    let results = queue.results(&batch, 0, usize::MAX).await.unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].payload, "quick");
    assert_eq!(queue.batch(&batch).await.unwrap().unwrap().kept, 2);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_commits_if_it_is_the_first() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let (slow, quick) = (WorkerId::random("slow"), WorkerId::random("quick"));
    sealed_batch(&queue, "b").await;

    let slows = lease_chunk(&queue, &slow).await;
    let quicks = one_chunk(queue.take_over(&quick, NO_WAIT, 1).await.unwrap());
    assert_eq!(queue.commit(&slows, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&quicks, &AS_SENT).await.unwrap(), Committed::Refused);
}

#[tokio::test]
async fn a_place_out_of_all_bounds_is_refused_and_costs_no_memory() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", Priority::Normal).await;
    for place in [u64::MAX, 1 << 32, 1 << 27] {
        let far = each(vec![0, place]);
        let error = queue.append(&batch, &[far]).await.unwrap_err();
        assert!(matches!(error, Error::Gap { received: 0, .. }), "{error}");
    }
    assert_eq!(ask::<u64>(&server, "EXISTS {muster}:batch:b:places").await, 0);
    let near = each(vec![0, 1 << 20]);
    assert_eq!(queue.append(&batch, from_ref(&near)).await.unwrap(), Appended::Accepted);
    let again = queue.append(&batch, from_ref(&near)).await.unwrap();
    assert_eq!(again, Appended::Taken { same: vec![0, 1 << 20], different: vec![] });
}

#[tokio::test]
async fn results_are_read_in_order_and_in_bounds() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    for first in [0, 2, 4, 6] {
        queue.append(&batch, &[chunk(first, 2)]).await.unwrap();
    }
    let mut work = queue.lease(&worker, 9, NO_WAIT).await.unwrap();
    work.reverse();
    for chunk in work.into_iter().map(|work| one_chunk(vec![work])) {
        queue.commit(&chunk, &AS_SENT).await.unwrap();
    }
    let len = payload(0).len();
    for (from, bytes_max, firsts) in [
        (0, usize::MAX, vec![0, 2, 4, 6]),
        (2, 2 * len, vec![2, 4]),
        (0, 2 * len - 1, vec![0]),
        (6, 0, vec![6]),
        (1, usize::MAX, vec![]),
        (8, usize::MAX, vec![]),
    ] {
        let results = queue.results(&batch, from, bytes_max).await.unwrap();
        assert_eq!(results.iter().map(|result| result.first).collect::<Vec<_>>(), firsts);
        for result in results {
            assert_eq!((result.count, result.payload), (2, payload(result.first)));
        }
    }
}
