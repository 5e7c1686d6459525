//! `muster-worker`: leases chunks, processes their records, commits, and writes the roll.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    muster_worker::cli::main("muster-worker", |config| Arc::new(config.pipeline()))
}
