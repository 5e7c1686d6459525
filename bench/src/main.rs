//! `muster-bench`: measures Muster beside the limit of the machine and beside others.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use muster_bench::report::{self, Report, Write};
use muster_bench::{bare, echo, instructions, load};

/// Measures Muster beside the limit of the machine and beside other queues.
#[derive(Debug, Parser)]
#[command(name = "muster-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure everything, and write the report
    Report(Report),
    /// Write the report again, from what was measured last
    Write(Write),
    /// Count the instructions of the hot functions, and hold them against those of before
    Instructions(instructions::Options),
    /// Repeat a hot function
    #[command(hide = true)]
    Hot(instructions::Hot),
    /// Send records, and say how fast they were answered
    Load(load::Plan),
    /// The bare path's server
    BareServer(bare::ServerOptions),
    /// The bare path's workers
    BareWorker(bare::WorkerOptions),
    /// A server that only answers
    EchoServer(echo::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Report(command) => return report::measure(&command),
        Command::Write(command) => return report::write(&command),
        Command::Instructions(options) => return instructions::run(&options),
        Command::Hot(hot) => hot.run()?,
        Command::Load(plan) => load::run(&plan)?,
        Command::BareServer(options) => bare::run_server(&options)?,
        Command::BareWorker(options) => bare::run_worker(&options)?,
        Command::EchoServer(options) => echo::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}
