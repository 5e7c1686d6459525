//! Batches: what each look shows, and a list of them.

use muster_proto::v1::batches_server::Batches;
use muster_proto::v1::*;
use tonic::{Request, Response, Status};

use super::{PAGE, State, lock};

#[tonic::async_trait]
impl Batches for State {
    async fn get_batch(
        &self,
        request: Request<GetBatchRequest>,
    ) -> Result<Response<Batch>, Status> {
        self.look(&request.into_inner().id)
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let request = request.into_inner();
        let listed = lock(&self.listed);
        let wanted: Vec<_> = listed
            .iter()
            .filter(|batch| request.state == 0 || batch.state == request.state)
            .cloned()
            .collect();
        let from: usize = request.page_token.parse().unwrap_or_default();
        let to = wanted.len().min(from + PAGE.min(request.page_size as usize));
        let next_page_token = if to < wanted.len() { to.to_string() } else { String::new() };
        let batches = wanted[from..to].to_vec();
        self.change(format!("list {} from {from}", request.page_size));
        Ok(Response::new(ListBatchesResponse { batches, next_page_token }))
    }

    async fn seal_batch(
        &self,
        request: Request<SealBatchRequest>,
    ) -> Result<Response<Batch>, Status> {
        let SealBatchRequest { id, records, digest: _ } = request.into_inner();
        self.change(format!("seal {records}"));
        self.look(&id)
    }

    async fn abort_batch(
        &self,
        request: Request<AbortBatchRequest>,
    ) -> Result<Response<Batch>, Status> {
        let id = request.into_inner().id;
        let batch = self.look(&id)?;
        if batch.get_ref().state() == BatchState::Written {
            return Err(Status::failed_precondition("the batch is written"));
        }
        self.change(format!("abort {id}"));
        Ok(batch)
    }
}
