//! The payloads of a batch: put there once, and gone with what they are of.

use std::slice::from_ref;
use std::time::Duration;

use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, Committed, Depth, Error, Outcome, Policy, Priority, Queue, StoreOptions, Work,
    WorkerId,
};

use super::given::{
    AS_SENT, NO_WAIT, ask, chunk, each, kept, lease_chunk, letter, open, payload, queue, retry,
    run, sealed_batch_of,
};
use crate::redis_server::RedisServer;

const PAYLOADS: &str = "{muster}:batch:b:payloads";

/// How many there are: marks are none.
async fn payloads(server: &RedisServer) -> usize {
    let names: Vec<String> = ask(server, &format!("HKEYS {PAYLOADS}")).await;
    names.iter().filter(|name| !name.starts_with('+')).count()
}

/// As when an answer is lost on the way, and a client that follows a cluster sends all again.
#[tokio::test]
async fn an_append_that_comes_twice_keeps_its_own() {
    let server = RedisServer::start();
    let twice = |name: &str, text: &str| match name {
        "append" => format!("local function once()\n{text}\nend\nonce()\nreturn once()"),
        _ => text.to_owned(),
    };
    let options = StoreOptions::default();
    let queue = RedisQueue::connect_with(&server.url(), &options, twice).await.unwrap();
    let batch = open(&queue, "b", Priority::Normal).await;
    let appended = queue.append(&batch, &[chunk(0, 2), chunk(2, 1)]).await.unwrap();
    assert_eq!(appended, Appended::Behind { received: 3 });
    let worker = WorkerId::random("w");
    for first in [0, 2] {
        let chunk = lease_chunk(&queue, &worker).await;
        assert_eq!((chunk.first, &chunk.payload), (first, &payload(first)));
        assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    }
    assert_eq!(queue.results(&batch, 0, usize::MAX).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_not_appended_leaves_none() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", Priority::Normal).await;
    queue.append(&batch, &[chunk(0, 2), chunk(2, 1)]).await.unwrap();
    assert_eq!(payloads(&server).await, 2);
    queue.append(&batch, &[chunk(0, 2)]).await.unwrap();
    queue.append(&batch, &[chunk(5, 1)]).await.unwrap_err();
    queue.append(&batch, &[each(vec![9])]).await.unwrap_err();
    queue.seal(&batch, Some(3), None).await.unwrap();
    queue.append(&batch, &[chunk(3, 1)]).await.unwrap_err();
    assert_eq!(payloads(&server).await, 2);

    let unknown = "nobody".parse().unwrap();
    queue.append(&unknown, &[chunk(0, 1)]).await.unwrap_err();
    assert_eq!(ask::<u64>(&server, "EXISTS {muster}:batch:nobody:payloads").await, 0);
    queue.abort(&batch).await.unwrap();
    queue.append(&batch, &[chunk(3, 1)]).await.unwrap_err();
    assert_eq!(ask::<u64>(&server, &format!("EXISTS {PAYLOADS}")).await, 0);
}

#[tokio::test]
async fn what_is_kept_stays_and_what_is_dead_goes() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 4, Policy::Partial).await;
    let sent = lease_chunk(&queue, &worker).await;
    let outcome = Outcome {
        dead: vec![letter(1, "never")],
        retry: vec![retry(2, Duration::ZERO, false)],
        ..kept(vec![run(0, 1, "first"), run(3, 1, "last")])
    };
    assert_eq!(queue.commit(&sent, &outcome).await.unwrap(), Committed::Taken);
    assert_eq!(payloads(&server).await, 3, "of two runs and a retry");
    let again = lease_chunk(&queue, &worker).await;
    assert_eq!((again.first, &again.payload), (2, &payload(2)));
    // The same record once more, under the name that it has.
    let outcome = Outcome { retry: vec![retry(2, Duration::ZERO, false)], ..kept(Vec::new()) };
    assert_eq!(queue.commit(&again, &outcome).await.unwrap(), Committed::Taken);
    assert_eq!(payloads(&server).await, 3);
    let again = lease_chunk(&queue, &worker).await;
    assert_eq!(queue.commit(&again, &AS_SENT).await.unwrap(), Committed::Taken);

    let results = queue.results(&batch, 0, usize::MAX).await.unwrap();
    let payloads_read: Vec<&[u8]> = results.iter().map(|result| &result.payload[..]).collect();
    assert_eq!(payloads_read, [&b"first"[..], b"", &payload(2), b"last"]);
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    assert_eq!(ask::<u64>(&server, &format!("EXISTS {PAYLOADS}")).await, 0);
}

#[tokio::test]
async fn a_chunk_of_an_aborted_batch_leaves_the_queue_without_one() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch_of(&queue, "b", 2, Policy::Partial).await;
    queue.abort(&batch).await.unwrap();
    let chunk = lease_chunk(&queue, &worker).await;
    assert_eq!((chunk.count, chunk.payload.len()), (2, 0));
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Refused);
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap(), []);
}

#[tokio::test]
async fn one_that_was_removed_by_hand_is_named_and_its_chunk_stays() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    sealed_batch_of(&queue, "b", 2, Policy::Partial).await;
    let content: Vec<String> = ask(&server, &format!("HGETALL {PAYLOADS}")).await;
    let name = content.iter().find(|text| text.contains('-') && !text.starts_with('+')).unwrap();
    ask::<u64>(&server, &format!("HDEL {PAYLOADS} {name}")).await;
    let error = queue.lease(&worker, 9, NO_WAIT).await.unwrap_err();
    let Error::Corrupt { what, .. } = &error else { panic!("{error}") };
    assert_eq!(*what, format!("no payload {name:?} of batch b"));

    ask::<u64>(&server, &format!("HSET {PAYLOADS} {name} back")).await;
    let work = queue.take_over(&worker, NO_WAIT, 9).await.unwrap();
    let [Work::Chunk(chunk)] = &work[..] else { panic!("{work:?}") };
    assert_eq!((chunk.count, &chunk.payload[..]), (2, &b"back"[..]));
    queue.release(from_ref(&chunk.lease)).await.unwrap();
}

#[tokio::test]
async fn an_id_that_is_used_again_is_another_batch() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    for first in 0..3 {
        queue.append(&batch, &[chunk(first, 1)]).await.unwrap();
    }
    // One of the chunks has become a retry: its payload has a name that comes again.
    let first = lease_chunk(&queue, &worker).await;
    let outcome = Outcome { retry: vec![retry(0, NO_WAIT, false)], ..kept(Vec::new()) };
    assert_eq!(queue.commit(&first, &outcome).await.unwrap(), Committed::Taken);
    let aborted = queue.abort(&batch).await.unwrap();
    let opened = aborted.times.opened.unwrap();
    // It is forgotten, as after seven days.
    let keys: Vec<String> = ask(&server, "KEYS {muster}:batch:b*").await;
    ask::<()>(&server, &format!("DEL {}", keys.join(" "))).await;
    // Two batches differ by the millisecond in which they were opened.
    while opened.elapsed().unwrap() < Duration::from_millis(2) {
        tokio::task::yield_now().await;
    }

    open(&queue, "b", Priority::Normal).await;
    for first in 0..4 {
        queue.append(&batch, &[chunk(first, 1)]).await.unwrap();
    }
    queue.seal(&batch, Some(4), None).await.unwrap();
    let (mut taken, mut refused) = (0, 0);
    while queue.batch(&batch).await.unwrap().unwrap().kept < 4 {
        for work in queue.lease(&worker, 9, NO_WAIT).await.unwrap() {
            let Work::Chunk(chunk) = work else { continue };
            match queue.commit(&chunk, &AS_SENT).await.unwrap() {
                Committed::Taken => taken += 1,
                Committed::Refused => refused += 1,
            }
        }
    }
    assert_eq!((taken, refused), (4, 3));
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
    let results = queue.results(&batch, 0, usize::MAX).await.unwrap();
    let payloads: Vec<_> = results.into_iter().map(|result| result.payload).collect();
    assert_eq!(payloads, [0, 1, 2, 3].map(payload));
}
