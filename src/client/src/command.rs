//! What can be asked of `muster-client` on the command line.

mod batch;
mod consent;
mod dead;
mod flags;
mod send;

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
    /// Look at a batch, wait for it, or discard it
    #[command(subcommand)]
    Batch(batch::Command),
    /// Look at dead letters, have them processed again, or drop them
    #[command(subcommand)]
    Dead(dead::Command),
}

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

/// Does the work of a command on a runtime of its own.
fn block_on<T>(work: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
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
