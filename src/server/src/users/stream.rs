//! A client stream: its records become chunks of one batch, and its end seals the batch.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use muster_proto::chunk::{Decoder, Encoder};
use muster_proto::users::UserRequest;
use muster_queue::{Appended, Batch, BatchId, Error, NewChunk, Places, Queue};
use tonic::{Status, Streaming};

use super::chunk;
use crate::status;

/// Receives one stream.
pub(super) struct Receiver<'a> {
    queue: &'a dyn Queue,
    batch: BatchId,
    /// How many of the stream's records the batch has already.
    to_skip: u64,
    /// The place of the next record that is not skipped.
    place: u64,
    chunk: Encoder,
    refused: Option<Refused>,
}

/// Records that were not taken, while the others were.
#[derive(Debug)]
pub(super) struct Refused {
    first: chunk::TooLong,
    count: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, count } = self;
        write!(f, "{count} records were refused, the others are accepted; the first: {first}")
    }
}

type Appending<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl<'a> Receiver<'a> {
    /// Receives a stream whose first record is at `place` of the batch.
    ///
    /// # Errors
    ///
    /// [`Error::Gap`] when the batch does not reach up to `place`.
    pub(super) fn new(queue: &'a dyn Queue, batch: Batch, place: u64) -> Result<Self, Error> {
        let Batch { id, received, .. } = batch;
        let Some(to_skip) = received.checked_sub(place) else {
            return Err(Error::Gap { batch: id, received, place });
        };
        let chunk = Encoder::default();
        Ok(Self { queue, batch: id, to_skip, place: received, chunk, refused: None })
    }

    /// Receives all of it. While one chunk is being appended the next one fills; when that is
    /// full as well the stream is not read, which slows its sender down.
    ///
    /// # Errors
    ///
    /// The stream breaks off, or the store fails: what was appended stays, for the sender to go
    /// on from.
    pub(super) async fn receive(
        mut self,
        mut records: Streaming<UserRequest>,
    ) -> Result<Option<Refused>, Status> {
        let mut appending: Option<Appending<'a>> = None;
        loop {
            let next = if chunk::is_full(&self.chunk) {
                None
            } else if let Some(append) = &mut appending {
                // Both are cancel-safe: a stream gives a record or not, and the append goes on
                // where it was.
                tokio::select! {
                    next = records.next() => Some(next),
                    appended = append => {
                        appended.map_err(|error| status::of(&error))?;
                        appending = None;
                        continue;
                    }
                }
            } else if self.chunk.is_empty() {
                Some(records.next().await)
            } else {
                // What has arrived goes into the chunk; the chunk goes out when no more has.
                records.next().now_or_never()
            };
            match next {
                Some(Some(record)) => self.take(&record?),
                Some(None) => break,
                None => {
                    finish(appending.take()).await?;
                    appending = self.append_chunk();
                }
            }
        }
        finish(appending).await?;
        finish(self.append_chunk()).await?;
        // The records of a call that was cancelled end as well. Such a call is dropped when it
        // next waits: here at the latest, so that what it began is not sealed.
        tokio::task::yield_now().await;
        let sealed = self.queue.seal(&self.batch, Some(self.place - self.to_skip)).await;
        sealed.map_err(|error| status::of(&error))?;
        Ok(self.refused)
    }

    fn take(&mut self, record: &UserRequest) {
        if let Err(first) = chunk::check(record) {
            self.refused.get_or_insert(Refused { first, count: 0 }).count += 1;
        } else if self.to_skip > 0 {
            self.to_skip -= 1;
        } else {
            self.chunk.push(record);
        }
    }

    fn append_chunk(&mut self) -> Option<Appending<'a>> {
        if self.chunk.is_empty() {
            return None;
        }
        let (first, count) = (self.place, self.chunk.count());
        self.place += u64::from(count);
        Some(Box::pin(append(self.queue, self.batch.clone(), first, count, self.chunk.take())))
    }
}

async fn finish(appending: Option<Appending<'_>>) -> Result<(), Status> {
    match appending {
        Some(append) => append.await.map_err(|error| status::of(&error)),
        None => Ok(()),
    }
}

/// Appends those of the records that the batch does not have: another stream may send the same.
async fn append(
    queue: &dyn Queue,
    batch: BatchId,
    mut first: u64,
    mut count: u32,
    mut payload: Bytes,
) -> Result<(), Error> {
    while count > 0 {
        let chunk = NewChunk { places: Places::From(first), count, payload: payload.clone() };
        let Appended::Behind { received } = queue.append(&batch, &chunk).await? else {
            break;
        };
        if received <= first {
            return Err(Error::Gap { batch, received, place: first });
        }
        let mut rest = Decoder::new(payload);
        while first < received && count > 0 && rest.next_raw().is_some() {
            first += 1;
            count -= 1;
        }
        payload = rest.rest();
    }
    Ok(())
}
