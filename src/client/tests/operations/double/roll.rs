//! The roll, which may break off, or not be what is said of it.

use std::pin::Pin;

use muster_proto::metadata::{ROLL_BATCHES, ROLL_BYTES, ROLL_DEAD, ROLL_RECORDS, ROLL_SHA256};
use muster_proto::v1::roll_server::Roll;
use muster_proto::v1::*;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::{State, lock};

/// How much of the roll goes into a part.
const PART_BYTES: usize = 4;

/// A roll, and what is said of it.
#[derive(Clone, Default)]
pub(crate) struct Canned {
    pub(crate) content: &'static str,
    pub(crate) manifest: RollManifest,
    /// Whether the file ends in an error.
    pub(crate) breaks_off: bool,
}

impl State {
    fn canned(&self) -> Result<Canned, Status> {
        lock(&self.roll).clone().ok_or_else(|| Status::not_found("nothing is written yet"))
    }
}

#[tonic::async_trait]
impl Roll for State {
    async fn get_roll(&self, _: Request<GetRollRequest>) -> Result<Response<RollManifest>, Status> {
        Ok(Response::new(self.canned()?.manifest))
    }

    type DownloadRollStream = Pin<Box<dyn Stream<Item = Result<RollPart, Status>> + Send>>;

    async fn download_roll(
        &self,
        _: Request<DownloadRollRequest>,
    ) -> Result<Response<Self::DownloadRollStream>, Status> {
        let Canned { content, manifest, breaks_off } = self.canned()?;
        let parts = content.as_bytes().chunks(PART_BYTES);
        let parts = parts.map(|part| Ok(RollPart { data: part.into() }));
        let end = breaks_off.then(|| Err(Status::unavailable("the disk is gone")));
        let mut response: Response<Self::DownloadRollStream> =
            Response::new(Box::pin(tokio_stream::iter(parts.chain(end))));
        let metadata = response.metadata_mut();
        for (key, number) in [
            (ROLL_RECORDS, manifest.records),
            (ROLL_BATCHES, manifest.batches),
            (ROLL_DEAD, manifest.dead),
        ] {
            metadata.insert(key, number.into());
        }
        metadata.insert(ROLL_BYTES, manifest.bytes.to_string().parse().unwrap());
        metadata.insert(ROLL_SHA256, manifest.sha256.parse().unwrap());
        Ok(response)
    }
}
