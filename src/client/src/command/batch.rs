//! `batch`: list them, look at one, wait for one, discard one.

mod list;

use clap::Subcommand;
use muster_program::exit;
use muster_proto::v1::Batch;

use super::consent::Consent;
use super::flags::OperationFlags;
use super::{EXIT_CODES, Ended, batch_id, failed, print};
use crate::report::counted;
use crate::view::{self, batch::BatchView};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List batches, the newest first
    List(list::List),
    /// Show a batch: its state, and what became of its records
    #[command(after_help = EXIT_CODES)]
    Show(One),
    /// Wait until a batch is in the roll, or waits for somebody itself
    #[command(after_help = "Exit codes: 0 all of it is in the roll, 1 failed, or the batch is \
        aborted, 2 wrong usage, 3 some records are dead letters")]
    Wait(One),
    /// Discard a batch that is not complete, with its dead letters
    #[command(after_help = EXIT_CODES)]
    Abort(Abort),
}

#[derive(Debug, clap::Args)]
pub struct One {
    /// The batch
    #[arg(value_name = "ID", value_parser = batch_id)]
    batch: String,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Debug, clap::Args)]
pub struct Abort {
    /// The batch
    #[arg(value_name = "ID", value_parser = batch_id)]
    batch: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn run(command: &Command) -> Result<u8, Ended> {
    match command {
        Command::List(command) => list::run(command),
        Command::Show(One { batch, json, flags }) => flags.run(async |operations| {
            show(&operations.batch(batch).await.map_err(failed)?, *json)?;
            Ok(exit::OK)
        }),
        Command::Wait(One { batch, json, flags }) => flags.run(async |operations| {
            let batch = operations.settled(batch).await.map_err(failed)?;
            show(&batch, *json)?;
            Ok(if batch.dead == 0 { exit::OK } else { exit::INCOMPLETE })
        }),
        Command::Abort(Abort { batch, yes, json, flags }) => {
            let consent = Consent::of(*yes)?;
            flags.run(async |operations| {
                let batch = operations.batch(batch).await.map_err(failed)?;
                consent.ask(&question(&batch))?;
                show(&operations.abort(&batch.id).await.map_err(failed)?, *json)?;
                Ok(exit::OK)
            })
        }
    }
}

fn question(batch: &Batch) -> String {
    let (records, letters) =
        (counted(batch.received, "record"), counted(batch.dead, "dead letter"));
    format!("Discard batch {} with {records} and {letters}?", batch.id)
}

fn show(batch: &Batch, as_json: bool) -> Result<(), Ended> {
    let view = BatchView::from(batch);
    print(&if as_json { view::json(&view) } else { view.to_string() })
}
