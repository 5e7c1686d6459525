//! What is special to the store on Redis: lost servers, flushed data, leases by pending entries.
//!
//! What every store does is tested for all of them elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/redis_server.rs"]
mod redis_server;

use std::future::Future;
use std::slice;
use std::time::{Duration, Instant};

use bytes::Bytes;
use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, BatchState, Chunk, Committed, DeadLetter, Error, NewChunk,
    Outcome, Output, Places, Priority, Queue, Work, WorkerId,
};
use redis_server::RedisServer;

const NO_WAIT: Duration = Duration::ZERO;
const LONG_WAIT: Duration = Duration::from_secs(20);
const AS_SENT: Outcome = Outcome { output: Output::AsSent, dead: Vec::new() };

async fn queue(server: &RedisServer) -> RedisQueue {
    RedisQueue::connect(&server.url()).await.unwrap()
}

fn id(name: &str) -> BatchId {
    name.parse().unwrap()
}

fn chunk(first: u64, count: u32) -> NewChunk {
    NewChunk { places: Places::From(first), count, payload: payload(first) }
}

fn payload(first: u64) -> Bytes {
    format!("the records from {first} on").into()
}

async fn open(queue: &RedisQueue, name: &str, priority: Priority) -> BatchId {
    let options = BatchOptions { priority, seal_after: None };
    queue.open(&id(name), &options).await.unwrap();
    id(name)
}

/// Opens a batch with one chunk of two records, and seals it.
async fn sealed_batch(queue: &RedisQueue, name: &str) -> BatchId {
    let batch = open(queue, name, Priority::Normal).await;
    assert_eq!(queue.append(&batch, &chunk(0, 2)).await.unwrap(), Appended::Accepted);
    queue.seal(&batch, Some(2)).await.unwrap();
    batch
}

async fn lease_chunk(queue: &RedisQueue, worker: &WorkerId) -> Chunk {
    one_chunk(queue.lease(worker, 1, NO_WAIT).await.unwrap())
}

fn one_chunk(work: Vec<Work>) -> Chunk {
    match <[Work; 1]>::try_from(work) {
        Ok([Work::Chunk(chunk)]) => chunk,
        other => panic!("expected one chunk, got {other:?}"),
    }
}

/// Asks the server itself, on a connection that the queue does not know.
async fn ask<T: redis::FromRedisValue>(server: &RedisServer, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = command.split(' ');
    let mut asked = redis::cmd(words.next().unwrap());
    asked.arg(words.collect::<Vec<_>>());
    asked.query_async(&mut connection).await.unwrap()
}

/// Waits until so many clients wait at the server for work.
async fn until_blocked(server: &RedisServer, clients: u32) {
    let line = format!("blocked_clients:{clients}\r\n");
    let blocked = async {
        while !ask::<String>(server, "INFO clients").await.contains(&line) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG_WAIT, blocked).await.expect(&line);
}

async fn unavailable_soon<T: std::fmt::Debug>(
    step: impl Future<Output = Result<T, Error>>,
) -> String {
    let asked = Instant::now();
    let error = step.await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}", asked.elapsed());
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn every_step_may_be_repeated() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Low).await;

    let opened = queue.open(&batch, &BatchOptions::default()).await.unwrap();
    assert_eq!(opened.priority, Priority::Low);
    assert_eq!(queue.append(&batch, &chunk(0, 2)).await.unwrap(), Appended::Accepted);
    let again = queue.append(&batch, &chunk(0, 2)).await.unwrap();
    assert_eq!(again, Appended::Behind { received: 2 });

    let chunk = lease_chunk(&queue, &worker).await;
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Refused);

    for _ in 0..2 {
        let sealed = queue.seal(&batch, Some(2)).await.unwrap();
        assert_eq!((sealed.state, sealed.kept, sealed.dead), (BatchState::Complete, 2, 0));
    }
    let rolls = queue.lease(&worker, 9, NO_WAIT).await.unwrap();
    assert!(matches!(rolls[..], [Work::Roll(_)]), "{rolls:?}");

    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    assert!(!queue.mark_written(&batch, "another").await.unwrap());
    let written = queue.seal(&batch, None).await.unwrap();
    assert_eq!(written.roll_sha256.as_deref(), Some("5ha"));
    assert_eq!(queue.next_complete().await.unwrap(), None);
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

    let rewritten = Outcome { output: Output::Rewritten("quick".into()), dead: Vec::new() };
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
async fn only_the_holder_extends_and_releases() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let (old, new) = (WorkerId::random("old"), WorkerId::random("new"));
    sealed_batch(&queue, "b").await;

    let olds = lease_chunk(&queue, &old).await.lease;
    let news = one_chunk(queue.take_over(&new, NO_WAIT, 1).await.unwrap()).lease;
    queue.extend(slice::from_ref(&olds)).await.unwrap();
    queue.release(&[olds]).await.unwrap();
    assert_eq!(queue.lease(&old, 1, NO_WAIT).await.unwrap(), []);

    queue.extend(slice::from_ref(&news)).await.unwrap();
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
    queue.seal(&first, Some(0)).await.unwrap();
    queue.seal(&second, Some(0)).await.unwrap();

    let roll = queue.lease(&worker, 1, NO_WAIT).await.unwrap();
    queue.release(&[roll[0].lease().clone()]).await.unwrap();
    assert_eq!(queue.next_complete().await.unwrap().unwrap().id, first);
    assert!(queue.mark_written(&first, "5ha").await.unwrap());
    assert_eq!(queue.next_complete().await.unwrap().unwrap().id, second);
    assert!(queue.mark_written(&second, "5ha").await.unwrap());

    assert_eq!(queue.next_complete().await.unwrap(), None);
    assert_eq!(queue.lease(&worker, 9, NO_WAIT).await.unwrap(), []);
    assert_eq!(ask::<u64>(&server, "XLEN {muster}:queue:roll").await, 0);
}

#[tokio::test]
async fn a_flush_in_mid_life_is_survived() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let lost = lease_chunk(&queue, &worker).await;

    ask::<()>(&server, "FLUSHALL").await;
    assert_eq!(queue.commit(&lost, &AS_SENT).await.unwrap(), Committed::Refused);
    queue.extend(slice::from_ref(&lost.lease)).await.unwrap();
    queue.release(&[lost.lease]).await.unwrap();
    queue.forget(&worker).await.unwrap();
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap(), []);
    assert_eq!(queue.batch(&batch).await.unwrap(), None);
    let error = queue.append(&batch, &chunk(2, 1)).await.unwrap_err();
    assert!(matches!(error, Error::UnknownBatch(_)), "{error}");

    let batch = sealed_batch(&queue, "b").await;
    assert_eq!(lease_chunk(&queue, &worker).await.batch, batch);
}

#[tokio::test]
async fn a_lease_that_waits_survives_a_flush() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let flush_and_append = async {
        until_blocked(&server, 1).await;
        ask::<()>(&server, "FLUSHALL").await;
        sealed_batch(&queue, "b").await;
    };
    let asked = Instant::now();
    let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), flush_and_append);
    one_chunk(work.unwrap());
    assert!(asked.elapsed() < LONG_WAIT / 2, "took {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_and_works_when_it_is_back() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    // Leaves an idle connection of the kind that waits.
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap().len(), 1);
    let wait = Duration::from_millis(1);
    assert_eq!(queue.lease(&worker, 1, wait).await.unwrap(), []);

    server.kill();
    for _ in 0..2 {
        unavailable_soon(queue.ping()).await;
        unavailable_soon(queue.batch(&batch)).await;
        unavailable_soon(queue.lease(&worker, 1, LONG_WAIT)).await;
    }
    server.start_again();
    let other = WorkerId::random("other");
    let chunk = one_chunk(queue.take_over(&other, NO_WAIT, 1).await.unwrap());
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.batch(&batch).await.unwrap().unwrap().state, BatchState::Complete);
}

#[tokio::test]
async fn a_lease_that_waits_ends_when_the_store_goes() {
    let mut server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let kill = async {
        until_blocked(&server, 1).await;
        server.kill();
    };
    let lease = queue.lease(&worker, 1, LONG_WAIT);
    let (work, ()) = tokio::join!(async { unavailable_soon(lease).await }, kill);
    assert!(work.contains("127.0.0.1"), "{work}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://:s3cret@{}", silent.local_addr().unwrap());
    let queue = RedisQueue::connect(&url).await.unwrap();
    let b = id("b");
    let (ping, batch) =
        tokio::join!(unavailable_soon(queue.ping()), unavailable_soon(queue.batch(&b)));
    for message in [ping, batch, format!("{queue:?}")] {
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[tokio::test]
async fn a_password_and_a_database_number_are_used() {
    let server = RedisServer::start_with(&["--requirepass", "s3cret"]);
    let at = |login: &str| server.url().replace("//", &format!("//{login}")) + "/3";
    for login in ["", ":wrong@"] {
        let queue = RedisQueue::connect(&at(login)).await.unwrap();
        let message = unavailable_soon(queue.batch(&id("b"))).await;
        assert!(message.to_lowercase().contains("auth"), "{message}");
    }
    let right = RedisQueue::connect(&at(":s3cret@")).await.unwrap();
    let batch = open(&right, "b", Priority::Normal).await;
    let other = at(":s3cret@").replace("/3", "/4");
    let other = RedisQueue::connect(&other).await.unwrap();
    assert!(right.batch(&batch).await.unwrap().is_some());
    assert_eq!(other.batch(&batch).await.unwrap(), None);
}

#[tokio::test]
async fn a_password_that_becomes_right_is_right() {
    let server = RedisServer::start_with(&["--requirepass", "old"]);
    let url = |password: &str| server.url().replace("//", &format!("//:{password}@"));
    let queue = RedisQueue::connect(&url("new")).await.unwrap();
    unavailable_soon(queue.ping()).await;

    let client = redis::Client::open(url("old")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut change = redis::cmd("CONFIG");
    change.arg("SET").arg("requirepass").arg("new");
    change.query_async::<()>(&mut connection).await.unwrap();
    queue.ping().await.unwrap();
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_unavailable() {
    let server = RedisServer::start();
    let url = server.url().replace("redis:", "rediss:");
    let queue = RedisQueue::connect(&url).await.unwrap();
    unavailable_soon(queue.ping()).await;
}

#[tokio::test]
async fn a_url_that_names_no_server_is_refused() {
    for url in ["redis://", "redis://host:port", "redis://:s3cret@host/db"] {
        let message = unavailable_soon(RedisQueue::connect(url)).await;
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[tokio::test]
async fn a_written_batch_leaves_only_what_expires() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let options = BatchOptions { seal_after: Some(LONG_WAIT), ..BatchOptions::default() };
    let batch = queue.open(&id("b"), &options).await.unwrap().id;
    for places in [vec![5, 1], vec![0]] {
        let count = places.len().try_into().unwrap();
        let chunk = NewChunk { places: Places::Each(places), count, payload: payload(0) };
        assert_eq!(queue.append(&batch, &chunk).await.unwrap(), Appended::Accepted);
    }
    queue.seal(&batch, None).await.unwrap();
    let letter = |place| DeadLetter {
        place,
        record_id: 1,
        reason: "no e-mail".to_owned(),
        record: Bytes::from_static(b"\0\n\xff"),
    };
    let first = lease_chunk(&queue, &worker).await;
    let second = lease_chunk(&queue, &worker).await;
    let dead = Outcome { output: Output::Rewritten(Bytes::new()), dead: vec![letter(2)] };
    assert_eq!(queue.commit(&second, &dead).await.unwrap(), Committed::Taken);
    let one_dead = Outcome { output: Output::Rewritten("1".into()), dead: vec![letter(1)] };
    assert_eq!(queue.commit(&first, &one_dead).await.unwrap(), Committed::Taken);
    assert_eq!(queue.dead_letters(&batch, 0, 9).await.unwrap(), [letter(1), letter(2)]);
    assert_eq!(queue.dead_letters(&batch, 2, 9).await.unwrap(), [letter(2)]);
    assert_eq!(queue.dead_letters(&batch, 0, 1).await.unwrap(), [letter(1)]);

    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    let mut keys: Vec<String> = ask(&server, "KEYS *").await;
    keys.retain(|key| !key.starts_with("{muster}:queue:"));
    keys.sort();
    assert_eq!(keys, ["{muster}:batch:b", "{muster}:batch:b:dead", "{muster}:batch:b:places"]);
    for key in keys {
        assert!(ask::<i64>(&server, &format!("TTL {key}")).await > 0, "{key}");
    }
    for stream in ["roll", "high", "normal", "low"] {
        assert_eq!(ask::<u64>(&server, &format!("XLEN {{muster}}:queue:{stream}")).await, 0);
    }
    let letters = queue.dead_letters(&batch, 0, 9).await.unwrap();
    assert_eq!(letters.len(), 2);
}

#[tokio::test]
async fn a_lease_keeps_to_its_maximum_and_to_the_order() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let batch = open(&queue, priority.as_str(), priority).await;
        for first in 0..3 {
            queue.append(&batch, &chunk(first, 1)).await.unwrap();
        }
    }
    let empty = open(&queue, "empty", Priority::Normal).await;
    queue.seal(&empty, Some(0)).await.unwrap();

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
        queue.append(&batch, &chunk(0, 1)).await.unwrap();
    }
    assert_eq!(queue.lease(&worker, 3, NO_WAIT).await.unwrap().len(), 3);

    // The steps share a connection, and so come one after another: work of three kinds arrives
    // after the lease has found none, and before it waits.
    let [high, normal, low] = Priority::ALL.map(|priority| id(priority.as_str()));
    let next = chunk(1, 1);
    let (work, ..) = tokio::join!(
        queue.lease(&worker, 1, LONG_WAIT),
        queue.append(&low, &next),
        queue.append(&normal, &next),
        queue.append(&high, &next),
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
            queue.append(&batch, &chunk(0, 1)).await.unwrap();
        };
        let asked = Instant::now();
        let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), append);
        assert_eq!(one_chunk(work.unwrap()).batch, batch);
        assert!(asked.elapsed() < LONG_WAIT / 2, "took {:?}", asked.elapsed());
    }
    let empty = open(&queue, "empty", Priority::Normal).await;
    let seal = async {
        until_blocked(&server, 1).await;
        queue.seal(&empty, None).await.unwrap();
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

#[tokio::test]
async fn a_place_out_of_all_bounds_is_refused_and_costs_no_memory() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", Priority::Normal).await;
    for place in [u64::MAX, 1 << 32, 1 << 27] {
        let far = NewChunk { places: Places::Each(vec![0, place]), count: 2, payload: payload(0) };
        let error = queue.append(&batch, &far).await.unwrap_err();
        assert!(matches!(error, Error::Gap { received: 0, .. }), "{error}");
    }
    assert_eq!(ask::<u64>(&server, "EXISTS {muster}:batch:b:places").await, 0);
    let near = NewChunk { places: Places::Each(vec![0, 1 << 20]), count: 2, payload: payload(0) };
    assert_eq!(queue.append(&batch, &near).await.unwrap(), Appended::Accepted);
    let again = queue.append(&batch, &near).await.unwrap();
    assert_eq!(again, Appended::Taken { places: vec![0, 1 << 20] });
}

#[tokio::test]
async fn a_server_without_memory_takes_no_more_and_lets_batches_end() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap(), []);
    let batch = open(&queue, "b", Priority::Normal).await;
    let overdue = BatchOptions { seal_after: Some(NO_WAIT), ..BatchOptions::default() };
    queue.open(&id("overdue"), &overdue).await.unwrap();
    for first in 0..2 {
        queue.append(&batch, &chunk(first, 1)).await.unwrap();
    }

    ask::<()>(&server, "CONFIG SET maxmemory 1").await;
    let message = unavailable_soon(queue.append(&batch, &chunk(2, 1))).await;
    assert!(message.contains("memory"), "{message}");
    assert_eq!(queue.seal_overdue(1).await.unwrap(), 1);
    assert!(queue.mark_written(&id("overdue"), "5ha").await.unwrap());
    let released = lease_chunk(&queue, &worker).await;
    queue.release(&[released.lease]).await.unwrap();
    for _ in 0..2 {
        let chunk = lease_chunk(&queue, &worker).await;
        assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    }
    let complete = queue.seal(&batch, Some(2)).await.unwrap();
    assert_eq!((complete.state, complete.kept), (BatchState::Complete, 2));
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
}

#[tokio::test]
async fn only_a_worker_that_holds_nothing_is_forgotten() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    // Makes the streams and the groups.
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap(), []);
    let batch = sealed_batch(&queue, "b").await;
    let chunk = lease_chunk(&queue, &worker).await;
    queue.forget(&worker).await.unwrap();
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());

    queue.forget(&worker).await.unwrap();
    for stream in ["roll", "high", "normal", "low"] {
        let command = format!("XINFO CONSUMERS {{muster}}:queue:{stream} workers");
        let consumers: Vec<redis::Value> = ask(&server, &command).await;
        assert_eq!(consumers, [], "{stream}");
    }
}

#[tokio::test]
async fn batches_that_their_server_left_are_sealed_in_time() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let after = |seal_after| BatchOptions { seal_after: Some(seal_after), ..Default::default() };
    for name in ["left", "left-too"] {
        queue.open(&id(name), &after(NO_WAIT)).await.unwrap();
    }
    queue.open(&id("busy"), &after(LONG_WAIT)).await.unwrap();
    queue.append(&id("left-too"), &chunk(0, 1)).await.unwrap();

    assert_eq!(queue.seal_overdue(1).await.unwrap(), 1);
    assert_eq!(queue.seal_overdue(9).await.unwrap(), 1);
    assert_eq!(queue.seal_overdue(9).await.unwrap(), 0);
    for (name, state) in [
        ("left", BatchState::Complete),
        ("left-too", BatchState::Sealed),
        ("busy", BatchState::Open),
    ] {
        assert_eq!(queue.batch(&id(name)).await.unwrap().unwrap().state, state, "{name}");
    }
}

#[tokio::test]
async fn results_are_read_in_order_and_in_bounds() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    for first in [0, 2, 4, 6] {
        queue.append(&batch, &chunk(first, 2)).await.unwrap();
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
