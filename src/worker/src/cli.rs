//! The whole of a worker program, but for its processor.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Command;
use muster_program::daemon::{self, Failure};
use muster_program::flags::StoreFlags;
use muster_program::http;
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use muster_queue::Queue;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::processor::Processor;
use crate::roll::Roll;
use crate::{RollFailure, priority};

#[derive(clap::Args, Serialize)]
struct Flags {
    /// Where /livez, /readyz and /metrics are served [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
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
/// use muster_proto::user::User;
/// use muster_worker::processor::{Processor, Verdict};
///
/// /// Takes nobody from nowhere.
/// #[derive(Debug)]
/// struct SomewhereAlone;
///
/// impl Processor for SomewhereAlone {
///     fn process(&self, record: &User<'_>) -> Verdict {
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
    // By this thread: it begins all the others.
    priority::give_way(priority::PROCESS);
    let program = Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Leases chunks of records, processes them, commits, and writes the roll");
    daemon::main::<Flags, Config>(program, async |config, readiness, shutdown| {
        let listener = match config.http {
            Some(address) => Some(http::listen("http", address).await?),
            None => None,
        };
        let queue = config.store.open(&config.store_options()).await?;
        tracing::info!(store = %config.store, "starting");
        let processor = processor(&config);
        let (store, asked) = (Arc::clone(&queue), Arc::clone(&queue));
        let roll = Roll::in_folder(&config.roll)?;
        readiness.watch(move || ping(Arc::clone(&asked)), &shutdown);
        let work = crate::run(queue, roll, &config, processor, RollFailure::TryAgain, &shutdown);
        tokio::select! {
            ended = work => Ok(ended?),
            error = muster_queue::unfit(store.as_ref()) => Err(error.into()),
            Err(error) = serve_probes(listener, &readiness, &shutdown) => Err(error),
        }
    })
}

async fn ping(queue: Arc<dyn Queue>) -> muster_queue::Result<()> {
    queue.ping().await
}

/// Serves the probes, if there is somewhere to, until the shutdown begins.
async fn serve_probes(
    listener: Option<TcpListener>,
    readiness: &Readiness,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let Some(listener) = listener else { return Ok(()) };
    tracing::info!(http = %listener.local_addr()?, "listening");
    http::serve(listener, readiness.subscribe(), shutdown.token()).await
}
