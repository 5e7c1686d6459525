//! `send`: the records of files as one batch.

use std::net::SocketAddr;

use muster_program::flags::{self, ConfigFlags};
use muster_program::{config, exit, traces};
use serde::Serialize;

use super::flags::ServerFlags;
use super::{Ended, batch_id, block_on, failed, usage};
use crate::config::{Config, Mode};
use crate::input::InputFlags;
use crate::send::{self, Job};
use crate::watch::watched;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all accepted (with --wait: all in the roll), \
    1 failed, 2 wrong usage, 3 some records were rejected or are dead letters")]
pub struct Send {
    #[command(flatten)]
    input: InputFlags,
    /// The batch: the same input under the same batch counts once [default: a new one]
    #[arg(long, value_name = "ID", value_parser = batch_id)]
    batch: Option<String>,
    /// Which batches are processed first [default: normal]
    #[arg(long, value_parser = ["high", "normal", "low"])]
    priority: Option<String>,
    /// If records are dead letters: write the others, or nothing until they are replayed or
    /// dropped [default: partial]
    #[arg(long, value_parser = ["partial", "fail"])]
    policy: Option<String>,
    /// Wait until the batch is in the roll
    #[arg(long)]
    wait: bool,
    /// Print one JSON object instead of a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(Debug, clap::Args, Serialize)]
struct Flags {
    /// One client stream, or a unary call for each record [default: stream]
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    /// How many unary calls are under way at once [default: 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    in_flight: Option<u32>,
    /// Where /livez, /readyz and /metrics are served meanwhile [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    #[command(flatten)]
    #[serde(flatten)]
    server: ServerFlags,
    /// Where traces go, by OTLP: http(s)://HOST:PORT [default: nowhere]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<String>,
}

pub(super) fn run(command: &Send) -> Result<u8, Ended> {
    let config: Config =
        config::load(&command.config.sources(), &command.settings).map_err(usage)?;
    if command.config.only_looks() {
        let dump = config::dump(&config).map_err(usage)?;
        command.config.show([dump]).map_err(failed)?;
        return Ok(exit::OK);
    }
    let _telemetry = traces::start("muster-client", &config).map_err(usage)?;
    let job = Job {
        input: command.input.clone(),
        batch: command.batch.clone(),
        priority: command.priority.clone(),
        policy: command.policy.clone(),
        wait: command.wait,
        trace: traces::of_environment(),
    };
    let report = block_on(async {
        let sent = watched(&config, send::send(&config, &job)).await.map_err(failed)?;
        sent.map_err(|error| if error.is_usage() { usage(error) } else { failed(error) })
    })?;
    report.print(command.json).map_err(failed)?;
    report.exit_code().map_err(failed)
}
