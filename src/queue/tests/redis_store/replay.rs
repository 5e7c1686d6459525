//! Dead letters that are processed anew.

use muster_queue::{BatchState, Committed, Error, Outcome, Policy, Queue, WorkerId};

use super::given::{
    AS_SENT, all_dead, ask, id, kept, keys, lease_chunk, letter, queue, replays, run,
    sealed_batch_of, shown,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn a_held_batch_takes_its_letters_back() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 3, Policy::Fail).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let dead = vec![letter(1, "no e-mail"), letter(2, "no e-mail")];
    queue.commit(&chunk, &Outcome { dead, ..kept(vec![run(0, 1, "0;")]) }).await.unwrap();

    let replayed = queue.replay(&batch, &replays([7, 1])).await.unwrap();
    assert_eq!((&replayed.into, replayed.letters), (&batch, 1));
    let again = queue.replay(&batch, &replays([7, 1])).await.unwrap();
    assert_eq!((&again.into, again.letters), (&batch, 0));
    let open = shown(&queue, &batch).await;
    assert_eq!((open.dead, open.kept, open.retrying, open.replayed), (1, 1, 1, 0));
    assert_eq!(queue.dead_letters(&batch, 0, 9).await.unwrap(), [letter(2, "no e-mail")]);
    assert_eq!(queue.dead_groups().await.unwrap()[0].letters, 1);
    assert_eq!(queue.depth().await.unwrap().records, 1);
    // Nothing is read over the place that is open again.
    assert_eq!(queue.results(&batch, 0, usize::MAX).await.unwrap(), [run(0, 1, "0;")]);

    let chunk = lease_chunk(&queue, &worker).await;
    assert_eq!((chunk.first, chunk.count, &chunk.payload[..]), (1, 1, &b"1;"[..]));
    assert_eq!((chunk.trace.as_deref(), chunk.history.failures), (Some("a trace"), 0));
    queue.commit(&chunk, &AS_SENT).await.unwrap();
    assert!(shown(&queue, &batch).await.is_held());

    queue.replay(&batch, &replays([2])).await.unwrap();
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &AS_SENT).await.unwrap();
    let complete = shown(&queue, &batch).await;
    assert_eq!((complete.state, complete.kept), (BatchState::Complete, 3));
    let results = queue.results(&batch, 0, usize::MAX).await.unwrap();
    assert_eq!(results, [run(0, 1, "0;"), run(1, 1, "1;"), run(2, 1, "2;")]);
}

#[tokio::test]
async fn letters_of_a_written_batch_go_into_a_new_one() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 300, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());

    let places: Vec<u64> = (0..300).rev().collect();
    let replayed = queue.replay(&batch, &replays(places.clone())).await.unwrap();
    assert_eq!(replayed.letters, 300);
    let again = queue.replay(&batch, &replays(places)).await.unwrap();
    assert_eq!((&again.into, again.letters), (&batch, 0));
    let old = shown(&queue, &batch).await;
    assert_eq!((old.state, old.dead, old.replayed), (BatchState::Written, 0, 300));
    assert!(ask::<i64>(&server, "TTL {muster}:batch:b").await > 0);
    let new = shown(&queue, &replayed.into).await;
    assert_eq!((new.state, new.received, new.policy), (BatchState::Sealed, 300, old.policy));
    assert_eq!(new.trace.as_deref(), Some("a trace"));
    assert_eq!(queue.dead_groups().await.unwrap(), []);
    assert_eq!(queue.depth().await.unwrap().records, 300);

    let mut payload = Vec::new();
    for first in 0..300 {
        let chunk = lease_chunk(&queue, &worker).await;
        assert_eq!((&chunk.batch, chunk.first, chunk.count), (&replayed.into, first, 1));
        assert_eq!(chunk.trace.as_deref(), Some("a trace"));
        payload.extend_from_slice(&chunk.payload);
        queue.commit(&chunk, &AS_SENT).await.unwrap();
    }
    let expected: String = (0..300).rev().map(|place| format!("{place};")).collect();
    assert_eq!(payload, expected.into_bytes());
    assert_eq!(shown(&queue, &replayed.into).await.state, BatchState::Complete);
    assert!(queue.mark_written(&replayed.into, "5ha").await.unwrap());
    let mut left = ["{muster}:batch:b".to_owned(), format!("{{muster}}:batch:{}", replayed.into)];
    left.sort();
    assert_eq!(keys(&server).await, left);
}

#[tokio::test]
async fn nothing_of_an_aborted_or_unknown_batch_is_replayed() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let error = queue.replay(&id("none"), &replays([0])).await.unwrap_err();
    assert!(matches!(error, Error::UnknownBatch(_)), "{error}");
    let batch = sealed_batch_of(&queue, "b", 2, Policy::Fail).await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
    queue.replay(&batch, &replays([0])).await.unwrap();
    queue.abort(&batch).await.unwrap();
    assert_eq!(queue.replay(&batch, &replays([1])).await.unwrap().letters, 0);
    let replayed = lease_chunk(&queue, &worker).await;
    assert_eq!(queue.commit(&replayed, &AS_SENT).await.unwrap(), Committed::Refused);
}
