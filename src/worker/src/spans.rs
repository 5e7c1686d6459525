//! The spans of a worker: one for a chunk that is processed, for its commit, and for a batch that
//! is written.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_program::traces::{self, Trace};
use muster_queue::{BatchId, Chunk};
use tracing::Span;

/// How many batches the latest commit is known of.
const COMMITTED_MAX: usize = 256;

/// The latest commits of this process, by batch; those that were begun last are at the end. The
/// store does not say what trace a batch is of.
static COMMITTED: Mutex<VecDeque<(BatchId, Trace)>> = Mutex::new(VecDeque::new());

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

/// Begins to commit a chunk: the roll of its batch follows from the latest commit.
pub(crate) fn commit(chunk: &Chunk) -> Span {
    let parent = parent(chunk);
    let span = of_chunk!("commit", chunk, parent);
    if let Some(own) = traces::join(&span, parent) {
        remember(&chunk.batch, own);
    }
    span
}

/// Begins to write a batch into the roll.
pub(crate) fn write_roll(batch: &BatchId) -> Span {
    let parent = latest_commit(batch);
    let span = tracing::info_span!("write roll", %batch, trace = traces::field(parent));
    traces::join(&span, parent);
    span
}

/// The trace of a chunk, if it has one.
fn parent(chunk: &Chunk) -> Option<Trace> {
    chunk.trace.as_deref()?.parse().ok()
}

fn remember(batch: &BatchId, commit: Trace) {
    let mut committed = committed();
    // A batch that is under way is among the last.
    if let Some((_, latest)) = committed.iter_mut().rev().find(|(of, _)| of == batch) {
        *latest = commit;
        return;
    }
    if committed.len() == COMMITTED_MAX {
        committed.pop_front();
    }
    committed.push_back((batch.clone(), commit));
}

fn latest_commit(batch: &BatchId) -> Option<Trace> {
    committed().iter().rev().find(|(of, _)| of == batch).map(|(_, commit)| *commit)
}

fn committed() -> MutexGuard<'static, VecDeque<(BatchId, Trace)>> {
    // It is whole after every step.
    COMMITTED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(span: usize) -> Trace {
        format!("00-0af7651916cd43dd8448eb211c80319c-{span:016x}-01").parse().unwrap()
    }

    fn batch(number: usize) -> BatchId {
        format!("b-{number}").parse().unwrap()
    }

    #[test]
    fn the_latest_commits_are_remembered_and_old_ones_forgotten() {
        assert_eq!(latest_commit(&batch(0)), None);
        for number in 0..COMMITTED_MAX {
            remember(&batch(number), trace(number + 1));
        }
        remember(&batch(0), trace(7777));
        assert_eq!(latest_commit(&batch(0)), Some(trace(7777)));
        remember(&batch(COMMITTED_MAX), trace(1));
        assert_eq!(latest_commit(&batch(0)), None, "the first to come is the first to go");
        assert_eq!(latest_commit(&batch(1)), Some(trace(2)));
        assert_eq!(committed().len(), COMMITTED_MAX);
    }
}
