//! What makes a chunk: its bounds, and those of a record in it; and how chunks get into the queue.

use std::time::Instant;

use muster_program::traces::{self, Trace};
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::{Appended, BatchId, NewChunk, Queue};
use tracing::Span;

use crate::metrics;

/// The most records in a chunk.
const RECORDS_MAX: u32 = 256;
/// A chunk is full from here on, in bytes. The last record may lie beyond.
const BYTES_FULL: usize = 64 << 10;
/// The longest record, in bytes on the wire.
const RECORD_BYTES_MAX: usize = 1 << 20;

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

/// Refuses a record that is too long to be queued.
pub(crate) fn check(wire: &[u8]) -> Result<(), TooLong> {
    match wire.len() {
        len if len > RECORD_BYTES_MAX => {
            Err(TooLong { id: User::read(wire).map(|user| user.id).unwrap_or_default(), len })
        }
        _ => Ok(()),
    }
}

/// A record that is too long.
#[derive(Debug, thiserror::Error)]
#[error("the record with id {id} has {len} bytes; the most is {RECORD_BYTES_MAX}")]
pub(crate) struct TooLong {
    id: i32,
    len: usize,
}
