//! The service `muster.v1.Batches`: what a client needs to resume a batch, to end it, and to wait
//! for it.

use std::sync::Arc;

use muster_proto::v1;
use muster_queue::{Batch, BatchId, BatchState, DeadLetter, Error, Queue};
use tonic::{Request, Response, Status};

use crate::status;

/// How many dead letters a page has when the caller does not say.
const PAGE_SIZE_DEFAULT: u32 = 100;
/// How many it has at most.
const PAGE_SIZE_MAX: u32 = 1000;

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

    async fn seal_batch(
        &self,
        request: Request<v1::SealBatchRequest>,
    ) -> Result<Response<v1::Batch>, Status> {
        let v1::SealBatchRequest { id, records } = request.get_ref();
        let id = batch_id("id", id)?;
        let batch = self.queue.seal(&id, Some(*records)).await;
        Ok(Response::new(to_proto(batch.map_err(|error| status::of(&error))?)))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let v1::ListDeadLettersRequest { batch, from_place, page_size } = request.get_ref();
        let id = batch_id("batch", batch)?;
        let page_size = match *page_size {
            0 => PAGE_SIZE_DEFAULT,
            size => size.min(PAGE_SIZE_MAX),
        } as usize;
        // One more than asked for: it tells whether there is a next page.
        let letters = self.queue.dead_letters(&id, *from_place, page_size + 1).await;
        let mut letters = letters.map_err(|error| status::of(&error))?;
        if letters.is_empty() {
            self.find(id).await?;
        }
        let next_place = letters.get(page_size).map(|letter| letter.place);
        letters.truncate(page_size);
        let dead_letters = letters.into_iter().map(letter_to_proto).collect();
        Ok(Response::new(v1::ListDeadLettersResponse { dead_letters, next_place }))
    }
}

fn batch_id(field: &str, text: &str) -> Result<BatchId, Status> {
    text.parse().map_err(|error| Status::invalid_argument(format!("`{field}`: {error}")))
}

fn to_proto(batch: Batch) -> v1::Batch {
    let state = match batch.state {
        BatchState::Open => v1::BatchState::Open,
        BatchState::Sealed => v1::BatchState::Sealed,
        BatchState::Complete => v1::BatchState::Complete,
        BatchState::Written => v1::BatchState::Written,
    };
    v1::Batch {
        id: batch.id.to_string(),
        state: state.into(),
        received: batch.received,
        kept: batch.kept,
        dead: batch.dead,
        roll_sha256: batch.roll_sha256.unwrap_or_default(),
    }
}

fn letter_to_proto(letter: DeadLetter) -> v1::DeadLetter {
    v1::DeadLetter { place: letter.place, record_id: letter.record_id, reason: letter.reason }
}
