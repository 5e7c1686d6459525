//! The spans of a worker: one for a chunk that is processed, for its commit, and for a batch that
//! is written.

use muster_program::traces::{self, Trace};
use muster_queue::{Batch, Chunk};
use tracing::Span;

macro_rules! of_chunk {
    ($name:literal, $chunk:expr, $parent:expr) => {{
        let Chunk { lease, batch, first, history, .. } = $chunk;
        tracing::info_span!(
            $name,
            %batch,
            chunk = first,
            attempt = history.failures + 1,
            worker = %lease.worker,
            trace = traces::field($parent),
        )
    }};
}

/// Begins to process a chunk: what becomes of it follows from the span.
pub(crate) fn process(chunk: &mut Chunk) -> Span {
    let parent = parent(chunk);
    let span = of_chunk!("process", chunk, parent);
    let own = traces::join(&span, parent);
    if own != parent {
        chunk.trace = own.map(|own| own.to_string());
    }
    span
}

/// Begins to commit a chunk.
pub(crate) fn commit(chunk: &Chunk) -> Span {
    let parent = parent(chunk);
    let span = of_chunk!("commit", chunk, parent);
    traces::join(&span, parent);
    span
}

/// Begins to write a batch into the roll: that follows from the first of its chunks.
pub(crate) fn write_roll(batch: &Batch) -> Span {
    let parent = batch.trace.as_deref().and_then(|trace| trace.parse().ok());
    let span = tracing::info_span!("write roll", batch = %batch.id, trace = traces::field(parent));
    traces::join(&span, parent);
    span
}

/// The trace of a chunk, if it has one.
fn parent(chunk: &Chunk) -> Option<Trace> {
    chunk.trace.as_deref()?.parse().ok()
}
