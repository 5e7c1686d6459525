//! What the server measures. Every metric is declared here, and named nowhere else.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use ::metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use muster_queue::{NewChunk, Persistence, StoreInfo};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Code;

const CALLS: &str = "muster_rpc_seconds";
const ENQUEUE: &str = "muster_enqueue_seconds";
const CHUNKS: &str = "muster_chunks_accepted_total";
const RECORDS: &str = "muster_records_accepted_total";
const WORKERS: &str = "muster_store_workers";
const ROLL_FAILING: &str = "muster_roll_failing_processes";
const STORE_USED: &str = "muster_store_used_bytes";
const STORE_LIMIT: &str = "muster_store_limit_bytes";
const STORE_PERSISTENCE: &str = "muster_store_persistence";

/// The label of calls to methods that are not ours: a caller can name any.
const OTHER: &str = "other";
/// How many gRPC codes there are.
const CODES: usize = Code::Unauthenticated as usize + 1;

/// What is measured. It goes nowhere in a program that has not begun to record by then.
struct Metrics {
    /// By path, as calls name their methods.
    methods: HashMap<String, Method>,
    other: Method,
    enqueue: Histogram,
    chunks: Counter,
    records: Counter,
}

/// The calls to a method.
#[derive(Debug)]
pub(crate) struct Method {
    name: String,
    /// By code, from its first use on.
    by_code: [OnceLock<Histogram>; CODES],
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    describe_histogram!(
        CALLS,
        Unit::Seconds,
        "How long calls took until they were answered, by method and gRPC code."
    );
    describe_histogram!(
        ENQUEUE,
        Unit::Seconds,
        "How long the store took to accept chunks, as durable as asked for, by those that went together."
    );
    describe_counter!(CHUNKS, Unit::Count, "Chunks that the store has accepted.");
    describe_counter!(RECORDS, Unit::Count, "Records in these chunks.");
    describe_gauge!(
        WORKERS,
        Unit::Count,
        "Workers that the store knows: of processes that are running, or were lost."
    );
    describe_gauge!(
        ROLL_FAILING,
        Unit::Count,
        "Processes that run workers and cannot write the roll."
    );
    describe_gauge!(
        STORE_USED,
        Unit::Bytes,
        "The memory that the store uses, or the size of its file."
    );
    describe_gauge!(STORE_LIMIT, Unit::Bytes, "How much it may use; 0 if it has no limit.");
    describe_gauge!(
        STORE_PERSISTENCE,
        Unit::Count,
        "What the store writes to its disk: 1 for the kind that it is, and 0 for the others."
    );
    let named = |path: String| (format!("/{path}"), Method::new(path));
    Metrics {
        methods: method_paths().into_iter().map(named).collect(),
        other: Method::new(OTHER.to_owned()),
        enqueue: histogram!(ENQUEUE),
        chunks: counter!(CHUNKS),
        records: counter!(RECORDS),
    }
});

/// Says how many workers the store knows.
pub(crate) fn workers(running: u32, lost: u32) {
    gauge!(WORKERS, "state" => "running").set(running);
    gauge!(WORKERS, "state" => "lost").set(lost);
}

/// Says how many processes cannot write the roll.
pub(crate) fn roll(failing: u32) {
    gauge!(ROLL_FAILING).set(failing);
}

/// Says what the store is like.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn store(info: &StoreInfo) {
    gauge!(STORE_USED).set(info.used_bytes as f64);
    gauge!(STORE_LIMIT).set(info.limit_bytes as f64);
    for kind in Persistence::KINDS {
        let is_it = kind == info.persistence.kind();
        gauge!(STORE_PERSISTENCE, "kind" => kind).set(u8::from(is_it));
    }
}

/// Declares all, so that what has not happened yet is known to be zero.
pub(crate) fn declare() {
    LazyLock::force(&METRICS);
}

/// Counts chunks that went together, and that the store took so long to accept.
pub(crate) fn accepted(chunks: &[NewChunk], took: Duration) {
    METRICS.enqueue.record(took);
    METRICS.chunks.increment(chunks.len() as u64);
    METRICS.records.increment(chunks.iter().map(|chunk| u64::from(chunk.count)).sum());
}

/// The method of this path.
pub(crate) fn method(path: &str) -> &'static Method {
    METRICS.methods.get(path).unwrap_or(&METRICS.other)
}

impl Method {
    fn new(name: String) -> Self {
        Self { name, by_code: Default::default() }
    }

    /// Its service and itself, or `other`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Counts a call that ended with this code after so long.
    pub(crate) fn ended(&self, code: Code, took: Duration) {
        let histogram = self.by_code[code as usize].get_or_init(
            || histogram!(CALLS, "method" => self.name.clone(), "code" => format!("{code:?}")),
        );
        histogram.record(took);
    }
}

/// Every method of the two packages, as `service/method`.
pub(crate) fn method_paths() -> Vec<String> {
    // They are compiled in; the reflection service reads them first, and reports what is wrong.
    let files = FileDescriptorSet::decode(muster_proto::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut paths = Vec::new();
    for file in &files.file {
        for service in &file.service {
            let package = file.package.as_deref().filter(|package| !package.is_empty());
            let package = package.map(|package| format!("{package}.")).unwrap_or_default();
            let path = |method| format!("{package}{}/{method}", service.name());
            paths.extend(service.method.iter().map(|method| path(method.name())));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_known_by_its_path_and_any_other_is_one_of_the_others() {
        for known in ["Users/SendUserInfo", "muster.v1.Batches/GetBatch"] {
            assert_eq!(method(&format!("/{known}")).name, known);
        }
        assert_eq!(method("/Users/Nothing").name, OTHER);
    }
}
