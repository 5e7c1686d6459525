//! `roll`: what is in it, and the file itself.

mod download;

use clap::Subcommand;
use muster_program::exit;

use super::flags::OperationFlags;
use super::{EXIT_CODES, Ended, failed, print};
use crate::view::{self, roll::RollView};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the roll holds, and which batches were added last
    Show(Show),
    /// Fetch the roll, and check that it is whole
    Download(download::Download),
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Show {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn run(command: &Command) -> Result<u8, Ended> {
    match command {
        Command::Show(Show { json, flags }) => flags.run(async |operations| {
            let roll = operations.roll().await.map_err(failed)?;
            let view = RollView::from(&roll);
            print(&if *json { view::json(&view) } else { view.to_string() })?;
            Ok(exit::OK)
        }),
        Command::Download(command) => download::run(command),
    }
}
