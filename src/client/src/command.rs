//! What can be asked of `muster-client` on the command line.

mod batch;
mod consent;
mod dead;
mod flags;
mod log;
mod queue;
mod roll;
mod send;
mod stats;
mod top;
mod workers;

use std::future::Future;

use clap::Subcommand;
use muster_program::daemon::Failure;
use muster_program::{exit, output};

/// The commands.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Send the records of JSON and NDJSON files as one batch
    Send(send::Send),
    /// Look at batches, wait for one, or discard it
    #[command(subcommand)]
    Batch(batch::Command),
    /// Look at dead letters, have them processed again, or drop them
    #[command(subcommand)]
    Dead(dead::Command),
    /// Show what waits, how fast it moves, and how the store is
    Stats(stats::Stats),
    /// List the processes that run workers
    Workers(workers::Workers),
    /// Let workers take nothing more, or let them go on
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look at the roll, or fetch it
    #[command(subcommand)]
    Roll(roll::Command),
    /// Set what all servers and workers log
    Log(log::Log),
    /// Watch the queue and the workers on the terminal
    Top(top::Top),
}

/// The exit codes of most commands, for their help.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage";

/// Why a command ended otherwise than well: its exit code, and what to say.
pub type Ended = (u8, Failure);

/// Carries a command out, and prints what came of it.
///
/// # Errors
///
/// It was not done.
pub fn run(command: &Command) -> Result<u8, Ended> {
    match command {
        Command::Send(command) => send::run(command),
        Command::Batch(command) => batch::run(command),
        Command::Dead(command) => dead::run(command),
        Command::Stats(command) => stats::run(command),
        Command::Workers(command) => workers::run(command),
        Command::Queue(command) => queue::run(command),
        Command::Roll(command) => roll::run(command),
        Command::Log(command) => log::run(command),
        Command::Top(command) => top::run(command),
    }
}

/// It is the command that is wrong; nothing was begun.
fn usage(error: impl Into<Failure>) -> Ended {
    (exit::USAGE, error.into())
}

/// It could not be done.
fn failed(error: impl Into<Failure>) -> Ended {
    (exit::FAILURE, error.into())
}

fn print(text: &str) -> Result<(), Ended> {
    output::print(text).map_err(failed)
}

/// Prints a part of what there is to print. Returns whether anyone still reads it.
fn offer(text: &str) -> Result<bool, Ended> {
    output::offer(text.as_bytes()).map_err(failed)
}

/// Does the work of a command on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
    // One thread: all calls share a connection, and would wake each other up across threads. The
    // input is read on a thread of its own.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let result = runtime.block_on(work);
    // A reader that waits for standard input is not waited for.
    runtime.shutdown_background();
    result
}

/// Checks a batch id as the server would, before anything is read or sent.
fn batch_id(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a batch id is 1 to 64 characters of A-Z a-z 0-9 . _ -")
}
