//! A client stream: its records become chunks of one batch, and its end seals the batch.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use muster_access::Principal;
use muster_content::ContentDigest;
use muster_program::traces::Trace;
use muster_queue::{Appended, Batch, BatchId, BatchOptions, Error, NewChunk, Queue};
use tokio::time::{Instant, timeout};
use tonic::{Status, Streaming};
use tracing::Instrument as _;

use super::chunk::{self, Lengths, TooLong};
use super::filling::{self, Filled, Filling};
use super::record::Record;
use super::resent::Resent;
use crate::status;

/// How often a stream that waits says that its batch is not abandoned: so many times until the
/// deadline.
const SIGNS_PER_DEADLINE: u32 = 4;

/// What is known of a stream before its records.
#[derive(Clone)]
pub(super) struct Stream<'a> {
    pub(super) queue: &'a dyn Queue,
    /// What its batch was opened with.
    pub(super) options: BatchOptions,
    /// The trace of its call.
    pub(super) trace: Option<Trace>,
    /// Who sends it, if there is an access list.
    pub(super) principal: Option<Arc<Principal>>,
    pub(super) lengths: Lengths,
    pub(super) limits: Limits,
}

/// What a stream may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many records it may have.
    pub(super) records_max: u64,
    /// How long it may bring none.
    pub(super) idle_max: Duration,
}

/// Receives one stream.
pub(super) struct Receiver<'a> {
    stream: Stream<'a>,
    batch: BatchId,
    /// The records that the batch has already: they come first.
    resent: Resent,
    /// The place of the next record that is not one of them,
    place: u64,
    /// and the digest of those before it.
    digest: ContentDigest,
    /// How many records it may still have.
    left: u64,
    /// When the last one came.
    last: Instant,
    filling: Filling,
    refused: Option<Refused>,
}

/// Records that were not taken, while the others were.
#[derive(Debug)]
pub(super) struct Refused {
    first: TooLong,
    count: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, count } = self;
        write!(f, "{count} records were refused, the others are accepted; the first: {first}")
    }
}

/// Which records of a stream have arrived.
#[derive(PartialEq)]
enum Arrived {
    Some,
    Last,
}

type Appending<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl<'a> Receiver<'a> {
    /// Receives a stream into a batch, whose records it sends again in part: `resent`.
    pub(super) fn new(stream: Stream<'a>, batch: Batch, resent: Resent) -> Self {
        Self {
            left: stream.limits.records_max,
            last: Instant::now(),
            stream,
            batch: batch.id,
            digest: resent.digest(),
            resent,
            place: batch.received,
            filling: Filling::default(),
            refused: None,
        }
    }

    /// Receives all of it. A chunk that is full goes out at once, and the next ones fill while it
    /// is being appended: they go out together. When there are as many as one step takes, the
    /// stream is not read, which slows its sender down.
    ///
    /// # Errors
    ///
    /// The stream breaks off, or the store fails: what was appended stays, for the sender to go
    /// on from.
    pub(super) async fn receive(
        mut self,
        mut records: Streaming<Record>,
    ) -> Result<Option<Refused>, Status> {
        let mut appending: Option<Appending<'a>> = None;
        loop {
            let goes_out = self.filling.has_whole() && appending.is_none();
            let next = if goes_out || self.filling.is_full() {
                None
            } else if let Some(append) = &mut appending {
                // Both are cancel-safe: a stream gives a record or not, and the append goes on
                // where it was.
                tokio::select! {
                    next = records.next() => Some(next),
                    appended = append => {
                        appended.map_err(|error| self.refusal(error))?;
                        appending = None;
                        continue;
                    }
                }
            } else if self.filling.is_empty() {
                match timeout(self.stream.patience(), records.next()).await {
                    Ok(next) => Some(next),
                    Err(_) if self.last.elapsed() >= self.stream.limits.idle_max => {
                        return Err(idle(self.stream.limits.idle_max));
                    }
                    Err(_) => {
                        self.stream.sign(&self.batch).await;
                        continue;
                    }
                }
            } else {
                // What has arrived goes into the chunk; the chunk goes out when no more has.
                records.next().now_or_never()
            };
            match next {
                Some(Some(record)) => {
                    if self.take_arrived(record?, &mut records)? == Arrived::Last {
                        break;
                    }
                }
                Some(None) => break,
                None => {
                    self.finish(appending.take()).await?;
                    appending = self.append();
                }
            }
        }
        self.finish(appending).await?;
        let last = self.append();
        self.finish(last).await?;
        // The records of a call that was cancelled end as well. Such a call is dropped when it
        // next waits: here at the latest, so that what it began is not sealed.
        tokio::task::yield_now().await;
        let left = self.resent.left();
        let digest = (left == 0).then_some(self.digest);
        let sealed = self.stream.queue.seal(&self.batch, Some(self.place - left), digest).await;
        let Batch { received, .. } = sealed.map_err(|error| self.refusal(error))?;
        tracing::info!(records = received, "the batch is whole");
        Ok(self.refused)
    }

    /// Takes a record, and those that have arrived behind it, up to the end of a chunk: an append
    /// that is under way is asked once for all of them.
    fn take_arrived(
        &mut self,
        mut record: Record,
        records: &mut Streaming<Record>,
    ) -> Result<Arrived, Status> {
        self.last = Instant::now();
        loop {
            self.take(&record)?;
            if !self.filling.is_amid_chunk() {
                return Ok(Arrived::Some);
            }
            match records.next().now_or_never() {
                Some(Some(next)) => record = next?,
                Some(None) => return Ok(Arrived::Last),
                None => return Ok(Arrived::Some),
            }
        }
    }

    fn take(&mut self, record: &Record) -> Result<(), Status> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(too_many(self.stream.limits.records_max));
        };
        self.left = left;
        if let Err(first) = self.stream.lengths.check(record.wire()) {
            self.refused.get_or_insert(Refused { first, count: 0 }).count += 1;
        } else if self.resent.left() > 0 {
            self.resent.take(record.wire()).map_err(|error| status::of(&error))?;
            self.digest = self.resent.digest();
        } else {
            self.filling.push(record.wire());
        }
        Ok(())
    }

    fn append(&mut self) -> Option<Appending<'a>> {
        if self.filling.is_empty() {
            return None;
        }
        let (first, before, chunks) = (self.place, self.digest, self.filling.take());
        self.place += chunks.iter().map(|chunk| u64::from(chunk.count)).sum::<u64>();
        self.digest = chunks.iter().fold(before, |before, chunk| chunk.digest(before));
        let (stream, batch) = (self.stream.clone(), self.batch.clone());
        Some(Box::pin(stream.append(batch, first, before, chunks)))
    }

    async fn finish(&self, appending: Option<Appending<'_>>) -> Result<(), Status> {
        match appending {
            Some(append) => append.await.map_err(|error| self.refusal(error)),
            None => Ok(()),
        }
    }

    /// What the sender is told.
    fn refusal(&self, error: Error) -> Status {
        status::of(&self.resent.narrow(error))
    }
}

fn too_many(max: u64) -> Status {
    Status::failed_precondition(format!(
        "a stream may have {max} records; send the others as another batch"
    ))
}

/// To be tried again: whoever has records by then goes on from where the batch is.
fn idle(max: Duration) -> Status {
    Status::unavailable(format!("no record came for {max:?}; resume the batch"))
}

impl Stream<'_> {
    /// Appends those of the records that the batch does not have: another stream may send the
    /// same.
    async fn append(
        self,
        batch: BatchId,
        mut first: u64,
        mut before: ContentDigest,
        mut chunks: Vec<Filled>,
    ) -> Result<(), Error> {
        self.wait_for_rate(&batch, chunks.iter().map(|chunk| chunk.count).sum()).await;
        while !chunks.is_empty() {
            let (span, trace) = chunk::begin(&batch, first, self.trace);
            let new = filling::in_a_row(first, before, &chunks, trace.as_ref());
            let Appended::Behind { received } =
                self.append_when_there_is_room(&batch, &new).instrument(span).await?
            else {
                break;
            };
            if received <= first {
                return Err(Error::Gap { batch, received, place: first });
            }
            filling::skip(&mut chunks, &mut before, received - first);
            first = received;
        }
        Ok(())
    }

    /// Waits until the sender may send so many records more.
    async fn wait_for_rate(&self, batch: &BatchId, records: u32) {
        let Some(rate) = self.principal.as_ref().and_then(|principal| principal.rate()) else {
            return;
        };
        let mut next_sign = Instant::now() + self.sign_interval();
        while let Err(pause) = rate.take(records) {
            tokio::time::sleep(pause.min(self.sign_interval())).await;
            if Instant::now() >= next_sign {
                self.sign(batch).await;
                next_sign = Instant::now() + self.sign_interval();
            }
        }
    }

    /// Appends chunks, as soon as the queue takes them.
    async fn append_when_there_is_room(
        &self,
        batch: &BatchId,
        new: &[NewChunk],
    ) -> Result<Appended, Error> {
        let mut next_sign = Instant::now() + self.sign_interval();
        loop {
            let error = match chunk::append(self.queue, batch, new).await {
                Err(error) => chunk::or_too_large(self.queue, batch, error).await,
                appended => return appended,
            };
            match error {
                Error::Full { .. } | Error::OutOfMemory { .. } => {
                    tracing::debug!(%batch, %error, "waiting");
                }
                error => return Err(error),
            }
            tokio::time::sleep(status::FULL_PAUSE).await;
            if Instant::now() >= next_sign {
                self.sign(batch).await;
                next_sign = Instant::now() + self.sign_interval();
            }
        }
    }

    /// How long it is waited for a record until something else has to be done.
    fn patience(&self) -> Duration {
        self.sign_interval().min(self.limits.idle_max)
    }

    fn sign_interval(&self) -> Duration {
        self.options
            .deadline
            .map_or(Duration::from_secs(3600), |deadline| deadline.after / SIGNS_PER_DEADLINE)
    }

    /// Says that the batch is not abandoned, which puts its deadline off. When it fails there is
    /// time for another sign.
    async fn sign(&self, batch: &BatchId) {
        if let Err(error) = self.queue.open(batch, &self.options).await {
            tracing::debug!(%batch, %error, "no sign of life");
        }
    }
}
