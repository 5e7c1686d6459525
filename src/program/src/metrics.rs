//! What a program measures, kept for those who ask for it, and what is measured of every program.
//!
//! Each crate declares its own metrics in a file of this name, by the crate `metrics`. What is
//! measured in a program that has not called [`start`] goes nowhere, at next to no cost.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use crate::shutdown::Shutdown;

const BUILD_INFO: &str = "muster_build_info";
const START_TIME: &str = "muster_start_time_seconds";
const READY: &str = "muster_ready";
const RELOADS: &str = "muster_reloads_total";

/// The upper bounds of the buckets of every histogram, in seconds: from a step of a store in memory
/// to a batch that waited for half an hour.
const BUCKETS_SECONDS: [f64; 18] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0, 60.0, 300.0, 1800.0,
];
/// How often what was measured is added up: what has come since is kept one by one.
const ADD_UP_INTERVAL: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to record, before anything is measured. `program` says what it is called, and its version.
///
/// # Errors
///
/// Something else records in this process already.
pub fn start(program: &clap::Command) -> Result<(), BuildError> {
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS)?.install_recorder()?;
    RECORDER.get_or_init(|| recorder);
    describe_gauge!(BUILD_INFO, Unit::Count, "Always 1; the labels say what runs.");
    describe_gauge!(START_TIME, Unit::Seconds, "When the program was started, since 1970.");
    describe_gauge!(READY, Unit::Count, "Whether the program is ready: 1, or 0.");
    let name = program.get_name().to_owned();
    let version = program.get_version().unwrap_or_default().to_owned();
    gauge!(BUILD_INFO, "program" => name, "version" => version).set(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!(START_TIME).set(now);
    ready(false);
    Ok(())
}

/// Says whether the program is ready.
pub(crate) fn ready(is_ready: bool) {
    gauge!(READY).set(u8::from(is_ready));
}

/// Declares the reloads of these kinds of files.
pub fn declare_reloads(files: &[&'static str]) {
    describe_counter!(
        RELOADS,
        Unit::Count,
        "How often files were read again, because they had changed or at SIGHUP: taken, or refused."
    );
    for file in files {
        for outcome in ["taken", "refused"] {
            counter!(RELOADS, "file" => *file, "outcome" => outcome).absolute(0);
        }
    }
}

/// Counts a reload.
pub(crate) fn reloaded(file: &'static str, taken: bool) {
    let outcome = if taken { "taken" } else { "refused" };
    counter!(RELOADS, "file" => file, "outcome" => outcome).increment(1);
}

/// Adds up what is measured, also while nobody asks for it, until the shutdown begins.
pub(crate) fn keep(shutdown: &Shutdown) {
    let Some(recorder) = RECORDER.get() else { return };
    let ending = shutdown.token();
    shutdown.spawn(ending.run_until_cancelled_owned(async {
        loop {
            tokio::time::sleep(ADD_UP_INTERVAL).await;
            recorder.run_upkeep();
        }
    }));
}

/// All that was measured, as Prometheus reads it. Nothing if nothing is recorded.
pub(crate) fn render() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}
