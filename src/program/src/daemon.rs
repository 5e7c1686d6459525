//! The life of a program that stays until it is told to end: settings, log, work, end.

use std::future::Future;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, FromArgMatches as _, Subcommand};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use crate::config::{self, Loader, Settings};
use crate::flags::ConfigFlags;
use crate::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::{exit, health, metrics, packaging, resources, supervisor, traces};

/// Why a program ended otherwise than well.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The command line of a daemon: its own flags, and what every one has.
#[derive(Args)]
struct Cli<F: Args, T: Subcommand> {
    #[command(flatten)]
    settings: F,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(subcommand)]
    command: Option<Command<T>>,
}

/// What a daemon's program does in place of the work.
#[derive(Subcommand)]
enum Command<T: Subcommand> {
    #[command(flatten)]
    Task(T),
    #[command(flatten)]
    Health(health::Command),
    #[command(flatten)]
    Packaging(packaging::Command),
}

/// The tasks of a program that has none.
#[derive(Debug, Subcommand)]
pub enum NoTask {}

/// The whole `main` of a daemon with the flags `F` and the settings `C`: reads the settings, starts
/// the log, does the work, and ends when the work ends or, after a signal, when the grace period
/// does.
///
/// `program` says what it is called, and what it is for. `work` is given the settings, and the loader
/// that reads their secrets again.
pub fn main<F, C>(
    program: clap::Command,
    work: impl AsyncFnOnce(C, Loader<C>, Readiness, Shutdown) -> Result<(), Failure>,
) -> ExitCode
where
    F: Args + Serialize,
    C: Settings,
{
    main_with_tasks::<F, C, NoTask>(program, work, async |_, task, _| match task {})
}

/// The same of a daemon that has tasks `T` as subcommands, which it does in place of the work.
pub fn main_with_tasks<F, C, T>(
    program: clap::Command,
    work: impl AsyncFnOnce(C, Loader<C>, Readiness, Shutdown) -> Result<(), Failure>,
    task: impl AsyncFnOnce(C, T, Shutdown) -> Result<(), Failure>,
) -> ExitCode
where
    F: Args + Serialize,
    C: Settings,
    T: Subcommand,
{
    resources::limit();
    let name = program.get_name().to_owned();
    // The documentation of `Cli` would take its place.
    let about = program.get_about().cloned().unwrap_or_default();
    let program = Cli::<F, T>::augment_args(program).about(about);
    let cli = Cli::<F, T>::from_arg_matches(&program.clone().get_matches());
    exit::report(&name, run(program, cli.unwrap_or_else(|error| error.exit()), work, task))
}

fn run<F, C, T>(
    program: clap::Command,
    cli: Cli<F, T>,
    work: impl AsyncFnOnce(C, Loader<C>, Readiness, Shutdown) -> Result<(), Failure>,
    task: impl AsyncFnOnce(C, T, Shutdown) -> Result<(), Failure>,
) -> Result<u8, (u8, Failure)>
where
    F: Args + Serialize,
    C: Settings,
    T: Subcommand,
{
    if let Some(Command::Packaging(command)) = &cli.command {
        return command.run(program);
    }
    let usage = |error: config::Error| (exit::USAGE, Failure::from(error));
    let loader = Loader::new(&C::default(), cli.config.sources(), &cli.settings).map_err(usage)?;
    let config: C = loader.load().map_err(usage)?;
    if cli.config.only_looks() {
        let dump = config::dump(&config).map_err(usage)?;
        cli.config.show([dump]).map_err(|error| (exit::FAILURE, error))?;
        return Ok(exit::OK);
    }
    if let Some(Command::Health(health::Command::Health)) = cli.command {
        return health::run(&config);
    }
    let _telemetry =
        traces::start(program.get_name(), &config).map_err(|error| (exit::USAGE, error))?;
    if config.http().is_some() {
        metrics::start(&program).map_err(|error| (exit::FAILURE, error.into()))?;
    }
    let grace = config.grace();
    if let Some(Command::Task(asked)) = cli.command {
        return until_the_end(grace, |shutdown| task(config, asked, shutdown))
            .map(|()| exit::OK)
            .map_err(|error| (exit::FAILURE, error));
    }
    stay(grace, async |readiness, shutdown| work(config, loader, readiness, shutdown).await)
        .map(|()| exit::OK)
        .map_err(|error| (exit::FAILURE, error))
}

/// Runs `work` as [`until_the_end`] does, tells the supervisor how it goes, if there is one, keeps what
/// is measured, and survives SIGHUP.
///
/// # Errors
///
/// As [`until_the_end`].
pub fn stay(
    grace: Duration,
    work: impl AsyncFnOnce(Readiness, Shutdown) -> Result<(), Failure>,
) -> Result<(), Failure> {
    until_the_end(grace, async |shutdown| {
        shutdown.survive_hangups()?;
        let readiness = Readiness::default();
        supervisor::tell(readiness.subscribe(), &shutdown);
        metrics::keep(&shutdown);
        work(readiness, shutdown).await
    })
}

/// What runs the tasks: a thread for each core but one, which the store, or whatever else has the
/// machine, is left with.
///
/// A single thread has the simpler scheduler. The other one runs a task that was just woken before
/// those that wait: a connection that has many calls to answer then writes each answer for itself,
/// which costs a server of unary calls half as much processor time again.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    match cores.saturating_sub(1) {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

/// Runs `work` on a runtime of its own until it ends, or `grace` after a signal.
///
/// # Errors
///
/// The work's own, or that it did not end in time.
pub fn until_the_end<T, F>(grace: Duration, work: impl FnOnce(Shutdown) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        let overtime = async {
            shutdown.begun().await;
            tokio::time::sleep(grace).await;
        };
        let work = async {
            let result = work(shutdown.clone()).await;
            // What the work has left running ends now; what has to be finished is.
            shutdown.begin();
            shutdown.drain().await;
            result
        };
        tokio::select! {
            result = work => result,
            () = overtime => Err(format!("did not end within the grace period of {grace:?}").into()),
        }
    });
    // What still blocks a thread is not waited for: the store has, or will have, whatever it was.
    runtime.shutdown_background();
    result
}
