//! `muster`: all of Muster in one process.

mod roll_files;
mod run;
mod scratch;
mod token;
mod up;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use muster_program::{exit, packaging, resources};

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
    Up(Box<up::Up>),
    /// Prove that a roll has every record of its inputs once
    Verify(verify::Verify),
    /// Make the tokens by which a server knows who calls
    #[command(subcommand)]
    Token(token::Command),
    #[command(flatten)]
    Packaging(packaging::Command),
}

fn main() -> ExitCode {
    resources::limit();
    let result = match Cli::parse().command {
        Command::Run(command) => run::run(&command),
        Command::Up(command) => up::run(&command),
        Command::Verify(command) => verify::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Packaging(command) => command.run(Cli::command()),
    };
    exit::report("muster", result)
}
