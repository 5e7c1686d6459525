//! Operations on the queue as a whole, and on those that work through it.

use muster_proto::v1::{
    GetStatsRequest, ListWorkersRequest, PauseQueueRequest, ResumeQueueRequest,
    SetLogFilterRequest, Stats, Worker,
};

use super::{Error, Operations};

impl Operations {
    /// What waits, and how fast it moves.
    pub(crate) async fn stats(&self) -> Result<Stats, Error> {
        self.ask(async || self.server.queue().get_stats(GetStatsRequest {}).await).await
    }

    /// Lets workers take nothing more.
    pub(crate) async fn pause(&self) -> Result<Stats, Error> {
        self.ask(async || self.server.queue().pause_queue(PauseQueueRequest {}).await).await
    }

    /// Lets workers take again.
    pub(crate) async fn resume(&self) -> Result<Stats, Error> {
        self.ask(async || self.server.queue().resume_queue(ResumeQueueRequest {}).await).await
    }

    /// Sets what all servers and workers log; with an empty filter each has its own again.
    pub(crate) async fn set_log_filter(&self, filter: &str) -> Result<Stats, Error> {
        let request = SetLogFilterRequest { filter: filter.to_owned() };
        self.ask(async || self.server.queue().set_log_filter(request.clone()).await).await
    }

    /// The processes that run workers.
    pub(crate) async fn workers(&self) -> Result<Vec<Worker>, Error> {
        let list = async || self.server.workers().list_workers(ListWorkersRequest {}).await;
        Ok(self.ask(list).await?.workers)
    }
}
