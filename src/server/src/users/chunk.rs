//! What makes a chunk: its bounds, and those of a record in it; and how chunks get into the queue.

use std::time::Instant;

use muster_program::traces::{self, Trace};
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::{Appended, BatchId, Error, NewChunk, Queue};
use tracing::Span;

use crate::metrics;

/// The most records in a chunk.
const RECORDS_MAX: u32 = 256;
/// A chunk is full from here on, in bytes. The last record may lie beyond.
const BYTES_FULL: usize = 64 << 10;

/// Whether a chunk takes no more records.
pub(super) fn is_full(chunk: &Encoder) -> bool {
    chunk.count() >= RECORDS_MAX || chunk.len() >= BYTES_FULL
}

/// Begins to append chunks, the first of which begins at `first`. Returns the span, and the trace
/// that the chunks are given: what becomes of them follows from the span.
pub(super) fn begin(batch: &BatchId, first: u64, parent: Option<Trace>) -> (Span, Option<String>) {
    let span = tracing::info_span!(
        "append",
        %batch,
        chunk = first,
        trace = traces::field(parent),
    );
    let own = traces::join(&span, parent);
    (span, own.map(|own| own.to_string()))
}

/// Appends chunks together, and measures it.
///
/// # Errors
///
/// Those of [`Queue::append`].
pub(super) async fn append(
    queue: &dyn Queue,
    batch: &BatchId,
    chunks: &[NewChunk],
) -> muster_queue::Result<Appended> {
    let began = Instant::now();
    let appended = queue.append(batch, chunks).await;
    if let Ok(Appended::Accepted) = appended {
        metrics::accepted(chunks, began.elapsed());
    }
    appended
}

/// The error, or [`Error::TooLarge`] in place of [`Error::OutOfMemory`] if the batch alone fills the store.
pub(super) async fn or_too_large(queue: &dyn Queue, batch: &BatchId, error: Error) -> Error {
    match error {
        Error::OutOfMemory { .. } => match queue.outgrown(batch).await {
            Ok(Some(outgrown)) => Error::TooLarge { batch: batch.clone(), outgrown },
            _ => error,
        },
        error => error,
    }
}

/// How long a record may be, and each of its fields, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) record_max: usize,
    pub(crate) field_max: usize,
}

impl Lengths {
    /// Refuses a record that is too long to be queued.
    pub(crate) fn check(self, wire: &[u8]) -> Result<(), TooLong> {
        // A field is shorter than its record: most records need not be looked at again.
        if wire.len() <= self.record_max.min(self.field_max) {
            return Ok(());
        }
        let user = User::read(wire).unwrap_or_default();
        if wire.len() > self.record_max {
            let (len, max) = (wire.len(), self.record_max);
            return Err(TooLong::Record { id: user.id, len, max });
        }
        let too_long = user.named_texts().find(|(_, text)| text.len() > self.field_max);
        match too_long {
            Some((field, text)) => {
                let (len, max) = (text.len(), self.field_max);
                Err(TooLong::Field { id: user.id, field, len, max })
            }
            None => Ok(()),
        }
    }
}

/// A record that is too long.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TooLong {
    #[error("the record with id {id} has {len} bytes; the most is {max}")]
    Record { id: i32, len: usize, max: usize },
    #[error("the field `{field}` of the record with id {id} has {len} bytes; the most is {max}")]
    Field { id: i32, field: &'static str, len: usize, max: usize },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(agent: &str) -> Vec<u8> {
        let mut wire = Vec::new();
        User { id: 7, agent, ..User::default() }.write(&mut wire);
        wire
    }

    #[test]
    fn a_record_or_a_field_that_is_too_long_is_named() {
        let lengths = Lengths { record_max: 100, field_max: 10 };
        let said = |agent: &str| lengths.check(&record(agent)).map_err(|error| error.to_string());
        assert_eq!(said("0123456789"), Ok(()));
        assert_eq!(
            said("0123456789a"),
            Err("the field `agent` of the record with id 7 has 11 bytes; the most is 10".to_owned())
        );
        assert_eq!(
            said(&"a".repeat(97)),
            Err("the record with id 7 has 101 bytes; the most is 100".to_owned())
        );
    }
}
