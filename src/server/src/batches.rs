//! The service `muster.v1.Batches`: what a client needs to resume a batch, to end it, and to wait
//! for it; and which batches there are.

use std::sync::Arc;

use muster_proto::v1;
use muster_queue::{Batch, BatchCursor, BatchId, BatchState, Error, Policy, Priority, Queue};
use tonic::{Request, Response, Status};

use crate::caller::Caller;
use crate::sampler::Sampler;
use crate::status;

/// How many batches a page has when the caller does not say.
const PAGE_SIZE_DEFAULT: u32 = 50;
/// How many it has at most.
const PAGE_SIZE_MAX: u32 = 1000;

/// The service.
#[derive(Debug)]
pub(crate) struct Batches {
    queue: Arc<dyn Queue>,
    sampler: Arc<Sampler>,
}

impl Batches {
    pub(crate) fn new(queue: Arc<dyn Queue>, sampler: Arc<Sampler>) -> Self {
        Self { queue, sampler }
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
        let batch = self.find(id).await?;
        let waiting_for = self.sampler.waiting_for(&batch);
        let queue_full = self.sampler.is_full();
        Ok(Response::new(v1::Batch { waiting_for, queue_full, ..to_proto(batch) }))
    }

    async fn list_batches(
        &self,
        request: Request<v1::ListBatchesRequest>,
    ) -> Result<Response<v1::ListBatchesResponse>, Status> {
        let request = request.get_ref();
        let state = state_of(request.state());
        let size = match request.page_size {
            0 => PAGE_SIZE_DEFAULT,
            size => size.min(PAGE_SIZE_MAX),
        } as usize;
        let after: Option<BatchCursor> = match request.page_token.as_str() {
            "" => None,
            token => Some(token.parse().map_err(|_| bad_token())?),
        };
        // One more, to know whether there is another page.
        let listed = self.queue.batches(state, after.as_ref(), size + 1).await;
        let mut batches = listed.map_err(|error| status::of(&error))?;
        let has_more = batches.len() > size;
        batches.truncate(size);
        let last = batches.last().filter(|_| has_more).and_then(Batch::cursor);
        Ok(Response::new(v1::ListBatchesResponse {
            batches: batches.into_iter().map(to_proto).collect(),
            next_page_token: last.map(|last| last.to_string()).unwrap_or_default(),
        }))
    }

    async fn seal_batch(
        &self,
        request: Request<v1::SealBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let v1::SealBatchRequest { id, records, digest } = request.get_ref();
        let id = batch_id("id", id)?;
        let digest = match digest.as_str() {
            "" => None,
            digest => Some(
                digest
                    .parse()
                    .map_err(|error| Status::invalid_argument(format!("`digest`: {error}")))?,
            ),
        };
        let batch = self.queue.seal(&id, Some(*records), digest).await;
        Ok(Response::new(to_proto(batch.map_err(|error| status::of(&error))?)))
    }

    async fn abort_batch(
        &self,
        request: Request<v1::AbortBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let id = batch_id("id", &request.get_ref().id)?;
        let batch = self.queue.abort(&id).await.map_err(|error| status::of(&error))?;
        let by = Caller::of(&request);
        tracing::warn!(batch = %id, received = batch.received, %by, "the batch is aborted");
        Ok(Response::new(to_proto(batch)))
    }
}

/// The state that is asked for; `None` for all.
fn state_of(state: v1::BatchState) -> Option<BatchState> {
    Some(match state {
        v1::BatchState::Unspecified => return None,
        v1::BatchState::Open => BatchState::Open,
        v1::BatchState::Sealed => BatchState::Sealed,
        v1::BatchState::Complete => BatchState::Complete,
        v1::BatchState::Written => BatchState::Written,
        v1::BatchState::Aborted => BatchState::Aborted,
    })
}

/// What a caller is told of a token that it made up.
pub(crate) fn bad_token() -> Status {
    Status::invalid_argument("`page_token` is none that an earlier page gave")
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
    let priority = match batch.priority {
        Priority::High => v1::BatchPriority::High,
        Priority::Normal => v1::BatchPriority::Normal,
        Priority::Low => v1::BatchPriority::Low,
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
        digest: batch.digest.map(|digest| digest.to_string()).unwrap_or_default(),
        kept: batch.kept,
        dead: batch.dead,
        roll_sha256: batch.roll_sha256.unwrap_or_default(),
        priority: priority.into(),
        chunks: batch.chunks,
        chunks_committed: batch.chunks_committed,
        opened_at: batch.times.opened.map(Into::into),
        sealed_at: batch.times.sealed.map(Into::into),
        completed_at: batch.times.completed.map(Into::into),
        ended_at: batch.times.ended.map(Into::into),
        waiting_for: String::new(),
        queue_full: false,
    }
}
