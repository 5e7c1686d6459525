//! `queue`: pause it, resume it. Both are harmless, and each undoes the other: nobody is asked.

use clap::Subcommand;
use muster_program::exit;
use muster_proto::v1::Stats;
use serde::Serialize;

use super::flags::OperationFlags;
use super::{EXIT_CODES, Ended, failed, print};
use crate::report::counted;
use crate::view;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let workers take nothing more; what they have in hand they finish
    #[command(after_help = EXIT_CODES)]
    Pause(Flags),
    /// Let workers take again
    #[command(after_help = EXIT_CODES)]
    Resume(Flags),
}

#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

/// What is printed for a program.
#[derive(Serialize)]
struct QueueView {
    paused: bool,
    in_hand: u64,
}

pub(super) fn run(command: &Command) -> Result<u8, Ended> {
    match command {
        Command::Pause(Flags { json, flags }) => {
            flags.run(async |operations| show(&operations.pause().await.map_err(failed)?, *json))
        }
        Command::Resume(Flags { json, flags }) => {
            flags.run(async |operations| show(&operations.resume().await.map_err(failed)?, *json))
        }
    }
}

/// Prints the state as it is now.
fn show(stats: &Stats, as_json: bool) -> Result<u8, Ended> {
    let Stats { paused, leased, .. } = stats;
    print(&if as_json {
        view::json(&QueueView { paused: *paused, in_hand: *leased })
    } else if *paused {
        let chunks = counted(*leased, "chunk");
        format!(
            "queue     paused, until muster-client queue resume\n\
             in hand   {chunks}, still to be finished\n"
        )
    } else {
        "queue     running\n".to_owned()
    })?;
    Ok(exit::OK)
}
