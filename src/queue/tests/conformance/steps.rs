//! The steps that many claims begin with.

use std::time::Duration;

use bytes::Bytes;
use muster_queue::{
    Appended, Batch, BatchId, BatchOptions, Chunk, DeadLetter, NewChunk, Outcome, Output, Places,
    Priority, Queue, Result, Work, WorkerId,
};

use crate::support::payload;

/// More pieces of work than any claim makes.
pub(crate) const ALL: usize = 100;

/// How long to wait for what must come.
pub(crate) const LONG: Duration = Duration::from_secs(20);

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
    NewChunk { places: Places::From(place), count, payload }
}

/// The records at these places.
pub(crate) fn each(places: &[u64]) -> NewChunk {
    let count = u32::try_from(places.len()).expect("a small chunk");
    NewChunk { places: Places::Each(places.to_vec()), count, payload: payload(places.to_vec()) }
}

/// Opens a batch of normal priority.
pub(crate) async fn open(queue: &dyn Queue, name: &str) -> Result<BatchId> {
    open_with(queue, name, Priority::Normal).await
}

/// Opens a batch of the given priority.
pub(crate) async fn open_with(
    queue: &dyn Queue,
    name: &str,
    priority: Priority,
) -> Result<BatchId> {
    queue.open(&id(name), &BatchOptions { priority, seal_after: None }).await?;
    Ok(id(name))
}

/// Opens a batch and appends chunks of these many records.
pub(crate) async fn sent(queue: &dyn Queue, name: &str, counts: &[u32]) -> Result<BatchId> {
    let id = open(queue, name).await?;
    let mut place = 0;
    for count in counts {
        assert_eq!(queue.append(&id, &from(place, *count)).await?, Appended::Accepted);
        place += u64::from(*count);
    }
    Ok(id)
}

/// Sends a batch, commits all of it as sent, and seals it.
pub(crate) async fn completed(queue: &dyn Queue, name: &str, counts: &[u32]) -> Result<BatchId> {
    let id = sent(queue, name, counts).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    queue.seal(&id, None).await?;
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

/// Every record is kept as it was sent.
pub(crate) fn as_sent() -> Outcome {
    Outcome { output: Output::AsSent, dead: Vec::new() }
}

/// The records at these places of the batch are dead, the others of the chunk are kept.
pub(crate) fn without(chunk: &Chunk, dead: &[u64]) -> Outcome {
    let places = chunk.first..chunk.first + u64::from(chunk.count);
    Outcome {
        output: Output::Rewritten(payload(places.filter(|place| !dead.contains(place)))),
        dead: dead.iter().map(|place| dead_letter(*place)).collect(),
    }
}

/// A dead letter for the record at `place`.
pub(crate) fn dead_letter(place: u64) -> DeadLetter {
    DeadLetter {
        place,
        record_id: -1,
        reason: format!("record {place}:\n\"no\" e-mail"),
        record: Bytes::from(format!("\0record\n{place}")),
    }
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
