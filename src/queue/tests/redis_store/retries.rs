//! Chunks that are tried again: in their time, isolated, and counted.

use std::time::{Duration, Instant};

use muster_queue::{
    BatchState, Committed, History, Outcome, Policy, Priority, Queue, Work, WorkerId,
};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, all_dead, ask, chunk, kept, keys, lease_chunk, one_chunk, open,
    payload, queue, replays, retry, run, sealed_batch, sealed_batch_of, shown,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn a_retry_comes_when_its_time_has_come() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let chunk = lease_chunk(&queue, &worker).await;
    assert_eq!((chunk.lost, chunk.history), (0, History::default()));

    let after = Duration::from_millis(300);
    let again = retry(1, after, false);
    let committed = Instant::now();
    let outcome = Outcome { retry: vec![again.clone()], ..kept(vec![run(0, 1, "first")]) };
    assert_eq!(queue.commit(&chunk, &outcome).await.unwrap(), Committed::Taken);
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    let waiting = shown(&queue, &batch).await;
    assert_eq!((waiting.retrying, waiting.kept), (1, 1));
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.records, depth.bytes), (1, payload(1).len() as u64));

    let retried = one_chunk(queue.lease(&worker, 9, LONG_WAIT).await.unwrap());
    assert!(committed.elapsed() >= after, "{:?}", committed.elapsed());
    // It is told when to look again, and so does not wait for as long as one read may.
    assert!(committed.elapsed() < Duration::from_secs(4), "{:?}", committed.elapsed());
    assert_eq!((retried.first, retried.count, &retried.payload), (1, 1, &payload(1)));
    assert_eq!((retried.history, &retried.trace), (again.history, &chunk.trace));
    assert_eq!(shown(&queue, &batch).await.retrying, 1);

    assert_eq!(queue.commit(&retried, &AS_SENT).await.unwrap(), Committed::Taken);
    let complete = shown(&queue, &batch).await;
    assert_eq!((complete.state, complete.retrying), (BatchState::Complete, 0));
    assert_eq!(queue.results(&batch, 0, usize::MAX).await.unwrap().len(), 2);
    assert_eq!(queue.depth().await.unwrap(), muster_queue::Depth::default());
}

#[tokio::test]
async fn a_retry_comes_in_its_time_while_each_look_finds_a_little() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
    let first = lease_chunk(&queue, &worker).await;
    let again = retry(0, Duration::from_millis(300), false);
    let outcome = Outcome { retry: vec![again], ..kept(Vec::new()) };
    let committed = Instant::now();
    queue.commit(&first, &outcome).await.unwrap();

    for place in 1.. {
        queue.append(&batch, &[chunk(place, 1)]).await.unwrap();
        let work = queue.lease(&worker, 9, LONG_WAIT).await.unwrap();
        let mut retried = false;
        for work in &work {
            let Work::Chunk(chunk) = work else { panic!("{work:?}") };
            retried |= chunk.first == 0;
            queue.commit(chunk, &AS_SENT).await.unwrap();
        }
        if retried {
            break;
        }
        assert!(committed.elapsed() < Duration::from_secs(4), "{:?}", committed.elapsed());
    }
    assert!(committed.elapsed() >= Duration::from_millis(300), "{:?}", committed.elapsed());
}

#[tokio::test]
async fn a_retry_that_need_not_wait_is_there_at_once() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 1, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let mut first = retry(0, NO_WAIT, false);
    first.history = History::default();
    let outcome = Outcome { retry: vec![first], ..kept(Vec::new()) };
    queue.commit(&chunk, &outcome).await.unwrap();

    let retried = lease_chunk(&queue, &worker).await;
    assert_eq!(retried.history, History::default());
    assert_eq!(shown(&queue, &batch).await.retrying, 1);
    queue.commit(&retried, &AS_SENT).await.unwrap();
    assert_eq!(shown(&queue, &batch).await.retrying, 0);
}

#[tokio::test]
async fn as_many_as_are_due_come() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 250, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let soon = Duration::from_millis(1);
    let retries = (0..250).map(|place| retry(place, soon, false)).collect();
    queue.commit(&chunk, &Outcome { retry: retries, ..kept(Vec::new()) }).await.unwrap();
    assert_eq!(shown(&queue, &batch).await.retrying, 250);

    let mut places = Vec::new();
    while places.len() < 250 {
        for work in queue.lease(&worker, 250, LONG_WAIT).await.unwrap() {
            let retried = one_chunk(vec![work]);
            places.push(retried.first);
            queue.commit(&retried, &AS_SENT).await.unwrap();
        }
    }
    places.sort_unstable();
    assert_eq!(places, (0..250).collect::<Vec<_>>());
    assert_eq!(shown(&queue, &batch).await.state, BatchState::Complete);
    assert_eq!(ask::<u64>(&server, "EXISTS {muster}:retry {muster}:retries").await, 0);
}

#[tokio::test]
async fn an_isolated_chunk_is_leased_apart() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    assert_eq!(queue.lease_isolated(&worker, NO_WAIT).await.unwrap(), None);
    let batch = sealed_batch(&queue, "b").await;
    let chunk = lease_chunk(&queue, &worker).await;
    let suspects = vec![retry(0, LONG_WAIT, true), retry(1, LONG_WAIT, true)];
    queue.commit(&chunk, &Outcome { retry: suspects, ..kept(Vec::new()) }).await.unwrap();
    assert_eq!(shown(&queue, &batch).await.retrying, 2);

    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    let first = queue.lease_isolated(&worker, LONG_WAIT).await.unwrap().unwrap();
    assert_eq!((first.first, first.lost), (0, 0));
    assert!(first.history.isolated);
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap(), []);

    // Who was lost with one comes before the others.
    let again = queue.lease_isolated(&worker, NO_WAIT).await.unwrap().unwrap();
    assert_eq!((again.first, again.lost, again.history), (0, 1, first.history));
    let second = queue.lease_isolated(&worker, LONG_WAIT).await.unwrap().unwrap();
    assert_eq!((second.first, second.lost), (1, 0));
    assert_eq!(queue.lease_isolated(&worker, LONG_WAIT).await.unwrap(), None);

    queue.release(&[second.lease]).await.unwrap();
    let second = queue.lease_isolated(&worker, LONG_WAIT).await.unwrap().unwrap();
    assert!(second.history.isolated);
    // It is cleared of the suspicion, and is tried again as others are.
    let cleared = Outcome { retry: vec![retry(1, NO_WAIT, false)], ..kept(Vec::new()) };
    queue.commit(&second, &cleared).await.unwrap();
    queue.commit(&again, &all_dead(&again, "it ends workers")).await.unwrap();
    assert_eq!(shown(&queue, &batch).await.retrying, 1);
    let second = lease_chunk(&queue, &worker).await;
    queue.commit(&second, &AS_SENT).await.unwrap();
    let complete = shown(&queue, &batch).await;
    let counters = (complete.state, complete.retrying, complete.kept, complete.dead);
    assert_eq!(counters, (BatchState::Complete, 0, 1, 1));
}

#[tokio::test]
async fn each_loss_of_a_lease_is_counted() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    sealed_batch(&queue, "b").await;
    assert_eq!(lease_chunk(&queue, &worker).await.lost, 0);
    let once = one_chunk(queue.take_over(&worker, NO_WAIT, 9).await.unwrap());
    assert_eq!(once.lost, 1);
    queue.extend(&[once.lease]).await.unwrap();
    let twice = one_chunk(queue.take_over(&worker, NO_WAIT, 9).await.unwrap());
    assert_eq!((twice.lost, &twice.trace), (2, &Some("a trace".to_owned())));
    // Who gives it back is not lost.
    for _ in 0..2 {
        queue.release(std::slice::from_ref(&twice.lease)).await.unwrap();
        queue.forget(&worker).await.unwrap();
        assert_eq!(lease_chunk(&queue, &worker).await.lost, 2);
    }
    assert_eq!(one_chunk(queue.take_over(&worker, NO_WAIT, 9).await.unwrap()).lost, 3);
}

#[tokio::test]
async fn a_retry_that_is_given_back_keeps_its_history() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 1, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let again = retry(0, NO_WAIT, false);
    let outcome = Outcome { retry: vec![again.clone()], ..kept(Vec::new()) };
    queue.commit(&chunk, &outcome).await.unwrap();
    let retried = lease_chunk(&queue, &worker).await;
    queue.release(&[retried.lease]).await.unwrap();
    let retried = lease_chunk(&queue, &worker).await;
    assert_eq!((retried.history, &retried.trace), (again.history, &chunk.trace));
    queue.commit(&retried, &all_dead(&retried, "no e-mail")).await.unwrap();
    assert_eq!(shown(&queue, &batch).await.retrying, 0);
}

#[tokio::test]
async fn a_replayed_record_that_fails_again_is_counted_once() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 1, Policy::Fail).await;
    for retrying in [0, 1] {
        let chunk = lease_chunk(&queue, &worker).await;
        assert_eq!(shown(&queue, &batch).await.retrying, retrying);
        let outcome = Outcome { retry: vec![retry(0, NO_WAIT, false)], ..kept(Vec::new()) };
        queue.commit(&chunk, &outcome).await.unwrap();
        assert_eq!(shown(&queue, &batch).await.retrying, 1);
        let chunk = lease_chunk(&queue, &worker).await;
        queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
        let held = shown(&queue, &batch).await;
        assert_eq!((held.retrying, held.dead, held.is_held()), (0, 1, true));
        queue.replay(&batch, &replays([0])).await.unwrap();
    }
}

#[tokio::test]
async fn a_retry_of_an_aborted_batch_leaves_the_queue() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let chunk = lease_chunk(&queue, &worker).await;
    let retries = vec![retry(0, Duration::from_millis(50), false), retry(1, LONG_WAIT, true)];
    queue.commit(&chunk, &Outcome { retry: retries, ..kept(Vec::new()) }).await.unwrap();

    assert_eq!(queue.abort(&batch).await.unwrap().retrying, 0);
    let isolated = queue.lease_isolated(&worker, LONG_WAIT).await.unwrap().unwrap();
    let waited = one_chunk(queue.lease(&worker, 9, LONG_WAIT).await.unwrap());
    for chunk in [isolated, waited] {
        assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Refused);
    }
    assert_eq!(shown(&queue, &batch).await.retrying, 0);
    assert_eq!(queue.depth().await.unwrap(), muster_queue::Depth::default());
    assert_eq!(keys(&server).await, ["{muster}:batch:b"]);
}
