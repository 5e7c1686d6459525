//! What the tests start from, and how they ask the server itself.

use std::future::Future;
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::Bytes;
use muster_content::RecordHash;
use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, Chunk, DeadLetter, Error, History, Kept, NewChunk,
    Outcome, Places, Policy, Priority, Queue, Replay, ResultChunk, Retry, StoreOptions, Work,
    WorkerId,
};

use crate::places;
use crate::redis_server::RedisServer;

pub(crate) const NO_WAIT: Duration = Duration::ZERO;
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(20);
pub(crate) const AS_SENT: Outcome =
    Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };

pub(crate) async fn queue(server: &RedisServer) -> RedisQueue {
    connect(&server.url()).await.unwrap()
}

pub(crate) async fn connect(url: &str) -> Result<RedisQueue, Error> {
    RedisQueue::connect(url, &StoreOptions::default()).await
}

/// Connects to a server that does not answer, which is found out soon.
pub(crate) async fn connect_to_silent(url: &str) -> Result<RedisQueue, Error> {
    let connect_timeout = Duration::from_secs(1);
    RedisQueue::connect(url, &StoreOptions { connect_timeout, ..StoreOptions::default() }).await
}

pub(crate) fn id(name: &str) -> BatchId {
    name.parse().unwrap()
}

pub(crate) fn chunk(first: u64, count: u32) -> NewChunk {
    NewChunk { places: places::from(first, count), count, payload: payload(first), trace: None }
}

/// A chunk of records that each have their own place.
pub(crate) fn each(places: Vec<u64>) -> NewChunk {
    let count = places.len().try_into().unwrap();
    let hashed = |index: u64| (index, RecordHash::of(&index.to_be_bytes()));
    let places = Places::Each(places.into_iter().map(hashed).collect());
    NewChunk { places, count, payload: payload(0), trace: None }
}

pub(crate) fn payload(first: u64) -> Bytes {
    format!("the records from {first} on").into()
}

pub(crate) async fn open(queue: &RedisQueue, name: &str, priority: Priority) -> BatchId {
    let options = BatchOptions { priority, ..BatchOptions::default() };
    queue.open(&id(name), &options).await.unwrap();
    id(name)
}

/// Opens a batch with one chunk of two records, and seals it.
pub(crate) async fn sealed_batch(queue: &RedisQueue, name: &str) -> BatchId {
    sealed_batch_of(queue, name, 2, Policy::Partial).await
}

/// Opens a batch with one chunk of so many records, and seals it.
pub(crate) async fn sealed_batch_of(
    queue: &RedisQueue,
    name: &str,
    records: u32,
    policy: Policy,
) -> BatchId {
    let batch = id(name);
    let options = BatchOptions { policy, ..BatchOptions::default() };
    queue.open(&batch, &options).await.unwrap();
    let chunk = NewChunk { trace: Some("a trace".to_owned()), ..chunk(0, records) };
    assert_eq!(queue.append(&batch, &[chunk]).await.unwrap(), Appended::Accepted);
    queue.seal(&batch, Some(records.into()), None).await.unwrap();
    batch
}

pub(crate) async fn shown(queue: &RedisQueue, batch: &BatchId) -> Batch {
    queue.batch(batch).await.unwrap().unwrap()
}

pub(crate) async fn lease_chunk(queue: &RedisQueue, worker: &WorkerId) -> Chunk {
    one_chunk(queue.lease(worker, 1, NO_WAIT).await.unwrap())
}

pub(crate) fn one_chunk(work: Vec<Work>) -> Chunk {
    match <[Work; 1]>::try_from(work) {
        Ok([Work::Chunk(chunk)]) => chunk,
        other => panic!("expected one chunk, got {other:?}"),
    }
}

pub(crate) fn run(first: u64, count: u32, payload: &'static str) -> ResultChunk {
    ResultChunk { first, count, payload: payload.into() }
}

pub(crate) fn kept(runs: Vec<ResultChunk>) -> Outcome {
    Outcome { kept: Kept::Runs(runs), dead: Vec::new(), retry: Vec::new() }
}

/// All of a chunk dies of the same.
pub(crate) fn all_dead(chunk: &Chunk, reason: &str) -> Outcome {
    let places = chunk.first..chunk.first + u64::from(chunk.count);
    Outcome { dead: places.map(|place| letter(place, reason)).collect(), ..kept(Vec::new()) }
}

pub(crate) fn letter(place: u64, reason: &str) -> DeadLetter {
    DeadLetter {
        place,
        record_id: 1,
        reason: reason.to_owned(),
        attempts: 5,
        crashes: 1,
        first: UNIX_EPOCH + Duration::from_millis(1_700_000_000_001),
        last: UNIX_EPOCH + Duration::from_millis(1_700_000_060_002),
        trace: Some("a trace".to_owned()),
        record: Bytes::from_static(b"\0\n\xff"),
    }
}

/// The record at `place` is tried again after `after`, or is isolated.
pub(crate) fn retry(place: u64, after: Duration, isolated: bool) -> Retry {
    let failed_first = Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_001));
    let history = History { failures: 1, failed_first, isolated };
    Retry { place, payload: payload(place), history, after }
}

pub(crate) fn replays(places: impl IntoIterator<Item = u64>) -> Vec<Replay> {
    places.into_iter().map(|place| Replay { place, payload: format!("{place};").into() }).collect()
}

/// Asks the server itself, on a connection that the queue does not know.
pub(crate) async fn ask<T: redis::FromRedisValue>(server: &RedisServer, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    // The client's own limit, half a second, is short for a busy machine.
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(LONG_WAIT));
    let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
    let mut connection = connection.unwrap();
    let mut words = command.split(' ');
    let mut asked = redis::cmd(words.next().unwrap());
    asked.arg(words.collect::<Vec<_>>());
    asked.query_async(&mut connection).await.unwrap()
}

/// The keys on the server but for the streams, which stay, the clock, and what there is once for all
/// batches: their lists, and what they had in all.
pub(crate) async fn keys(server: &RedisServer) -> Vec<String> {
    let mut keys: Vec<String> = ask(server, "KEYS *").await;
    let stays = [
        "{muster}:queue:",
        "{muster}:clock",
        "{muster}:batches",
        "{muster}:totals",
        "{muster}:format",
    ];
    keys.retain(|key| !stays.iter().any(|stays| key.starts_with(stays)));
    keys.sort();
    keys
}

/// Waits until so many clients wait at the server for work.
pub(crate) async fn until_blocked(server: &RedisServer, clients: u32) {
    let line = format!("blocked_clients:{clients}\r\n");
    let blocked = async {
        while !ask::<String>(server, "INFO clients").await.contains(&line) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG_WAIT, blocked).await.expect(&line);
}

pub(crate) async fn unavailable_soon<T: std::fmt::Debug>(
    step: impl Future<Output = Result<T, Error>>,
) -> String {
    let asked = Instant::now();
    let error = step.await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}", asked.elapsed());
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    error.to_string()
}
