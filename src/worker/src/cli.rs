//! The whole of a worker program, but for its processor.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use muster_program::daemon;
use muster_program::flags::{ConfigFlags, StoreFlags};
use serde::Serialize;

use crate::RollFailure;
use crate::config::Config;
use crate::processor::Processor;

/// Leases chunks of records, processes them, commits, and writes the roll.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(clap::Args, Serialize)]
struct Flags {
    /// The folder of the roll, shared by all workers of the store [default: the working folder]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<PathBuf>,
    /// How many workers this process runs [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u16>,
    #[command(flatten)]
    #[serde(flatten)]
    store: StoreFlags,
}

/// The `main` of a worker program called `name`: flags, settings, log, work, end. `processor` makes
/// the processor when the settings are known.
///
/// A program with a processor of its own is a worker like any other:
///
/// ```no_run
/// use std::process::ExitCode;
/// use std::sync::Arc;
///
/// use muster_proto::users::UserRequest;
/// use muster_worker::processor::{Processor, Verdict};
///
/// /// Takes nobody from nowhere.
/// #[derive(Debug)]
/// struct SomewhereAlone;
///
/// impl Processor for SomewhereAlone {
///     fn process(&self, record: &UserRequest) -> Verdict {
///         if record.country.is_empty() {
///             return Verdict::Reject("`country` is missing".to_owned());
///         }
///         Verdict::Keep
///     }
/// }
///
/// fn main() -> ExitCode {
///     muster_worker::cli::main("somewhere-worker", |_| Arc::new(SomewhereAlone))
/// }
/// ```
pub fn main(name: &'static str, processor: impl FnOnce(&Config) -> Arc<dyn Processor>) -> ExitCode {
    let matches = Cli::command().name(name).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    daemon::main(name, &cli.config, &cli.settings, async |config: Config, shutdown| {
        let queue = config.store.open(&config.store_options()).await?;
        tracing::info!(store = %config.store, "starting");
        let processor = processor(&config);
        let store = Arc::clone(&queue);
        tokio::select! {
            ended = crate::run(queue, &config, processor, RollFailure::TryAgain, &shutdown) => Ok(ended?),
            error = muster_queue::unfit(store.as_ref()) => Err(error.into()),
        }
    })
}
