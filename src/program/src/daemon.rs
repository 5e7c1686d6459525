//! The life of a program that stays until it is told to end: settings, log, work, end.

use std::future::Future;
use std::process::ExitCode;

use serde::Serialize;

use crate::config::{self, Settings};
use crate::flags::ConfigFlags;
use crate::shutdown::Shutdown;
use crate::{exit, logging};

/// Why a program ended otherwise than well.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The whole `main` of a daemon: reads the settings, starts the log, does the work, and ends when
/// the work ends or, after a signal, when the grace period does.
pub fn main<C, F>(
    program: &str,
    config_flags: &ConfigFlags,
    flags: &impl Serialize,
    work: impl FnOnce(C, Shutdown) -> F,
) -> ExitCode
where
    C: Settings,
    F: Future<Output = Result<(), Failure>>,
{
    exit::report(program, run(config_flags, flags, work))
}

fn run<C, F>(
    config_flags: &ConfigFlags,
    flags: &impl Serialize,
    work: impl FnOnce(C, Shutdown) -> F,
) -> Result<u8, (u8, Failure)>
where
    C: Settings,
    F: Future<Output = Result<(), Failure>>,
{
    let usage = |error: config::Error| (exit::USAGE, Failure::from(error));
    let config: C = config::load(&config_flags.sources(), flags).map_err(usage)?;
    if config_flags.only_looks() {
        let dump = config::dump(&config).map_err(usage)?;
        config_flags.show([dump]).map_err(|error| (exit::FAILURE, error))?;
        return Ok(exit::OK);
    }
    logging::start(config.log()).map_err(|error| (exit::USAGE, error.into()))?;
    let grace = config.grace();
    until_the_end(grace, |shutdown| work(config, shutdown))
        .map(|()| exit::OK)
        .map_err(|error| (exit::FAILURE, error))
}

/// Runs `work` on a runtime of its own until it ends, or `grace` after a signal.
///
/// # Errors
///
/// The work's own, or that it did not end in time.
pub fn until_the_end<T, F>(
    grace: std::time::Duration,
    work: impl FnOnce(Shutdown) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
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
