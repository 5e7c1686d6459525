//! The service `muster.v1.Roll`: what is in the roll, and the file itself.

use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use muster_dashboard::RollStream;
use muster_proto::metadata::{ROLL_BYTES, ROLL_SHA256};
use muster_proto::v1;
use muster_roll::{Entry, NotOpened, OpenRoll};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status};

/// How long one part of the file is, in bytes.
const PART_BYTES: usize = 64 * 1024;
/// How many of the batches that were added last are told.
const RECENT_MAX: usize = 256;
/// How often a roll that is being written is looked at again, and after how long.
const TRIES: usize = 20;
const TRY_INTERVAL: Duration = Duration::from_millis(50);

/// The service.
#[derive(Debug)]
pub(crate) struct Roll {
    folder: Option<PathBuf>,
}

impl Roll {
    /// The roll in this folder, if the server has one.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
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
        _request: Request<v1::DownloadRollRequest>,
    ) -> Result<Response<RollStream>, Status> {
        let OpenRoll { manifest, file, .. } = self.open().await?;
        let sha256 = manifest.sha256.parse().map_err(|error| internal(&error))?;
        let parts = ReaderStream::with_capacity(File::from_std(file), PART_BYTES);
        let parts = parts.map_ok(|data| v1::RollPart { data }).map_err(|error| internal(&error));
        let mut response = Response::new(parts.boxed());
        response.metadata_mut().insert(ROLL_BYTES, manifest.bytes.into());
        response.metadata_mut().insert(ROLL_SHA256, sha256);
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
