//! Operations on batches.

use muster_proto::v1::{
    AbortBatchRequest, Batch, BatchState, GetBatchRequest, ListBatchesRequest, ListBatchesResponse,
};

use super::{Error, Missing, Operations};
use crate::wait;

impl Operations {
    /// Shows a batch.
    pub(crate) async fn batch(&self, id: &str) -> Result<Batch, Error> {
        let request = GetBatchRequest { id: id.to_owned() };
        let get = async || self.server.batches().get_batch(request.clone()).await;
        self.find(Missing::Batch(id.to_owned()), get).await
    }

    /// A page of batches, the newest first: the first page for an empty token.
    pub(crate) async fn batches(
        &self,
        state: BatchState,
        page_token: String,
        page_size: u32,
    ) -> Result<ListBatchesResponse, Error> {
        let request = ListBatchesRequest { state: state.into(), page_token, page_size };
        self.ask(async || self.server.batches().list_batches(request.clone()).await).await
    }

    /// Discards a batch.
    pub(crate) async fn abort(&self, id: &str) -> Result<Batch, Error> {
        let request = AbortBatchRequest { id: id.to_owned() };
        let abort = async || self.server.batches().abort_batch(request.clone()).await;
        self.find(Missing::Batch(id.to_owned()), abort).await
    }

    /// Waits until the batch is written or held.
    ///
    /// # Errors
    ///
    /// Also [`Error::Aborted`].
    pub(crate) async fn settled(&self, id: &str) -> Result<Batch, Error> {
        let batch = wait::until_settled(&self.server, &self.retry, id, None).await;
        let missing = Missing::Batch(id.to_owned());
        let batch = batch.map_err(|status| self.not_found(status, missing))?;
        if batch.state() == BatchState::Aborted {
            return Err(Error::Aborted { server: self.url.clone(), batch: Box::new(batch) });
        }
        Ok(batch)
    }
}
