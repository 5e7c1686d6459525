//! The steps that many claims begin with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use muster_content::RecordHash;
use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, Chunk, Committed, DeadLetter, History, Kept, NewChunk,
    Outcome, Places, Policy, Priority, Queue, Replay, Result, ResultChunk, Retry, Work, WorkerId,
};

use crate::places;

/// More pieces of work than any claim makes.
pub(crate) const ALL: usize = 100;

/// How long to wait for what must come.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// Longer than any claim takes.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The trace of every chunk that is sent.
pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The id `name`.
pub(crate) fn id(name: &str) -> BatchId {
    name.parse().expect("a batch id")
}

/// A worker of its own.
pub(crate) fn worker() -> WorkerId {
    WorkerId::random("test")
}

/// `count` records from `place` on.
pub(crate) fn from(place: u64, count: u32) -> NewChunk {
    let payload = payload(place..place + u64::from(count));
    NewChunk { places: places::from(place, count), count, payload, trace: Some(TRACE.to_owned()) }
}

/// The records at these places.
pub(crate) fn each(places: &[u64]) -> NewChunk {
    let count = u32::try_from(places.len()).expect("a small chunk");
    let hashed = |index: &u64| (*index, RecordHash::of(&index.to_be_bytes()));
    let payload = payload(places.to_vec());
    let places = Places::Each(places.iter().map(hashed).collect());
    NewChunk { places, count, payload, trace: None }
}

/// Opens a batch as batches are by default.
pub(crate) async fn open(queue: &dyn Queue, name: &str) -> Result<BatchId> {
    open_as(queue, name, BatchOptions::default()).await
}

/// Opens a batch of the given priority.
pub(crate) async fn open_with(
    queue: &dyn Queue,
    name: &str,
    priority: Priority,
) -> Result<BatchId> {
    open_as(queue, name, BatchOptions { priority, ..BatchOptions::default() }).await
}

/// Opens a batch that is complete only without dead letters.
pub(crate) async fn open_strict(queue: &dyn Queue, name: &str) -> Result<BatchId> {
    open_as(queue, name, BatchOptions { policy: Policy::Fail, ..BatchOptions::default() }).await
}

async fn open_as(queue: &dyn Queue, name: &str, options: BatchOptions) -> Result<BatchId> {
    queue.open(&id(name), &options).await?;
    Ok(id(name))
}

/// Opens a batch and appends chunks of these many records.
pub(crate) async fn sent(queue: &dyn Queue, name: &str, counts: &[u32]) -> Result<BatchId> {
    let id = open(queue, name).await?;
    send(queue, &id, counts).await?;
    Ok(id)
}

/// Appends chunks of these many records to a batch that has none.
pub(crate) async fn send(queue: &dyn Queue, id: &BatchId, counts: &[u32]) -> Result<()> {
    let mut place = 0;
    for count in counts {
        assert_eq!(queue.append(id, &[from(place, *count)]).await?, Appended::Accepted);
        place += u64::from(*count);
    }
    Ok(())
}

/// Leases one chunk, and commits it with this outcome.
pub(crate) async fn commit_next(
    queue: &dyn Queue,
    outcome: impl FnOnce(&Chunk) -> Outcome,
) -> Result<()> {
    let chunk = lease_one(queue).await?;
    assert_eq!(queue.commit(&chunk, &outcome(&chunk)).await?, Committed::Taken);
    Ok(())
}

/// Leases one chunk, which must be there, and the rolls that come before it.
pub(crate) async fn lease_one(queue: &dyn Queue) -> Result<Chunk> {
    loop {
        match queue.lease(&worker(), 1, Duration::ZERO).await?.pop() {
            Some(Work::Chunk(chunk)) => return Ok(chunk),
            Some(Work::Roll(_)) => {}
            None => panic!("a chunk waits"),
        }
    }
}

/// Sends a batch, commits all of it as sent, and seals it.
pub(crate) async fn completed(queue: &dyn Queue, name: &str, counts: &[u32]) -> Result<BatchId> {
    let id = sent(queue, name, counts).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    queue.seal(&id, None, None).await?;
    Ok(id)
}

/// Leases all that waits, without waiting for more.
pub(crate) async fn lease_all(queue: &dyn Queue, worker: &WorkerId) -> Result<Vec<Work>> {
    queue.lease(worker, ALL, Duration::ZERO).await
}

/// Leases all that waits, and leaves the rolls out.
pub(crate) async fn lease_chunks(queue: &dyn Queue, worker: &WorkerId) -> Result<Vec<Chunk>> {
    Ok(chunks(lease_all(queue, worker).await?))
}

/// Takes over all that others hold.
pub(crate) async fn take_over_all(queue: &dyn Queue, worker: &WorkerId) -> Result<Vec<Work>> {
    queue.take_over(worker, Duration::ZERO, ALL).await
}

/// The chunks among some work.
pub(crate) fn chunks(work: Vec<Work>) -> Vec<Chunk> {
    work.into_iter().filter_map(chunk).collect()
}

fn chunk(work: Work) -> Option<Chunk> {
    match work {
        Work::Chunk(chunk) => Some(chunk),
        Work::Roll(_) => None,
    }
}

/// How many rolls are among some work.
pub(crate) fn rolls(work: &[Work]) -> usize {
    work.iter().filter(|work| matches!(work, Work::Roll(_))).count()
}

/// The batch as the store has it.
pub(crate) async fn shown(queue: &dyn Queue, id: &BatchId) -> Result<Batch> {
    Ok(queue.batch(id).await?.expect("the batch is known"))
}

/// The bytes of the records at `places`, one line each.
pub(crate) fn payload(places: impl IntoIterator<Item = u64>) -> Bytes {
    places.into_iter().map(|place| format!("record {place}\n")).collect::<String>().into()
}

/// Every record is kept as it was sent.
pub(crate) fn as_sent() -> Outcome {
    Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() }
}

/// The records at these places of the batch are dead, the others of the chunk are kept.
pub(crate) fn without(chunk: &Chunk, dead: &[u64]) -> Outcome {
    split(chunk, dead, Vec::new())
}

/// These records of a chunk are dead, these are to be tried again, and the others are kept.
pub(crate) fn split(chunk: &Chunk, dead: &[u64], retry: Vec<Retry>) -> Outcome {
    let mut runs: Vec<ResultChunk> = Vec::new();
    for place in chunk.first..chunk.first + u64::from(chunk.count) {
        if dead.contains(&place) || retry.iter().any(|retry| retry.place == place) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.first + u64::from(run.count) == place => {
                run.count += 1;
                run.payload = payload(run.first..=place);
            }
            _ => runs.push(kept(place, 1)),
        }
    }
    let dead = dead.iter().map(|place| dead_letter(*place)).collect();
    Outcome { kept: Kept::Runs(runs), dead, retry }
}

/// A run of records that are kept as they were sent.
pub(crate) fn kept(first: u64, count: u32) -> ResultChunk {
    ResultChunk { first, count, payload: payload(first..first + u64::from(count)) }
}

/// What covers the place of a record that is not kept.
pub(crate) fn nothing(place: u64) -> ResultChunk {
    ResultChunk { first: place, count: 1, payload: Bytes::new() }
}

/// The record at `place` is to be tried again at once.
pub(crate) fn again(place: u64) -> Retry {
    again_after(place, Duration::ZERO)
}

/// The record at `place` is to be tried again after some time.
pub(crate) fn again_after(place: u64, after: Duration) -> Retry {
    let history = History { failures: 1, failed_first: Some(time(place)), isolated: false };
    Retry { place, payload: payload([place]), history, after }
}

/// The record at `place` is to be tried again by itself.
pub(crate) fn isolated(place: u64) -> Retry {
    let retry = again_after(place, HOUR);
    Retry { history: History { isolated: true, ..retry.history }, ..retry }
}

/// A time, to the millisecond.
pub(crate) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + millis)
}

/// A dead letter for the record at `place`.
pub(crate) fn dead_letter(place: u64) -> DeadLetter {
    DeadLetter {
        place,
        record_id: -1,
        reason: format!("record {place}:\n\"no\" e-mail"),
        attempts: 3,
        crashes: 1,
        first: time(place),
        last: time(place + 1),
        trace: Some(TRACE.to_owned()),
        record: Bytes::from(format!("\0record\n{place}")),
    }
}

/// The letters at these places are to be tried again as they were sent.
pub(crate) fn replays(places: &[u64]) -> Vec<Replay> {
    places.iter().map(|place| Replay { place: *place, payload: payload([*place]) }).collect()
}

/// Asks again and again until the answer is yes, for at most [`LONG`].
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let limit = tokio::time::Instant::now() + LONG;
    while !is_so().await? {
        assert!(tokio::time::Instant::now() < limit, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
