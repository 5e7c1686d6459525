//! `muster up`: a server and workers in one process, which stay.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;

use clap::CommandFactory as _;
use muster_program::config::{self, Loader, Settings as _};
use muster_program::daemon::{self, Failure};
use muster_program::flags::{self, ConfigFlags, StoreFlags};
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use muster_program::{exit, health, metrics, traces};
use muster_queue::{CurrentAccess, StoreUrl};
use muster_server::Server;
use muster_server::flags::EntranceFlags;
use muster_worker::RollFailure;
use serde::Serialize;

/// How many workers there are when it is not said.
const WORKERS: NonZeroU16 = NonZeroU16::MIN.saturating_add(4);
/// What `--store` is: its default differs from that of a server or a worker.
const STORE_HELP: &str = "The store: file:PATH, redis://HOST:PORT, \
    redis-sentinel://HOST:PORT,HOST:PORT/MASTER or redis-cluster://HOST:PORT,HOST:PORT (with TLS: \
    rediss…, ?ca=FILE&cert=FILE&key=FILE behind it) [default: file:muster.redb, in the working folder]";

#[derive(clap::Args)]
#[command(mut_arg("store", |store| store.help(STORE_HELP)))]
pub(crate) struct Up {
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    worker: WorkerFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(subcommand)]
    command: Option<health::Command>,
}

#[derive(clap::Args, Serialize)]
struct ServerFlags {
    /// Where gRPC is served [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Where the dashboard, /livez, /readyz and /metrics are served [default: 127.0.0.1:9181]
    #[arg(long, value_name = "ADDR", value_parser = flags::address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    /// Let the dashboard show, and change nothing
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[command(flatten)]
    #[serde(flatten)]
    entrance: EntranceFlags,
}

#[derive(clap::Args, Serialize)]
struct WorkerFlags {
    /// The folder of the roll [default: the working folder]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<PathBuf>,
    /// How many workers process records at once [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u16>,
}

/// A program's flags: its own, and those that both have.
#[derive(Serialize)]
struct Merged<'a, F> {
    #[serde(flatten)]
    store: &'a StoreFlags,
    #[serde(flatten)]
    own: &'a F,
}

/// Runs until it is told to end.
pub(crate) fn run(command: &Up) -> Result<u8, (u8, Failure)> {
    let usage = |error: config::Error| (exit::USAGE, Failure::from(error));
    let (server, loader, worker) = configs(command).map_err(usage)?;
    if command.config.only_looks() {
        // The server's last: what both share is the server's here.
        let worker = config::dump(&worker).map_err(usage)?;
        let server = config::dump(&server).map_err(usage)?;
        command.config.show([worker, server]).map_err(|error| (exit::FAILURE, error))?;
        return Ok(exit::OK);
    }
    if let Some(health::Command::Health) = command.command {
        return health::run(&server);
    }
    let _telemetry = traces::start("muster", &server).map_err(|error| (exit::USAGE, error))?;
    metrics::start(&crate::Cli::command()).map_err(|error| (exit::FAILURE, error.into()))?;
    let grace = server.grace();
    let work = async |readiness, shutdown| work(server, loader, worker, readiness, shutdown).await;
    daemon::stay(grace, work).map(|()| exit::OK).map_err(|error| (exit::FAILURE, error))
}

type ServerLoader = Loader<muster_server::config::Config>;
type Configs = (muster_server::config::Config, ServerLoader, muster_worker::config::Config);

/// The settings of the server, what they were read from, and the settings of the workers. The store is
/// the same in both.
fn configs(command: &Up) -> Result<Configs, config::Error> {
    let sources = command.config.sources();
    let store = StoreUrl::Embedded("muster.redb".into());
    let server = muster_server::config::Config { store: store.clone(), ..Default::default() };
    let worker = muster_worker::config::Config { store, workers: WORKERS, ..Default::default() };
    let store = &command.store;
    let worker: muster_worker::config::Config =
        config::load_over(&worker, &sources, &Merged { store, own: &command.worker })?;
    // The roll that the server shows is the one that the workers write, unless it is said otherwise.
    let server = muster_server::config::Config { roll: Some(worker.roll.clone()), ..server };
    let loader = Loader::new(&server, sources, &Merged { store, own: &command.server })?;
    Ok((loader.load()?, loader, worker))
}

async fn work(
    server_config: muster_server::config::Config,
    loader: ServerLoader,
    worker: muster_worker::config::Config,
    readiness: Readiness,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    let server = Server::bind(&server_config).await?;
    let access = CurrentAccess::new(server_config.store_access());
    let queue = access.open_in_background(&server_config.store_options()).await?;
    let replace =
        move |config: muster_server::config::Config| access.replace(config.store_access());
    loader.watch_secrets(replace, &shutdown)?;
    tracing::info!(store = %server_config.store, "starting");
    let roll = worker.roll();
    let required = roll.clone();
    readiness.require(move || required.not_ready());
    let processor = Arc::new(worker.pipeline());
    let work = async {
        let (queue, failure) = (Arc::clone(&queue), RollFailure::TryAgain);
        muster_worker::run(queue, roll, &worker, processor, failure, &shutdown).await?;
        Ok(())
    };
    tokio::try_join!(server.serve(Arc::clone(&queue), &readiness, &shutdown), work).map(|_| ())
}
