//! What is measured in a run, by name.

use std::collections::BTreeMap;

/// Figures by their names. Times are in seconds, times a record in microseconds, sizes in bytes.
pub(crate) type Figures = BTreeMap<String, f64>;

/// Records a second until every one is stored; of what stores nothing, until every one is answered;
/// beside a queue, the mean of those that come and those that are worked off.
pub(crate) const RATE: &str = "rate";
/// Records a second until every one is answered.
pub(crate) const ACCEPTED_RATE: &str = "accepted_rate";
/// From the first record's sending until every one is in the roll.
pub(crate) const ROLL_SECONDS: &str = "roll_seconds";
/// How many records were sent.
pub(crate) const RECORDS: &str = "records";
/// How long a record is on the wire.
pub(crate) const RECORD_BYTES: &str = "record_bytes";
/// What Redis was sent, a record.
pub(crate) const REDIS_INPUT_BYTES: &str = "redis_input_bytes";
/// By how much Redis' memory grew, a record that waits.
pub(crate) const REDIS_MEMORY_BYTES: &str = "redis_memory_bytes";
/// How many processors were busy, on average, with what is no part of the run.
pub(crate) const FOREIGN: &str = "foreign";
/// How long half of the calls took, or less; in microseconds.
pub(crate) const P50: &str = "p50";
/// The same of 99 in 100.
pub(crate) const P99: &str = "p99";
/// The same of 999 in 1000.
pub(crate) const P999: &str = "p999";
/// Records a second that were worked off while others came.
pub(crate) const WORKED_OFF_RATE: &str = "worked_off_rate";
/// Calls a second that were to be made.
pub(crate) const OFFERED_RATE: &str = "offered_rate";
/// How long something took; of several times, the median.
pub(crate) const SECONDS: &str = "seconds";
/// The longest of several times.
pub(crate) const LONGEST_SECONDS: &str = "longest_seconds";
/// Commands that Redis carried out, a second; those in scripts are commands too.
pub(crate) const COMMANDS_PER_SECOND: &str = "commands_per_second";
/// How often Redis read from a connection, a second: round trips.
pub(crate) const READS_PER_SECOND: &str = "reads_per_second";

/// What a part (`client`, `server`, `workers`, `redis`) had in memory at its peak; the largest of
/// its processes.
pub(crate) fn peak(part: &str) -> String {
    format!("{part}_peak")
}

/// Processor time of a part, a record; of all its processes.
pub(crate) fn cpu(part: &str) -> String {
    format!("{part}_cpu")
}

/// How much of a processor a part used while it had nothing to do, from 0 to 1.
pub(crate) fn share(part: &str) -> String {
    format!("{part}_share")
}

/// What a part had in memory while it had nothing to do, before it had had anything.
pub(crate) fn resident(part: &str) -> String {
    format!("{part}_resident")
}

/// The same after it had had much.
pub(crate) fn resident_after(part: &str) -> String {
    format!("{part}_resident_after")
}
