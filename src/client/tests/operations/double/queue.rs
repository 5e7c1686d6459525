//! The queue, and the workers of it.

use muster_proto::v1::queue_server::Queue;
use muster_proto::v1::workers_server::Workers;
use muster_proto::v1::*;
use tonic::{Request, Response, Status};

use super::{State, lock};

impl State {
    fn steer(&self, change: &str, steer: impl FnOnce(&mut Stats)) -> Response<Stats> {
        self.change(change.to_owned());
        let mut stats = lock(&self.stats);
        steer(&mut stats);
        Response::new(stats.clone())
    }
}

#[tonic::async_trait]
impl Queue for State {
    async fn get_stats(&self, _: Request<GetStatsRequest>) -> Result<Response<Stats>, Status> {
        Ok(Response::new(lock(&self.stats).clone()))
    }

    async fn pause_queue(&self, _: Request<PauseQueueRequest>) -> Result<Response<Stats>, Status> {
        Ok(self.steer("pause", |stats| stats.paused = true))
    }

    async fn resume_queue(
        &self,
        _: Request<ResumeQueueRequest>,
    ) -> Result<Response<Stats>, Status> {
        Ok(self.steer("resume", |stats| stats.paused = false))
    }

    async fn set_log_filter(
        &self,
        request: Request<SetLogFilterRequest>,
    ) -> Result<Response<Stats>, Status> {
        let filter = request.into_inner().filter;
        Ok(self.steer(&format!("log `{filter}`"), |stats| stats.log_filter.clone_from(&filter)))
    }
}

#[tonic::async_trait]
impl Workers for State {
    async fn list_workers(
        &self,
        _: Request<ListWorkersRequest>,
    ) -> Result<Response<ListWorkersResponse>, Status> {
        Ok(Response::new(ListWorkersResponse { workers: lock(&self.workers).clone() }))
    }
}
