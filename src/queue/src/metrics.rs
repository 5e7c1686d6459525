//! What this crate measures. Every metric is declared here, and named nowhere else.

use std::sync::LazyLock;
use std::time::Duration;

use ::metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

use crate::{Error, Result, Stats};

const RECORDS: &str = "muster_queue_records";
const BYTES: &str = "muster_queue_bytes";
const OLDEST: &str = "muster_queue_oldest_seconds";
const LEASED: &str = "muster_queue_leased_chunks";
const PAUSED: &str = "muster_queue_paused";
const DEAD_LETTERS: &str = "muster_dead_letters";
const HELD: &str = "muster_held_batches";
const UNWRITTEN: &str = "muster_roll_unwritten_batches";
const UNWRITTEN_FOR: &str = "muster_roll_unwritten_seconds";
const WAIT: &str = "muster_queue_wait_seconds";
const ROUND_TRIPS: &str = "muster_store_round_trips_total";
const ERRORS: &str = "muster_store_errors_total";

/// What is measured while the store is used. It goes nowhere in a program that has not begun to
/// record by the first use.
struct Metrics {
    wait: Histogram,
    round_trips: Counter,
    unavailable: Counter,
    misconfigured: Counter,
    full: Counter,
    corrupt: Counter,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    describe_gauge!(
        RECORDS,
        Unit::Count,
        "Records that are not committed, by priority; isolated ones apart."
    );
    describe_gauge!(BYTES, Unit::Bytes, "The bytes of these records.");
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "How long the oldest chunk has been in line; 0 when none is."
    );
    describe_gauge!(LEASED, Unit::Count, "Chunks that workers have in hand.");
    describe_gauge!(
        PAUSED,
        Unit::Count,
        "Whether workers take nothing, as somebody said so: 1, or 0."
    );
    describe_gauge!(DEAD_LETTERS, Unit::Count, "Dead letters that nobody has replayed or dropped.");
    describe_gauge!(
        HELD,
        Unit::Count,
        "Sealed batches that wait for nothing but for their dead letters to be replayed or dropped."
    );
    describe_gauge!(UNWRITTEN, Unit::Count, "Batches that are complete and not in the roll yet.");
    describe_gauge!(
        UNWRITTEN_FOR,
        Unit::Seconds,
        "How long the first of these batches has been complete; 0 if all are written."
    );
    describe_histogram!(
        WAIT,
        Unit::Seconds,
        "How long chunks had been in line when they were first leased."
    );
    describe_counter!(ROUND_TRIPS, Unit::Count, "What the store was asked, and answered or not.");
    describe_counter!(ERRORS, Unit::Count, "How often the store did not do it, by kind.");
    Metrics {
        wait: histogram!(WAIT),
        round_trips: counter!(ROUND_TRIPS),
        unavailable: counter!(ERRORS, "kind" => "unavailable"),
        misconfigured: counter!(ERRORS, "kind" => "misconfigured"),
        full: counter!(ERRORS, "kind" => "full"),
        corrupt: counter!(ERRORS, "kind" => "corrupt"),
    }
});

/// Counts a round trip to the store, and the error that came of it.
pub(crate) fn counted<T>(answer: Result<T>) -> Result<T> {
    METRICS.round_trips.increment(1);
    match &answer {
        Err(Error::Unavailable { .. }) => METRICS.unavailable.increment(1),
        Err(Error::Misconfigured { .. }) => METRICS.misconfigured.increment(1),
        Err(Error::OutOfMemory { .. }) => METRICS.full.increment(1),
        Err(Error::Corrupt { .. }) => METRICS.corrupt.increment(1),
        _ => {}
    }
    answer
}

/// Measures how long a chunk had been in line when it was leased.
pub(crate) fn waited(in_line: Duration) {
    METRICS.wait.record(in_line);
}

/// Measures what waits, and whether anything is taken.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub fn measure(stats: &Stats) {
    for (name, line) in stats.lines() {
        gauge!(RECORDS, "priority" => name).set(line.depth.records as f64);
        gauge!(BYTES, "priority" => name).set(line.depth.bytes as f64);
        gauge!(OLDEST, "priority" => name).set(line.oldest.unwrap_or_default());
    }
    gauge!(LEASED).set(stats.leased as f64);
    gauge!(PAUSED).set(u8::from(stats.controls.paused));
    gauge!(DEAD_LETTERS).set(stats.dead_letters as f64);
    gauge!(HELD).set(stats.held as f64);
    gauge!(UNWRITTEN).set(stats.unwritten.batches as f64);
    gauge!(UNWRITTEN_FOR).set(stats.unwritten.oldest.unwrap_or_default());
}
