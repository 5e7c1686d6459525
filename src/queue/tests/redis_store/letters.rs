//! Dead letters: listed, dropped, and gone when they are resolved.

use muster_queue::{BatchState, DeadGroup, Error, LetterId, Outcome, Policy, Queue, WorkerId};

use super::given::{
    NO_WAIT, all_dead, ask, each, id, kept, keys, lease_chunk, letter, one_chunk, open, queue, run,
    sealed_batch_of, shown,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn dead_letters_are_listed_by_group_over_all_batches() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for (name, reason) in [("b-2", "no \"x\""), ("b-1", "no \"y\""), ("b-3", "other")] {
        sealed_batch_of(&queue, name, 3, Policy::Partial).await;
        let chunk = lease_chunk(&queue, &worker).await;
        queue.commit(&chunk, &all_dead(&chunk, reason)).await.unwrap();
        queue.lease(&worker, 1, NO_WAIT).await.unwrap();
    }
    let group = |name: &str, letters| DeadGroup { name: name.to_owned(), letters };
    assert_eq!(queue.dead_groups().await.unwrap(), [group("no \"…\"", 6), group("other", 3)]);

    let all = queue.dead_in_group("no \"…\"", None, 9).await.unwrap();
    let expected: Vec<_> = [("b-1", "no \"y\""), ("b-2", "no \"x\"")]
        .into_iter()
        .flat_map(|(name, reason)| (0..3).map(move |place| (id(name), letter(place, reason))))
        .collect();
    assert_eq!(all, expected);
    for (batch, place, limit, range) in
        [("b-1", 1, 2, 2..4), ("b-2", 1, 9, 5..6), ("b-2", 2, 9, 6..6), ("b-1", 0, 0, 1..1)]
    {
        let after = LetterId { batch: id(batch), place };
        let page = queue.dead_in_group("no \"…\"", Some(&after), limit).await.unwrap();
        assert_eq!(page, expected[range], "after {after:?}");
    }
    assert_eq!(queue.dead_in_group("no", None, 9).await.unwrap(), []);

    assert_eq!(queue.drop_letters(&id("b-3"), &[0, 1, 2, 3]).await.unwrap(), 3);
    assert_eq!(queue.dead_groups().await.unwrap(), [group("no \"…\"", 6)]);
}

#[tokio::test]
async fn a_drop_lets_a_held_batch_complete() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 3, Policy::Fail).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let dead = vec![letter(0, "no e-mail"), letter(2, "no e-mail")];
    queue.commit(&chunk, &Outcome { dead, ..kept(vec![run(1, 1, "one")]) }).await.unwrap();
    assert!(shown(&queue, &batch).await.is_held());

    assert_eq!(queue.drop_letters(&batch, &[2]).await.unwrap(), 1);
    assert!(shown(&queue, &batch).await.is_held());
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    assert_eq!(queue.drop_letters(&batch, &[0, 1, 2]).await.unwrap(), 1);
    assert_eq!(queue.drop_letters(&batch, &[0, 1, 2]).await.unwrap(), 0);
    let complete = shown(&queue, &batch).await;
    assert_eq!((complete.state, complete.dropped), (BatchState::Complete, 2));
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap().len(), 1);
    let results = queue.results(&batch, 0, usize::MAX).await.unwrap();
    assert_eq!(results, [run(0, 1, ""), run(1, 1, "one"), run(2, 1, "")]);

    for places in [&[][..], &[0]] {
        let error = queue.drop_letters(&id("none"), places).await.unwrap_err();
        assert!(matches!(error, Error::UnknownBatch(_)), "{error}");
    }
}

#[tokio::test]
async fn a_written_batch_stays_until_its_letters_are_resolved() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", muster_queue::Priority::Normal).await;
    queue.append(&batch, &[each(vec![5, 1, 0])]).await.unwrap();
    queue.seal(&batch, None, None).await.unwrap();
    let chunk = one_chunk(queue.lease(&worker, 1, NO_WAIT).await.unwrap());
    let dead = vec![letter(1, "no e-mail"), letter(2, "other")];
    queue.commit(&chunk, &Outcome { dead, ..kept(vec![run(0, 1, "0")]) }).await.unwrap();
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());

    let (itself, hashes) = ("{muster}:batch:b", "{muster}:batch:b:hashes");
    queue.drop_letters(&batch, &[1]).await.unwrap();
    for key in [itself, hashes, "{muster}:batch:b:dead", "{muster}:dead"] {
        assert_eq!(ask::<i64>(&server, &format!("TTL {key}")).await, -1, "{key}");
    }
    assert_eq!(queue.dead_letters(&batch, 0, 9).await.unwrap(), [letter(2, "other")]);

    queue.drop_letters(&batch, &[2]).await.unwrap();
    assert_eq!(keys(&server).await, [itself, hashes]);
    for key in [itself, hashes] {
        assert!(ask::<i64>(&server, &format!("TTL {key}")).await > 0, "{key}");
    }
    let written = shown(&queue, &batch).await;
    assert_eq!((written.state, written.dead, written.dropped), (BatchState::Written, 0, 2));
}

#[tokio::test]
async fn dead_letters_are_paged_by_place() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 300, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
    for (from, limit, places) in [(0, 2, 0..2), (254, 4, 254..258), (299, 9, 299..300)] {
        let page = queue.dead_letters(&batch, from, limit).await.unwrap();
        let expected: Vec<_> = places.map(|place| letter(place, "no e-mail")).collect();
        assert_eq!(page, expected);
    }
}
