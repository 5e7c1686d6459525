//! `workers`: the processes that run workers.

use std::time::SystemTime;

use muster_program::exit;

use super::flags::OperationFlags;
use super::{EXIT_CODES, Ended, failed, print};
use crate::view;
use crate::view::workers::{WorkerView, list};

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Workers {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn run(Workers { json, flags }: &Workers) -> Result<u8, Ended> {
    flags.run(async |operations| {
        let workers = operations.workers().await.map_err(failed)?;
        print(&if *json {
            workers.iter().map(|worker| view::json(&WorkerView::from(worker))).collect()
        } else if workers.is_empty() {
            "no workers\n".to_owned()
        } else {
            list(&workers, SystemTime::now())
        })?;
        Ok(exit::OK)
    })
}
