//! `log`: what all servers and workers log.

use muster_program::{exit, logging};
use serde::Serialize;

use super::flags::OperationFlags;
use super::{EXIT_CODES, Ended, failed, print};
use crate::view::{self, stats::log_filter};

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Log {
    /// A level, or a filter such as info,muster_queue=debug: for all, until it is set anew
    #[arg(value_name = "FILTER", value_parser = filter, required_unless_present = "reset")]
    filter: Option<String>,
    /// Let each program go back to its own
    #[arg(long, conflicts_with = "filter")]
    reset: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

/// What is printed for a program.
#[derive(Serialize)]
struct LogView<'a> {
    log_filter: Option<&'a str>,
}

/// Checks a filter as the programs would, before any of them has it.
fn filter(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty filter is none; --reset lets each program go back to its own".into());
    }
    logging::parse_filter(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn run(Log { filter, json, flags, .. }: &Log) -> Result<u8, Ended> {
    let filter = filter.as_deref().unwrap_or_default();
    flags.run(async |operations| {
        let set = operations.set_log_filter(filter).await.map_err(failed)?.log_filter;
        print(&if *json {
            let log_filter = Some(set.as_str()).filter(|filter| !filter.is_empty());
            view::json(&LogView { log_filter })
        } else {
            format!("log       {}\n", log_filter(&set))
        })?;
        Ok(exit::OK)
    })
}
