//! The service `muster.v1.Roll`: what is in the roll, and the file itself.

use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use muster_access::{Peer, Seats};
use muster_dashboard::RollStream;
use muster_program::shutdown::Shutdown;
use muster_proto::metadata::{ROLL_BATCHES, ROLL_BYTES, ROLL_DEAD, ROLL_RECORDS, ROLL_SHA256};
use muster_proto::v1;
use muster_roll::{Entry, NotOpened, OpenRoll};
use tokio::fs::File;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::admission;
use crate::config::Config;

/// How long one part of the file is, in bytes.
const PART_BYTES: usize = 64 * 1024;
/// How many parts are read before they are taken.
const PARTS_AHEAD: usize = 2;
/// How many of the batches that were added last are told.
const RECENT_MAX: usize = 256;
/// How often a roll that is being written is looked at again, and after how long.
const TRIES: usize = 20;
const TRY_INTERVAL: Duration = Duration::from_millis(50);

/// The service.
#[derive(Debug)]
pub(crate) struct Roll {
    folder: Option<PathBuf>,
    streams: Seats,
    /// How long a caller may take nothing of it.
    write_max: Duration,
    break_off: CancellationToken,
    shutdown: Shutdown,
}

impl Roll {
    /// The roll in the folder of these settings, if the server has one. `break_off` ends downloads
    /// that are under way.
    pub(crate) fn new(
        config: &Config,
        streams: Seats,
        break_off: CancellationToken,
        shutdown: &Shutdown,
    ) -> Self {
        let (folder, write_max) = (config.roll.clone(), config.write_max);
        Self { folder, streams, write_max, break_off, shutdown: shutdown.clone() }
    }

    /// Opens the roll; one that is being written, when that is done.
    async fn open(&self) -> Result<OpenRoll, Status> {
        let folder = self.folder.clone().ok_or_else(|| {
            Status::failed_precondition(
                "this server does not see the roll: set `server.roll` to its folder",
            )
        })?;
        for _ in 0..TRIES {
            let folder = folder.clone();
            let opened = tokio::task::spawn_blocking(move || muster_roll::open(&folder)).await;
            match opened.map_err(|panic| internal(&panic))? {
                Ok(Some(roll)) => return Ok(roll),
                Ok(None) => return Err(Status::not_found("nothing is in the roll yet")),
                Err(NotOpened::BeingWritten { .. }) => tokio::time::sleep(TRY_INTERVAL).await,
                Err(error) => return Err(internal(&error)),
            }
        }
        Err(Status::unavailable("the roll is being written; try again"))
    }

    /// Passes the parts on, a few ahead, until nobody has taken one for too long. What is `held` is
    /// kept until then.
    fn in_time<H: Send + 'static>(&self, mut parts: RollStream, held: H) -> RollStream {
        let (to, taken) = mpsc::channel(PARTS_AHEAD);
        let write_max = self.write_max;
        let pass_on = self.break_off.clone().run_until_cancelled_owned(async move {
            let _held = held;
            while let Some(part) = parts.next().await {
                if to.send_timeout(part, write_max).await.is_err() {
                    return false;
                }
            }
            true
        });
        let end = stream::once(self.shutdown.spawn(pass_on)).filter_map(|ended| {
            let is_whole = matches!(ended, Ok(Some(true)));
            let slow = "the roll was not taken in time, or the server ends; begin again";
            future::ready((!is_whole).then(|| Err(Status::unavailable(slow))))
        });
        ReceiverStream::new(taken).chain(end).boxed()
    }
}

#[tonic::async_trait]
impl v1::roll_server::Roll for Roll {
    type DownloadRollStream = RollStream;

    async fn get_roll(
        &self,
        _request: Request<v1::GetRollRequest>,
    ) -> Result<Response<v1::RollManifest>, Status> {
        let OpenRoll { manifest, written_at, .. } = self.open().await?;
        Ok(Response::new(v1::RollManifest {
            records: manifest.records,
            batches: manifest.batches,
            dead: manifest.dead,
            bytes: manifest.bytes,
            sha256: manifest.sha256,
            written_at: Some(written_at.into()),
            recent: manifest.recent.into_iter().rev().take(RECENT_MAX).map(entry).collect(),
        }))
    }

    async fn download_roll(
        &self,
        request: Request<v1::DownloadRollRequest>,
    ) -> Result<Response<RollStream>, Status> {
        let seat = admission::stream_seat(&self.streams, &request)?;
        let call = request.extensions().get::<Peer>().map(Peer::begin);
        let OpenRoll { manifest, file, .. } = self.open().await?;
        let sha256 = manifest.sha256.parse().map_err(|error| internal(&error))?;
        let parts = ReaderStream::with_capacity(File::from_std(file), PART_BYTES);
        let parts = parts.map_ok(|data| v1::RollPart { data }).map_err(|error| internal(&error));
        // Whoever takes nothing of it must not keep the file open, nor the seat taken.
        let parts = self.in_time(parts.boxed(), (seat, call));
        let mut response = Response::new(parts);
        let metadata = response.metadata_mut();
        metadata.insert(ROLL_RECORDS, manifest.records.into());
        metadata.insert(ROLL_BATCHES, manifest.batches.into());
        metadata.insert(ROLL_DEAD, manifest.dead.into());
        metadata.insert(ROLL_BYTES, manifest.bytes.into());
        metadata.insert(ROLL_SHA256, sha256);
        Ok(response)
    }
}

/// What the caller is told of files that cannot be read: which ones is for the log.
fn internal(error: &dyn std::error::Error) -> Status {
    tracing::error!(%error, "the roll cannot be read");
    Status::internal("the roll cannot be read; the server's log says why")
}

fn entry(Entry { batch, records, dead, sha256, .. }: Entry) -> v1::RollEntry {
    v1::RollEntry { batch, records, dead, sha256 }
}
