//! `muster-worker`: leases chunks, processes their records, commits, and writes the roll.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use muster_program::daemon::{self, ConfigFlags};
use muster_worker::RollFailure;
use muster_worker::config::Config;
use serde::Serialize;

/// Leases chunks of records, processes them, commits, and writes the roll.
#[derive(Parser)]
#[command(name = "muster-worker", version)]
struct Cli {
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(clap::Args, Serialize)]
struct Flags {
    /// The store: redis://HOST:PORT, rediss://HOST:PORT or file:PATH [default:
    /// redis://127.0.0.1:6379]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The folder of the roll, shared by all workers of the store [default: the working folder]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<PathBuf>,
    /// How many workers this process runs [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u16>,
    /// The log's level, or a filter such as info,muster_queue=trace [default: info]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    daemon::main("muster-worker", &cli.config, &cli.settings, async |config: Config, shutdown| {
        let queue = config.store.open().await?;
        tracing::info!(store = %config.store, "starting");
        let processor = Arc::new(config.pipeline());
        Ok(muster_worker::run(queue, &config, processor, RollFailure::TryAgain, &shutdown).await?)
    })
}
