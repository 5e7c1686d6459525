//! The service `muster.v1.Batches`: what a client needs to resume a batch, to end it, and to wait
//! for it.

use std::sync::Arc;

use muster_proto::v1;
use muster_queue::{Batch, BatchId, BatchState, Error, Policy, Queue};
use tonic::{Request, Response, Status};

use crate::status;

/// The service.
#[derive(Debug)]
pub(crate) struct Batches {
    queue: Arc<dyn Queue>,
}

impl Batches {
    pub(crate) fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue }
    }

    async fn find(&self, id: BatchId) -> Result<Batch, Status> {
        let batch = self.queue.batch(&id).await.map_err(|error| status::of(&error))?;
        batch.ok_or_else(|| status::of(&Error::UnknownBatch(id)))
    }
}

#[tonic::async_trait]
impl v1::batches_server::Batches for Batches {
    async fn get_batch(
        &self,
        request: Request<v1::GetBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let id = batch_id("id", &request.get_ref().id)?;
        Ok(Response::new(to_proto(self.find(id).await?)))
    }

    async fn list_batches(
        &self,
        _request: Request<v1::ListBatchesRequest>,
    ) -> Result<Response<v1::ListBatchesResponse>, Status> {
        Err(Status::unimplemented("the store keeps no list of batches yet"))
    }

    async fn seal_batch(
        &self,
        request: Request<v1::SealBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let v1::SealBatchRequest { id, records } = request.get_ref();
        let id = batch_id("id", id)?;
        let batch = self.queue.seal(&id, Some(*records)).await;
        Ok(Response::new(to_proto(batch.map_err(|error| status::of(&error))?)))
    }

    async fn abort_batch(
        &self,
        request: Request<v1::AbortBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let id = batch_id("id", &request.get_ref().id)?;
        let batch = self.queue.abort(&id).await.map_err(|error| status::of(&error))?;
        tracing::warn!(batch = %id, received = batch.received, "aborted by a client");
        Ok(Response::new(to_proto(batch)))
    }
}
/// Reads the id of a batch in the field of a request.
pub(crate) fn batch_id(field: &str, text: &str) -> Result<BatchId, Status> {
    text.parse().map_err(|error| Status::invalid_argument(format!("`{field}`: {error}")))
}

fn to_proto(batch: Batch) -> v1::Batch {
    let state = match batch.state {
        BatchState::Open => v1::BatchState::Open,
        BatchState::Sealed => v1::BatchState::Sealed,
        BatchState::Complete => v1::BatchState::Complete,
        BatchState::Written => v1::BatchState::Written,
        BatchState::Aborted => v1::BatchState::Aborted,
    };
    let policy = match batch.policy {
        Policy::Partial => v1::BatchPolicy::Partial,
        Policy::Fail => v1::BatchPolicy::Fail,
    };
    v1::Batch {
        held: batch.is_held(),
        policy: policy.into(),
        retrying: batch.retrying,
        dropped: batch.dropped,
        replayed: batch.replayed,
        overdue: batch.overdue,
        id: batch.id.to_string(),
        state: state.into(),
        received: batch.received,
        kept: batch.kept,
        dead: batch.dead,
        roll_sha256: batch.roll_sha256.unwrap_or_default(),
        ..v1::Batch::default()
    }
}
