//! From records to a batch on the server.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `rejects` | what is rejected, shown in groups and written to a file |
//! | `feed` | reads the input on a thread of its own, and encodes the records |
//! | `stream`, `window` | one client stream, resumed where it broke |
//! | `unary` | a call for each record, several at once |
//! | `pending` | what is sent and not accepted yet, and why it waits |
//! | `locate` | where in the input the dead letters came from |

mod feed;
mod locate;
mod pending;
mod rejects;
mod stream;
mod unary;
mod window;

use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::HumanBytes;
use muster_program::traces::{self, Trace};
use muster_proto::metadata::{STORE_LIMIT_BYTES, STORED_BYTES, STORED_RECORDS};
use muster_proto::v1::{Batch, BatchState};
use rand::Rng as _;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::config::{Config, Mode};
use crate::input::{InputFlags, SourceError};
use crate::metrics;
use crate::progress::Progress;
use crate::report::Report;
use crate::retry::{Retry, is_passing};
use crate::wait;
use crate::wire::{BadServer, Labels, Server, obstacle, reason_and_code};
use feed::{Feed, Input};
use pending::Pending;
use rejects::Rejects;
use window::Lost;

/// What is to be sent.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// What to read.
    pub input: InputFlags,
    /// The batch; one of its own if it is not said. The same input under the same batch counts
    /// once, however often it is sent.
    pub batch: Option<String>,
    /// `high`, `normal` or `low`.
    pub priority: Option<String>,
    /// `partial` or `fail`.
    pub policy: Option<String>,
    /// Whether to wait until the batch is in the roll.
    pub wait: bool,
    /// The trace that it is part of; one of its own if it is not said, and traces go somewhere.
    pub trace: Option<Trace>,
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input cannot be read; nothing was sent.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file for what is rejected cannot be made; nothing was sent.
    #[error("{} cannot be written: {source}; name another file for --rejects", path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// What the operating system reported.
        source: std::io::Error,
    },
    /// The settings of the connection cannot be used.
    #[error(transparent)]
    Server(#[from] BadServer),
    /// The server refused, or could not be reached for too long.
    #[error(
        "{server}: {}. Of batch {batch} some records may be accepted{}",
        reason_and_code(.status), advice(.status, .batch)
    )]
    Call {
        /// The server's URL.
        server: String,
        /// The batch.
        batch: String,
        /// What the server, or the connection, said last.
        status: Box<Status>,
    },
    /// The server has fewer records than it had accepted.
    #[error(
        "{server} lost {} batch {batch} that it had accepted: it has {received}{}, and had {before}. Its \
         store was emptied, or restarted without its last records: send all of it again; with \
         --batch {batch}, what is still there counts once",
        if received < before { "records of" } else { "the end of" },
        if received < before { "" } else { " records, as an open batch" }
    )]
    Lost {
        /// The server's URL.
        server: String,
        /// The batch.
        batch: String,
        /// How many it has.
        received: u64,
        /// How many it had.
        before: u64,
    },
    /// Somebody discarded the batch while it was waited for.
    #[error("{server}: {}", wait::aborted(batch))]
    Aborted {
        /// The server's URL.
        server: String,
        /// The batch.
        batch: Box<Batch>,
    },
}

impl Error {
    /// Whether it is the command that is wrong, and nothing was begun.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Server(_) | Self::Rejects { .. })
    }
}

/// What to do about it.
fn advice(status: &Status, batch: &str) -> String {
    let on = format!("the same command with --batch {batch} goes on from there");
    if is_passing(status) {
        format!(": {on}")
    } else if status.metadata().contains_key(STORED_BYTES) {
        format!(": with more memory, {on}")
    } else if obstacle(status).is_some() {
        format!(": once that is put right, {on}")
    } else {
        ", and the same command will be refused again".to_owned()
    }
}

/// Why sending stopped, before it is known to whom and of what.
enum Stop {
    Source(SourceError),
    Status(Status),
    Lost(Lost),
    Aborted(Box<Batch>),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Lost> for Stop {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// Sends the input, and says what became of it. What is wrong with single records is said as it
/// is found, on standard error.
///
/// # Errors
///
/// The input cannot be read, or the server does not take it.
pub async fn send(config: &Config, job: &Job) -> Result<Report, Error> {
    let begun = Instant::now();
    let sources = job.input.sources()?;
    let rejects = job.input.rejects.as_deref();
    if let Some(path) = rejects.filter(|path| sources.contains(path)) {
        return Err(SourceError::Rejects(path.to_owned()).into());
    }
    let rejects = Rejects::new(rejects).map_err(|source| Error::Rejects {
        path: rejects.unwrap_or(Path::new("")).to_owned(),
        source,
    })?;
    let progress = Progress::new(sources.bytes);
    if sources.skipped.count() > 0 {
        progress.complain(&sources.skipped);
    }
    let server = Server::new(config)?;
    let batch = job.batch.clone().unwrap_or_else(new_batch);
    let span = tracing::info_span!("send", %batch, trace = traces::field(job.trace));
    let trace = traces::join(&span, job.trace);
    let input_read = progress.clone();
    let sent = async {
        let Job { priority, policy, .. } = job;
        let labels = Labels::new(&batch, priority.as_deref(), policy.as_deref(), trace)?;
        let (retry, pending) = (Retry::new(config.retry_for), Pending::default());
        let sender = Sender { server, labels, retry, progress, pending };
        let input = Input { sources, pointer: job.input.records.clone(), rejects };
        tokio::select! {
            sent = Box::pin(sender.carry_out(config, job, input)) => sent,
            never = pending::say_why_it_waits(&sender) => match never {},
        }
    };
    let sent = sent.instrument(span).await;
    let mut report = sent.map_err(|stop| describe(config, batch.clone(), &input_read, stop))?;
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// The status, and if a batch does not fit into the store, how much memory the store would need.
fn with_need(status: Status, progress: &Progress) -> Status {
    let stored = |key| status.metadata().get(key)?.to_str().ok()?.parse::<u64>().ok();
    let need = || {
        let (bytes, records) = (stored(STORED_BYTES)?, stored(STORED_RECORDS)?);
        let rest = progress.estimated_records()?.saturating_sub(records);
        let rest = (u128::from(bytes) * u128::from(rest)).checked_div(u128::from(records))?;
        stored(STORE_LIMIT_BYTES)?.checked_add(u64::try_from(rest).ok()?)
    };
    let Some(need) = need() else { return status };
    let message =
        format!("{}; all of it needs a maxmemory of about {}", status.message(), HumanBytes(need));
    Status::with_metadata(status.code(), message, status.metadata().clone())
}

fn describe(config: &Config, batch: String, progress: &Progress, stop: Stop) -> Error {
    let server = config.server.clone();
    match stop {
        Stop::Source(error) => Error::Source(error),
        Stop::Status(status) if status.metadata().contains_key(STORED_BYTES) => {
            Error::Call { server, batch, status: Box::new(with_need(status, progress)) }
        }
        Stop::Status(status) => Error::Call { server, batch, status: Box::new(status) },
        Stop::Lost(Lost { received, before }) => Error::Lost { server, batch, received, before },
        Stop::Aborted(batch) => Error::Aborted { server, batch },
    }
}

fn new_batch() -> String {
    format!("client-{:032x}", rand::rng().random::<u128>())
}

/// What the parts of one job share.
struct Sender {
    server: Server,
    labels: Labels,
    retry: Retry,
    progress: Progress,
    pending: Pending,
}

impl Sender {
    async fn carry_out(&self, config: &Config, job: &Job, input: Input) -> Result<Report, Stop> {
        let mut feed = Feed::start(input, self.progress.clone()).await?;
        let sent_before = match job.batch {
            Some(_) => self.received().await?,
            None => 0,
        };
        let refused = match config.mode {
            Mode::Stream => stream::send(self, &mut feed).await?,
            Mode::Unary => unary::send(self, &mut feed, config.in_flight.get()).await?,
        };
        self.pending.done();
        let read = feed.finish().await;
        metrics::accepted(read.records - refused);
        self.progress.finish();
        tracing::info!(records = read.records - refused, "the server has all of it");
        let mut report = Report {
            batch: self.labels.batch.clone(),
            files: read.files,
            accepted: read.records - refused,
            sent_before,
            rejected: read.rejected + refused,
            remarks: read.remarks,
            ..Report::default()
        };
        if job.wait {
            let (id, before) = (&report.batch, report.accepted);
            let settled = wait::until_settled(&self.server, &self.retry, id, Some(before)).await;
            let batch = match settled {
                Ok(batch) if batch.received < before || batch.state() == BatchState::Open => {
                    return Err(Stop::Lost(Lost { received: batch.received, before }));
                }
                Ok(batch) => batch,
                Err(status) if status.code() == Code::NotFound => {
                    return Err(self.lost(report.accepted).await.unwrap_or_else(|| status.into()));
                }
                Err(status) => return Err(status.into()),
            };
            match batch.state() {
                BatchState::Aborted => return Err(Stop::Aborted(Box::new(batch))),
                BatchState::Written => {
                    report.records = Some(batch.kept);
                    report.sha256 = Some(batch.roll_sha256);
                }
                _ => report.held = batch.held,
            }
            report.dead = Some(batch.dead);
            if batch.dead > 0 {
                locate::complain(self, config.mode, &job.input).await?;
            }
        }
        report.rejects_failure = read.rejects.err().map(|error| error.to_string());
        Ok(report)
    }

    /// Whether the server has fewer records of the batch than it had, which were so many.
    async fn lost(&self, before: u64) -> Option<Stop> {
        let received = match self.server.batch(&self.labels.batch).await {
            Ok(batch) => batch.map_or(0, |batch| batch.received),
            Err(_) => return None,
        };
        (received < before).then_some(Stop::Lost(Lost { received, before }))
    }

    /// How many records the batch has.
    async fn received(&self) -> Result<u64, Status> {
        let look = async || self.server.batch(&self.labels.batch).await;
        match self.retry.look(look).await {
            Ok(batch) => Ok(batch.map_or(0, |batch| batch.received)),
            // A server that knows no batches.
            Err(status) if status.code() == Code::Unimplemented => Ok(0),
            Err(status) => Err(status),
        }
    }
}
