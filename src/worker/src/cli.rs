//! The whole of a worker program, but for its processor.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Command;
use muster_program::daemon::{self, Failure};
use muster_program::flags::{self, StoreFlags};
use muster_program::http;
use muster_program::output;
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use muster_queue::{CurrentAccess, Queue, StoreUrl};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::processor::Processor;
use crate::roll::{Accepted, Manifest, Roll, Rotated};
use crate::{RollFailure, priority};

/// What the program does in place of the work.
#[derive(clap::Subcommand)]
enum Task {
    /// Manage the roll that the worker with these settings writes
    #[command(subcommand)]
    Roll(RollTask),
}

#[derive(clap::Subcommand)]
enum RollTask {
    /// Accept the roll in the folder as the roll of the store, whatever the store knew before
    ///
    /// A worker refuses to write when its folder does not have the roll that the store knows. Find out why
    /// first: batches that are not in this roll stay out of it, and batches that the store has forgotten
    /// can be added twice. With an embedded store, end the program that uses it before.
    Accept {
        /// Accept a store that is so old a copy that batches can be added twice
        #[arg(long)]
        may_duplicate: bool,
    },
    /// End the roll: keep it under another name, and begin a new one
    ///
    /// The files are kept as all_users-TIME.json and all_users-TIME.manifest.json. Workers may run
    /// meanwhile: each batch is written to one of the two rolls.
    Rotate,
}

#[derive(clap::Args, Serialize)]
struct Flags {
    /// Where /livez, /readyz and /metrics are served [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
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
    daemon::main_with_tasks::<Flags, Config, Task>(
        program,
        async |config, loader, readiness, shutdown| {
            let listener = match config.http {
                Some(address) => Some(http::listen("http", address).await?),
                None => None,
            };
            let access = CurrentAccess::new(config.store_access());
            let queue = access.open_in_background(&config.store_options()).await?;
            let replace = move |config: Config| access.replace(config.store_access());
            loader.watch_secrets(replace, &shutdown)?;
            tracing::info!(store = %config.store, "starting");
            let processor = processor(&config);
            let (store, asked) = (Arc::clone(&queue), Arc::clone(&queue));
            let roll = config.roll();
            let required = roll.clone();
            readiness.require(move || required.not_ready());
            readiness.watch(move || ping(Arc::clone(&asked)), &shutdown);
            let work =
                crate::run(queue, roll, &config, processor, RollFailure::TryAgain, &shutdown);
            tokio::select! {
                ended = work => Ok(ended?),
                error = muster_queue::unfit(store.as_ref()) => Err(error.into()),
                Err(error) = serve_probes(listener, &readiness, &shutdown) => Err(error),
            }
        },
        look_after_roll,
    )
}

async fn look_after_roll(config: Config, task: Task, _: Shutdown) -> Result<(), Failure> {
    let Task::Roll(task) = task;
    let access = CurrentAccess::new(config.store_access());
    let queue = access.open(&config.store_options()).await?;
    let roll = config.roll();
    match task {
        RollTask::Accept { may_duplicate } => {
            let accepted = roll.accept(queue.as_ref(), may_duplicate).await?;
            report(&roll, &accepted, &config.store)
        }
        RollTask::Rotate => rotate(&roll, queue.as_ref()).await,
    }
}

async fn rotate(roll: &Roll, queue: &dyn Queue) -> Result<(), Failure> {
    let path = roll.path();
    let told = match roll.rotate(queue).await? {
        Rotated::Nothing => {
            format!("{}: no batch was written yet, nothing to rotate\n", path.display())
        }
        Rotated::To { kept, manifest } => {
            let Manifest { records, batches, .. } = *manifest;
            format!(
                "{}: kept as {} ({records} records, {batches} batches)\n",
                path.display(),
                kept.display()
            )
        }
    };
    output::print(&told)?;
    Ok(())
}

/// Says what was accepted.
fn report(roll: &Roll, accepted: &Accepted, store: &StoreUrl) -> Result<(), Failure> {
    let how = match accepted {
        Accepted::New(_) => "begun",
        Accepted::AsDescribed(_) => "accepted",
        Accepted::AsFound(_) => "accepted with a new manifest",
    };
    let Manifest { id, records, batches, .. } = accepted.manifest();
    let path = roll.path();
    output::print(&format!(
        "{}: {how} as roll {id:.8} of {} ({records} records, {batches} batches)\n",
        path.display(),
        store,
    ))?;
    Ok(())
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
