//! The service `muster.v1.Queue`: the queue as a whole.

use std::sync::Arc;

use muster_program::logging;
use muster_proto::v1;
use tonic::{Request, Response, Status};

use crate::caller::Caller;
use crate::sampler::Sampler;
use crate::status;

/// The service.
#[derive(Debug)]
pub(crate) struct Queue {
    queue: Arc<dyn muster_queue::Queue>,
    sampler: Arc<Sampler>,
}

impl Queue {
    pub(crate) fn new(queue: Arc<dyn muster_queue::Queue>, sampler: Arc<Sampler>) -> Self {
        Self { queue, sampler }
    }

    /// The answer to a change: what the queue is like with it.
    async fn after(&self, change: muster_queue::Result<()>) -> Result<Response<v1::Stats>, Status> {
        change.map_err(|error| status::of(&error))?;
        self.sampler.look().await.map_err(|error| status::of(&error))?;
        Ok(Response::new(self.sampler.stats()))
    }
}

#[tonic::async_trait]
impl v1::queue_server::Queue for Queue {
    async fn get_stats(
        &self,
        _request: Request<v1::GetStatsRequest>,
    ) -> Result<Response<v1::Stats>, Status> {
        Ok(Response::new(self.sampler.stats()))
    }

    async fn pause_queue(
        &self,
        request: Request<v1::PauseQueueRequest>,
    ) -> Result<Response<v1::Stats>, Status> {
        let paused = self.queue.pause(true).await;
        if paused.is_ok() {
            tracing::warn!(by = %Caller::of(&request), "the queue is paused");
        }
        self.after(paused).await
    }

    async fn resume_queue(
        &self,
        request: Request<v1::ResumeQueueRequest>,
    ) -> Result<Response<v1::Stats>, Status> {
        let resumed = self.queue.pause(false).await;
        if resumed.is_ok() {
            tracing::warn!(by = %Caller::of(&request), "the queue is resumed");
        }
        self.after(resumed).await
    }

    async fn set_log_filter(
        &self,
        request: Request<v1::SetLogFilterRequest>,
    ) -> Result<Response<v1::Stats>, Status> {
        let filter = request.get_ref().filter.as_str();
        let filter = (!filter.is_empty()).then_some(filter);
        if let Some(filter) = filter {
            logging::parse_filter(filter)
                .map_err(|error| Status::invalid_argument(format!("`filter`: {error}")))?;
        }
        let set = self.queue.set_log_filter(filter).await;
        if set.is_ok() {
            tracing::warn!(by = %Caller::of(&request), filter, "the log's filter is set");
        }
        self.after(set).await
    }
}
