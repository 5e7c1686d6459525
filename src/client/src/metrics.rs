//! What a job measures. Every metric is declared here, and named nowhere else.

use std::sync::LazyLock;

use ::metrics::{Counter, Unit, counter, describe_counter};

const READ: &str = "muster_client_records_read_total";
const READ_BYTES: &str = "muster_client_read_bytes_total";
const REJECTED: &str = "muster_client_records_rejected_total";
const REFUSED: &str = "muster_client_records_refused_total";
const ACCEPTED: &str = "muster_client_records_accepted_total";
const RETRIES: &str = "muster_client_retries_total";

/// What is measured. It goes nowhere in a program that has not begun to record by then.
struct Metrics {
    read: Counter,
    read_bytes: Counter,
    rejected: Counter,
    refused: Counter,
    accepted: Counter,
    retries: Counter,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    describe_counter!(READ, Unit::Count, "Records that were read from the input.");
    describe_counter!(READ_BYTES, Unit::Bytes, "Bytes of the input that are done with.");
    describe_counter!(
        REJECTED,
        Unit::Count,
        "Records, and broken stretches of the input, that were not read."
    );
    describe_counter!(REFUSED, Unit::Count, "Records that the server refused.");
    describe_counter!(ACCEPTED, Unit::Count, "Records that the server is known to have accepted.");
    describe_counter!(RETRIES, Unit::Count, "Calls that were made again.");
    Metrics {
        read: counter!(READ),
        read_bytes: counter!(READ_BYTES),
        rejected: counter!(REJECTED),
        refused: counter!(REFUSED),
        accepted: counter!(ACCEPTED),
        retries: counter!(RETRIES),
    }
});

/// Declares all, so that what has not happened yet is known to be zero.
pub(crate) fn declare() {
    LazyLock::force(&METRICS);
}

/// Says how much of the input was read so far.
pub(crate) fn read(records: u64, rejected: u64, bytes: u64) {
    METRICS.read.absolute(records);
    METRICS.rejected.absolute(rejected);
    METRICS.read_bytes.absolute(bytes);
}

/// Says how many records the server has accepted so far.
pub(crate) fn accepted(records: u64) {
    METRICS.accepted.absolute(records);
}

/// Counts a record that the server refused.
pub(crate) fn refused() {
    METRICS.refused.increment(1);
}

/// Counts a call that is made again.
pub(crate) fn retried() {
    METRICS.retries.increment(1);
}
