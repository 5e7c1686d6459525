//! Operations on the roll.

use muster_proto::v1::{DownloadRollRequest, GetRollRequest, RollManifest, RollPart};
use tonic::{Response, Streaming};

use super::{Error, Missing, Operations};

impl Operations {
    /// What the roll holds.
    pub(crate) async fn roll(&self) -> Result<RollManifest, Error> {
        self.find(Missing::Roll, async || self.server.roll().get_roll(GetRollRequest {}).await)
            .await
    }

    /// The roll's file, from its first byte on, with what it has to be in the metadata.
    pub(crate) async fn download(&self) -> Result<Response<Streaming<RollPart>>, Error> {
        let begin = async || self.server.roll().download_roll(DownloadRollRequest {}).await;
        let begun = self.retry.call(begin).await;
        begun.map_err(|status| self.not_found(status, Missing::Roll))
    }

    /// The next part of the file; `None` at its end. What breaks off is not gone on with.
    pub(crate) async fn next_part(
        &self,
        parts: &mut Streaming<RollPart>,
    ) -> Result<Option<RollPart>, Error> {
        parts.message().await.map_err(|status| self.error(status))
    }
}
