//! `muster run`: the whole job in one process, on a queue of its own.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use muster_access::{Role, Token};
use muster_client::input::InputFlags;
use muster_client::report::Report;
use muster_client::send::{self, Job};
use muster_program::daemon::{self, Failure};
use muster_program::flags::ConfigFlags;
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use muster_program::{config, exit, output, traces};
use muster_queue::{Queue, StoreUrl};
use muster_server::Server;
use muster_worker::RollFailure;
use muster_worker::roll;
use serde::Serialize;

use crate::roll_files;
use crate::scratch::Scratch;

/// How long a run that is told to end may take to do so. Nothing of it is kept.
const GRACE: Duration = Duration::from_secs(5);
/// How often a run looks whether its store has failed.
const PING_INTERVAL: Duration = Duration::from_millis(200);
/// How many workers a run has when it is not said.
const WORKERS: NonZeroU16 = NonZeroU16::MIN.saturating_add(4);

#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 everything is in the roll, 1 failed, 2 wrong usage, \
    3 the roll is written but some records were rejected or are dead letters")]
pub(crate) struct Run {
    #[command(flatten)]
    input: InputFlags,
    /// The roll: a JSON array of all records, in the order of the input
    #[arg(long, value_name = "FILE", default_value = "all_users.json")]
    output: PathBuf,
    /// Print one JSON object instead of a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    config: ConfigFlags,
}

#[derive(clap::Args, Serialize)]
struct Flags {
    /// How many workers process records at once [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<u16>,
    /// The log's level, or a filter [default: warn]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Where traces go, by OTLP: http(s)://HOST:PORT [default: nowhere]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<String>,
}

/// Does the job.
pub(crate) fn run(command: &Run) -> Result<u8, (u8, Failure)> {
    let usage = |error: config::Error| (exit::USAGE, Failure::from(error));
    let defaults = muster_worker::config::Config {
        log: "warn".to_owned(),
        workers: WORKERS,
        ..muster_worker::config::Config::default()
    };
    let worker: muster_worker::config::Config =
        config::load_over(&defaults, &command.config.sources(), &command.settings)
            .map_err(usage)?;
    if command.config.only_looks() {
        let dump = config::dump(&worker).map_err(usage)?;
        command.config.show([dump]).map_err(|error| (exit::FAILURE, error))?;
        return Ok(exit::OK);
    }
    let _telemetry = traces::start("muster", &worker).map_err(|error| (exit::USAGE, error))?;
    check_output(command).map_err(|error| (exit::USAGE, error))?;
    let report = daemon::until_the_end(GRACE, |shutdown| job(command, worker, shutdown))
        .map_err(|error| (code(&error), error))?;
    report.print(command.json).map_err(|error| (exit::FAILURE, error.into()))?;
    report.exit_code().map_err(|failure| (exit::FAILURE, failure.into()))
}

/// Finds out before the work that the roll has no place, or would replace its own input.
fn check_output(command: &Run) -> Result<(), Failure> {
    let output = &command.output;
    if output.is_dir() {
        return Err(format!("{} is a folder: name a file for --output", output.display()).into());
    }
    let sources = command.input.sources()?;
    let rejects = command.input.rejects.as_deref();
    if rejects
        .is_some_and(|rejects| rejects == output || rejects == muster_roll::manifest_of(output))
    {
        return Err(format!(
            "{} is both --output and --rejects: name another file for --rejects",
            output.display()
        )
        .into());
    }
    if let Some(path) = roll_files::among(&sources, output) {
        let path = path.display();
        return Err(format!(
            "{path} is both input and output: choose another --output, in another folder"
        )
        .into());
    }
    Ok(())
}

fn code(error: &Failure) -> u8 {
    match error.downcast_ref::<send::Error>() {
        Some(error) if error.is_usage() => exit::USAGE,
        _ => exit::FAILURE,
    }
}

async fn job(
    command: &Run,
    mut worker: muster_worker::config::Config,
    shutdown: Shutdown,
) -> Result<Report, Failure> {
    let Run { input, output, .. } = command;
    let scratch = Scratch::beside(output)
        .map_err(|error| format!("cannot make the roll {}: {error}", output.display()))?;
    worker.roll = scratch.roll();
    worker.store = StoreUrl::Embedded(scratch.queue());
    let access = scratch.access();
    let mut report = tokio::select! {
        report = pass_through(input.clone(), &worker, &access, &shutdown) => report?,
        () = shutdown.begun() => return Err("told to end; nothing was written".into()),
    };
    // An input of which nothing was read must not cost a roll that is there.
    if report.accepted > 0 || report.rejected == 0 {
        publish(&worker.roll, output)
            .map_err(|error| format!("cannot put the roll at {}: {error}", output.display()))?;
    } else {
        let what = if output.exists() { "is left as it was" } else { "is not written" };
        output::complain(&format!("nothing was accepted: {} {what}", output.display()));
        (report.records, report.sha256) = (None, None);
    }
    Ok(report)
}

/// Sends the input through a server and workers on the store of `worker`. `access` is where the
/// access list can be.
async fn pass_through(
    input: InputFlags,
    worker: &muster_worker::config::Config,
    access: &Path,
    shutdown: &Shutdown,
) -> Result<Report, Failure> {
    let queue = worker.store.open(&worker.store_options()).await?;
    let any_port = (Ipv4Addr::LOCALHOST, 0).into();
    // Others on this machine can reach the port: it is for this run alone.
    let token = Token::random();
    std::fs::write(access, token.entry("run", &[Role::Send], None))?;
    let server = Server::bind(&muster_server::config::Config {
        listen: any_port,
        http: any_port,
        access: Some(access.to_owned()),
        ..Default::default()
    })
    .await?;
    let client = muster_client::config::Config {
        server: format!("http://{}", server.grpc_addr()?),
        token: Some(token.reveal().parse()?),
        ..Default::default()
    };
    let trace = traces::of_environment();
    let job = Job { input, wait: true, trace, ..Job::default() };
    let processor = Arc::new(worker.pipeline());
    let daemons = async {
        let readiness = Readiness::default();
        let serve = server.serve(Arc::clone(&queue), &readiness, shutdown);
        let work = async {
            let queue = Arc::clone(&queue);
            let roll = worker.roll();
            let failure = RollFailure::GiveUp;
            muster_worker::run(queue, roll, worker, processor, failure, shutdown).await?;
            Ok::<_, Failure>(())
        };
        tokio::try_join!(serve, work).map(|_| ())
    };
    tokio::select! {
        report = send::send(&client, &job) => Ok(report?),
        error = failure_of(queue.as_ref()) => Err(error.into()),
        ended = daemons => Err(ended.err().unwrap_or_else(|| "told to end".into())),
    }
}

/// Waits until the store has failed: an embedded one is not there again before the next start.
async fn failure_of(queue: &dyn Queue) -> muster_queue::Error {
    loop {
        if let Err(error) = queue.ping().await {
            return error;
        }
        tokio::time::sleep(PING_INTERVAL).await;
    }
}

/// Puts the finished roll and its manifest, which are on the disk, where they belong, and waits until
/// their names are on the disk as well. If the process is stopped in between, `muster verify` says that
/// the manifest disagrees.
fn publish(folder: &Path, output: &Path) -> Result<(), Failure> {
    std::fs::rename(folder.join(roll::FILE_NAME), output)?;
    std::fs::rename(folder.join(roll::MANIFEST_NAME), muster_roll::manifest_of(output))?;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    roll::sync_folder(folder.unwrap_or(Path::new(".")))?;
    Ok(())
}
