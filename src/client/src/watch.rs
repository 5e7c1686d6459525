//! Those who watch over a job while it runs: its probes and its metrics.

use muster_program::daemon::Failure;
use muster_program::http;
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use tonic::Code;

use crate::config::Config;
use crate::metrics;
use crate::wire::{Server, reason};

/// Does the work of a job, and serves `/livez`, `/readyz` and `/metrics` meanwhile if the settings
/// say where. The job is ready while its server answers.
///
/// # Errors
///
/// The address cannot be listened on.
pub(crate) async fn watched<T>(
    config: &Config,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let Some(address) = config.http else { return Ok(work.await) };
    let program = clap::Command::new("muster-client").version(env!("CARGO_PKG_VERSION"));
    muster_program::metrics::start(&program)?;
    metrics::declare();
    let listener = http::listen("http", address).await?;
    let (readiness, end) = (Readiness::default(), Shutdown::default());
    let server = Server::new(config)?;
    readiness.watch(move || answers(server.clone()), &end);
    let serve = http::serve(listener, readiness.subscribe(), end.token());
    tokio::select! {
        done = work => {
            end.begin();
            end.drain().await;
            Ok(done)
        }
        served = serve => Err(served.err().unwrap_or_else(|| "`http` ended".into())),
    }
}

/// Whether the server answers, and its store as well: it asks it for a batch that nobody has.
async fn answers(server: Server) -> Result<(), String> {
    match server.batch("muster-client-readyz").await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::Unimplemented => Ok(()),
        Err(status) => Err(format!("the server: {}", reason(&status))),
    }
}
