//! `muster-client`: sends the records of JSON files, and waits for them if asked.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use muster_client::config::{Config, Mode};
use muster_client::report::Report;
use muster_client::send::{self, Job};
use muster_program::daemon::{ConfigFlags, Failure};
use muster_program::{config, exit, logging};
use serde::Serialize;

/// Sends user records to a Muster server.
#[derive(Parser)]
#[command(name = "muster-client", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send the records of JSON and NDJSON files as one batch
    #[command(after_help = "Exit codes: 0 all accepted (with --wait: all in the roll), \
        1 failed, 2 wrong usage, 3 some records were rejected or are dead letters")]
    Send(Send),
}

#[derive(clap::Args)]
struct Send {
    /// Files, folders (their *.json, *.ndjson and *.jsonl), or - for standard input
    #[arg(required_unless_present_any = ["check_config", "dump_config"], value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// The batch: the same input under the same batch counts once [default: a new one]
    #[arg(long, value_name = "ID", value_parser = batch_id)]
    batch: Option<String>,
    /// Which batches are processed first [default: normal]
    #[arg(long, value_parser = ["high", "normal", "low"])]
    priority: Option<String>,
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

#[derive(clap::Args, Serialize)]
struct Flags {
    /// The server [default: http://127.0.0.1:50051]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// One client stream, or a unary call for each record [default: stream]
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    /// How many unary calls are under way at once [default: 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    in_flight: Option<u32>,
    /// How long to try again while nothing gets through [default: 60s]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_for: Option<String>,
    /// The log's level, or a filter [default: warn]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

/// Checks a batch id as the server would, before anything is read or sent.
fn batch_id(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a batch id is 1 to 64 characters of A-Z a-z 0-9 . _ -")
}

fn main() -> ExitCode {
    let Cli { command: Command::Send(command) } = Cli::parse();
    exit::report("muster-client", run(&command))
}

fn run(command: &Send) -> Result<u8, (u8, Failure)> {
    let usage = |error: Failure| (exit::USAGE, error);
    let sources = command.config.sources();
    let config: Config =
        config::load(&sources, &command.settings).map_err(|error| usage(error.into()))?;
    if command.config.only_looks() {
        let dump = config::dump(&config).map_err(|error| usage(error.into()))?;
        command.config.show([dump]).map_err(|error| (exit::FAILURE, error))?;
        return Ok(exit::OK);
    }
    logging::start(&config.log).map_err(|error| usage(error.into()))?;
    let report = send(command, &config)?;
    report.print(command.json).map_err(|error| (exit::FAILURE, error.into()))?;
    Ok(if report.is_whole() { exit::OK } else { exit::INCOMPLETE })
}

fn send(command: &Send, config: &Config) -> Result<Report, (u8, Failure)> {
    let job = Job {
        inputs: command.inputs.clone(),
        batch: command.batch.clone(),
        priority: command.priority.clone(),
        wait: command.wait,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (exit::FAILURE, error.into()))?;
    let sent = runtime.block_on(send::send(config, &job));
    // A reader that waits for standard input is not waited for.
    runtime.shutdown_background();
    sent.map_err(|error| {
        let code = if error.is_usage() { exit::USAGE } else { exit::FAILURE };
        (code, error.into())
    })
}
