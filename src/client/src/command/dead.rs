//! `dead`: dead letters, looked at and resolved.

mod export;
mod pages;
mod read;
mod resolve;

use clap::Subcommand;

use super::{EXIT_CODES, Ended};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the dead letters of a batch or a group; without either, the groups
    #[command(after_help = EXIT_CODES)]
    List(read::List),
    /// Show one dead letter, with its record
    #[command(after_help = EXIT_CODES)]
    Show(read::Show),
    /// Write dead letters with their records as NDJSON
    #[command(after_help = EXIT_CODES)]
    Export(export::Export),
    /// Have dead letters processed again
    #[command(after_help = "Exit codes: 0 done (with --wait: all in the roll), 1 failed, \
        2 wrong usage, 3 with --wait: some records of the batches are dead letters")]
    Replay(resolve::Replay),
    /// Drop dead letters for good; --export keeps a copy
    #[command(after_help = EXIT_CODES)]
    Drop(resolve::Drop),
}

pub(super) fn run(command: &Command) -> Result<u8, Ended> {
    match command {
        Command::List(command) => read::list(command),
        Command::Show(command) => read::show(command),
        Command::Export(command) => export::export(command),
        Command::Replay(command) => resolve::replay(command),
        Command::Drop(command) => resolve::drop(command),
    }
}
