//! `muster-client`: sends the records of JSON files, and operates the server's batches.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use muster_client::command;
use muster_program::{exit, packaging, resources};

/// Sends user records to a Muster server, and looks after them
#[derive(Parser)]
#[command(name = "muster-client", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Client(Box<command::Command>),
    #[command(flatten)]
    Packaging(packaging::Command),
}

fn main() -> ExitCode {
    resources::limit();
    let result = match Cli::parse().command {
        Command::Client(command) => command::run(&command),
        Command::Packaging(command) => command.run(Cli::command()),
    };
    exit::report("muster-client", result)
}
