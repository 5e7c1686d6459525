//! `muster`: all of Muster in one process.

mod run;
mod scratch;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use muster_program::exit;

/// Gathers user records and writes one complete roll, in one process.
#[derive(Parser)]
#[command(name = "muster", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Do the whole job, from files to the roll, and end
    Run(run::Run),
    /// Run a server and workers, and stay
    Up(up::Up),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(command) => run::run(&command),
        Command::Up(command) => up::run(&command),
    };
    exit::report("muster", result)
}
