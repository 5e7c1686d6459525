//! What stays in the server's memory, and what it does when it has none left.

use std::time::Duration;

use muster_queue::{
    Appended, BatchOptions, BatchState, Committed, Deadline, Ending, Error, NewChunk, Outcome,
    Places, Policy, Priority, Queue, RollState, WorkerId,
};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, all_dead, ask, chunk, each, id, kept, keys, lease_chunk, letter,
    one_chunk, open, queue, replays, retry, sealed_batch_of, shown,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn a_written_batch_leaves_only_what_expires() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let deadline = Some(Deadline { after: LONG_WAIT, then: Ending::Abort });
    let options = BatchOptions { deadline, ..BatchOptions::default() };
    let batch = queue.open(&id("b"), &options).await.unwrap().id;
    for places in [vec![5, 1], vec![0]] {
        assert_eq!(queue.append(&batch, &[each(places)]).await.unwrap(), Appended::Accepted);
    }
    queue.seal(&batch, None, None).await.unwrap();
    for _ in 0..2 {
        let chunk = lease_chunk(&queue, &worker).await;
        queue.commit(&chunk, &AS_SENT).await.unwrap();
    }

    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    let (itself, hashes) = ("{muster}:batch:b", "{muster}:batch:b:hashes");
    assert_eq!(keys(&server).await, [itself, hashes]);
    for key in [itself, hashes] {
        assert!(ask::<i64>(&server, &format!("TTL {key}")).await > 0, "{key}");
    }
    for stream in ["roll", "high", "normal", "low", "isolated"] {
        assert_eq!(ask::<u64>(&server, &format!("XLEN {{muster}}:queue:{stream}")).await, 0);
    }
}

#[tokio::test]
async fn a_written_stream_leaves_only_what_expires() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", Priority::Normal).await;
    queue.append(&batch, &[chunk(0, 2000)]).await.unwrap();
    queue.seal(&batch, None, None).await.unwrap();
    let chunk = lease_chunk(&queue, &WorkerId::random("w")).await;
    queue.commit(&chunk, &AS_SENT).await.unwrap();
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    let (itself, checkpoints) = ("{muster}:batch:b", "{muster}:batch:b:checkpoints");
    assert_eq!(keys(&server).await, [itself, checkpoints]);
    for key in [itself, checkpoints] {
        assert!(ask::<i64>(&server, &format!("TTL {key}")).await > 0, "{key}");
    }
}

/// An index far from all others costs little, and many that follow one another cost little each.
#[tokio::test]
async fn records_with_indices_cost_what_they_carry() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let far = open(&queue, "far", Priority::Normal).await;
    queue.append(&far, &[each(vec![134_217_720])]).await.unwrap();
    let usage = async |batch| {
        ask::<u64>(&server, &format!("MEMORY USAGE {{muster}}:batch:{batch}:hashes")).await
    };
    let bytes = usage("far").await;
    assert!(bytes < 1024, "{bytes} bytes for one record");

    let dense = open(&queue, "dense", Priority::Normal).await;
    for first in (0..100_000).step_by(100) {
        queue.append(&dense, &[each((first..first + 100).collect())]).await.unwrap();
    }
    let bytes = usage("dense").await;
    assert!(bytes < 1_600_000, "{bytes} bytes for 100,000 records");
}

/// What an earlier version received of a batch is not sent again, and is not compared.
#[tokio::test]
async fn batch_that_an_earlier_version_received_goes_on() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let single = open(&queue, "single", Priority::Normal).await;
    queue.append(&single, &[each(vec![7])]).await.unwrap();
    ask::<()>(&server, "DEL {muster}:batch:single:hashes").await;
    ask::<()>(&server, "SETBIT {muster}:batch:single:places 7 1").await;
    let taken = Appended::Taken { same: vec![7], different: vec![] };
    assert_eq!(queue.append(&single, &[each(vec![8, 7])]).await.unwrap(), taken);
    assert_eq!(queue.append(&single, &[each(vec![8])]).await.unwrap(), Appended::Accepted);
    let taken = Appended::Taken { same: vec![8, 7], different: vec![] };
    assert_eq!(queue.append(&single, &[each(vec![8, 7])]).await.unwrap(), taken);

    let stream = open(&queue, "stream", Priority::Normal).await;
    queue.append(&stream, &[chunk(0, 2000)]).await.unwrap();
    ask::<()>(&server, "HDEL {muster}:batch:stream digest").await;
    let (before, after) = Default::default();
    let other = NewChunk { places: Places::From { first: 2000, before, after }, ..chunk(0, 1) };
    assert_eq!(queue.append(&stream, &[other]).await.unwrap(), Appended::Accepted);
    assert_eq!(shown(&queue, &stream).await.digest, None);
    queue.seal(&stream, Some(2001), Some(after)).await.unwrap();
}

#[tokio::test]
async fn a_server_without_memory_takes_no_more_and_lets_batches_end() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap(), []);
    let batch = open(&queue, "b", muster_queue::Priority::Normal).await;
    for (name, then) in [("overdue", Ending::Seal), ("left", Ending::Abort)] {
        let deadline = Some(Deadline { after: NO_WAIT, then });
        let options = BatchOptions { deadline, ..BatchOptions::default() };
        queue.open(&id(name), &options).await.unwrap();
    }
    for first in 0..3 {
        queue.append(&batch, &[chunk(first, 1)]).await.unwrap();
    }

    ask::<()>(&server, "CONFIG SET maxmemory 1").await;
    let error = queue.append(&batch, &[chunk(3, 1)]).await.unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    // A batch that others wait behind is not too large for the store.
    assert_eq!(queue.outgrown(&batch).await.unwrap(), None);
    // The deadline of a batch whose sender waits can be put off.
    queue.open(&id("left"), &BatchOptions::default()).await.unwrap();
    assert_eq!(queue.end_overdue(9).await.unwrap().len(), 2);
    let states = [0, 1].map(|batches| RollState {
        id: "roll".to_owned(),
        batches,
        sha256: "5ha".to_owned(),
    });
    let begun = queue.set_roll(None, &states[0]).await.unwrap();
    assert_eq!(begun.as_ref(), Some(&states[0]));
    let grown = queue.set_roll(begun.as_ref(), &states[1]).await.unwrap();
    assert_eq!((grown.as_ref(), queue.roll().await.unwrap()), (Some(&states[1]), grown.clone()));
    assert!(queue.mark_written(&id("overdue"), "5ha").await.unwrap());
    let released = lease_chunk(&queue, &worker).await;
    queue.release(&[released.lease]).await.unwrap();
    for place in [1, 2] {
        let chunk = lease_chunk(&queue, &worker).await;
        let after = if place == 1 { NO_WAIT } else { Duration::from_millis(20) };
        let outcome = Outcome { retry: vec![retry(place, after, false)], ..kept(Vec::new()) };
        assert_eq!(queue.commit(&chunk, &outcome).await.unwrap(), Committed::Taken);
    }
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap(), []);
    for _ in 0..3 {
        let chunk = one_chunk(queue.lease(&worker, 1, LONG_WAIT).await.unwrap());
        assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    }
    let complete = queue.seal(&batch, Some(3), None).await.unwrap();
    assert_eq!((complete.state, complete.kept), (BatchState::Complete, 3));
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
}

#[tokio::test]
async fn a_server_without_memory_lets_dead_letters_be_resolved() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for name in ["replayed", "dropped", "aborted"] {
        let batch = sealed_batch_of(&queue, name, 2, Policy::Fail).await;
        let chunk = lease_chunk(&queue, &worker).await;
        queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
        assert_eq!(queue.dead_letters(&batch, 1, 9).await.unwrap(), [letter(1, "no e-mail")]);
    }
    ask::<()>(&server, "CONFIG SET maxmemory 1").await;
    assert_eq!(queue.drop_letters(&id("dropped"), &[0, 1]).await.unwrap(), 2);
    assert_eq!(queue.abort(&id("aborted")).await.unwrap().state, BatchState::Aborted);
    assert_eq!(queue.replay(&id("replayed"), &replays([0, 1])).await.unwrap().letters, 2);
    assert_eq!(queue.dead_groups().await.unwrap(), []);
    let roll = queue.lease(&worker, 1, NO_WAIT).await.unwrap();
    assert_eq!(roll.len(), 1);
    queue.forget(&worker).await.unwrap();
    assert_eq!(shown(&queue, &id("dropped")).await.state, BatchState::Complete);
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap().len(), 3);
}
