//! `muster-client`: sends the records of JSON files, and operates the server's batches.

use std::process::ExitCode;

use clap::Parser;
use muster_client::command::{self, Command};
use muster_program::exit;

/// Sends user records to a Muster server, and looks after them
#[derive(Parser)]
#[command(name = "muster-client", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    exit::report("muster-client", command::run(&Cli::parse().command))
}
