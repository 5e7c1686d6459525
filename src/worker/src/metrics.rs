//! What the workers of a process measure. Every metric is declared here, and named nowhere else.

use std::sync::LazyLock;
use std::time::Duration;

use ::metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use muster_queue::{Chunk, Committed, Outcome};

const WORKERS: &str = "muster_workers";
const PROCESSING: &str = "muster_processing_seconds";
const COMMIT: &str = "muster_commit_seconds";
const ROLL: &str = "muster_roll_seconds";
const ROLL_BYTES: &str = "muster_roll_bytes";
const ROLL_FREE: &str = "muster_roll_free_bytes";
const ROLL_FAILURES: &str = "muster_roll_failures_total";
const CHUNKS: &str = "muster_chunks_committed_total";
const RECORDS: &str = "muster_records_committed_total";
const OVERDUE: &str = "muster_batches_overdue_total";
const TAKEN_OVER: &str = "muster_leases_taken_over_total";

/// What is measured. It goes nowhere in a program that has not begun to record by then.
struct Metrics {
    workers: Gauge,
    processing: Histogram,
    commit: Histogram,
    roll: Histogram,
    roll_failures: Counter,
    roll_bytes: Gauge,
    roll_free: Gauge,
    taken: Counter,
    refused: Counter,
    kept: Counter,
    dead: Counter,
    retried: Counter,
    taken_over: Counter,
    overdue: Counter,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    describe_gauge!(WORKERS, Unit::Count, "How many workers this process runs.");
    describe_histogram!(PROCESSING, Unit::Seconds, "How long a chunk took to be processed.");
    describe_histogram!(COMMIT, Unit::Seconds, "How long the store took for a commit.");
    describe_histogram!(ROLL, Unit::Seconds, "How long a batch took to be written into the roll.");
    describe_gauge!(ROLL_BYTES, Unit::Bytes, "The length of the roll.");
    describe_gauge!(
        ROLL_FREE,
        Unit::Bytes,
        "How much room the file system of the roll has; a growth needs as much as the roll has, and more."
    );
    describe_counter!(
        ROLL_FAILURES,
        Unit::Count,
        "How often a check or a writing of the roll failed."
    );
    describe_counter!(
        CHUNKS,
        Unit::Count,
        "Commits by what the store did: taken, or refused as another was first."
    );
    describe_counter!(
        RECORDS,
        Unit::Count,
        "Records in commits that were taken, by what became of them: kept, dead, or retried."
    );
    describe_counter!(
        OVERDUE,
        Unit::Count,
        "Batches that were ended at their deadline, because their sender did not come back."
    );
    describe_counter!(
        TAKEN_OVER,
        Unit::Count,
        "Leases that were taken over from workers that had fallen silent."
    );
    Metrics {
        workers: gauge!(WORKERS),
        processing: histogram!(PROCESSING),
        commit: histogram!(COMMIT),
        roll: histogram!(ROLL),
        roll_failures: counter!(ROLL_FAILURES),
        roll_bytes: gauge!(ROLL_BYTES),
        roll_free: gauge!(ROLL_FREE),
        taken: counter!(CHUNKS, "outcome" => "taken"),
        refused: counter!(CHUNKS, "outcome" => "refused"),
        kept: counter!(RECORDS, "outcome" => "kept"),
        dead: counter!(RECORDS, "outcome" => "dead"),
        retried: counter!(RECORDS, "outcome" => "retried"),
        taken_over: counter!(TAKEN_OVER),
        overdue: counter!(OVERDUE),
    }
});

/// Says how many workers there are, and declares all: what has not happened yet is known to be zero.
pub(crate) fn hired(workers: u16) {
    METRICS.workers.set(workers);
}

/// Measures a chunk that was processed.
pub(crate) fn processed(took: Duration) {
    METRICS.processing.record(took);
}

/// Measures a commit, and counts what it brought.
pub(crate) fn committed(chunk: &Chunk, outcome: &Outcome, committed: Committed, took: Duration) {
    METRICS.commit.record(took);
    if committed == Committed::Refused {
        METRICS.refused.increment(1);
        return;
    }
    let (dead, retried) = (outcome.dead.len() as u64, outcome.retry.len() as u64);
    METRICS.taken.increment(1);
    METRICS.dead.increment(dead);
    METRICS.retried.increment(retried);
    METRICS.kept.increment(u64::from(chunk.count).saturating_sub(dead + retried));
}

/// Counts leases that were taken over.
pub(crate) fn took_over(leases: usize) {
    METRICS.taken_over.increment(leases as u64);
}

/// Counts batches that were ended at their deadline.
pub(crate) fn ended_overdue(batches: usize) {
    METRICS.overdue.increment(batches as u64);
}

/// Says how long the roll is, and how much room there is, in bytes.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn roll_room(bytes: u64, free: u64) {
    METRICS.roll_bytes.set(bytes as f64);
    METRICS.roll_free.set(free as f64);
}

/// Counts a check or a writing of the roll that failed.
pub(crate) fn roll_failed() {
    METRICS.roll_failures.increment(1);
}

/// Measures a batch that was written into the roll.
pub(crate) fn wrote(took: Duration) {
    METRICS.roll.record(took);
}
