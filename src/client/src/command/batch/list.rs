//! `batch list`: the batches, page by page.

use std::time::SystemTime;

use clap::ValueEnum;
use muster_program::exit;
use muster_proto::v1::{Batch, BatchState, ListBatchesResponse};

use crate::command::flags::OperationFlags;
use crate::command::{EXIT_CODES, Ended, failed, offer, print};
use crate::view;
use crate::view::batch::BatchView;
use crate::view::batches::BatchList;

/// How many batches are asked for at once, at most.
const PAGE_SIZE: u32 = 1000;

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct List {
    /// Those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// At most so many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Open,
    Sealed,
    Complete,
    Written,
    Aborted,
}

impl From<State> for BatchState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Sealed => Self::Sealed,
            State::Complete => Self::Complete,
            State::Written => Self::Written,
            State::Aborted => Self::Aborted,
        }
    }
}

pub(super) fn run(List { state, limit, json, flags }: &List) -> Result<u8, Ended> {
    let state = state.map_or(BatchState::Unspecified, BatchState::from);
    let mut left = if *limit == 0 { u64::MAX } else { *limit };
    let mut list = BatchList::new();
    let mut page = |batches: &[Batch]| {
        offer(&if *json { ndjson(batches) } else { list.page(batches, SystemTime::now()) })
    };
    flags.run(async |operations| {
        let (mut token, mut is_empty) = (String::new(), true);
        loop {
            let size = u32::try_from(left).unwrap_or(PAGE_SIZE).min(PAGE_SIZE);
            let found = operations.batches(state, token, size).await.map_err(failed)?;
            let ListBatchesResponse { batches, next_page_token } = found;
            left = left.saturating_sub(batches.len() as u64);
            is_empty &= batches.is_empty();
            let is_read = batches.is_empty() || page(&batches)?;
            if next_page_token.is_empty() || left == 0 || !is_read {
                break;
            }
            token = next_page_token;
        }
        if is_empty && !*json {
            print("no batches\n")?;
        }
        Ok(exit::OK)
    })
}

fn ndjson(batches: &[Batch]) -> String {
    batches.iter().map(|batch| view::json(&BatchView::from(batch))).collect()
}
