//! The service `muster.v1.Workers`: which workers there are, and what they have in hand.

use std::sync::Arc;

use muster_proto::v1;
use muster_queue::{InHand, Queue, SeenWorker};
use tonic::{Request, Response, Status};

use crate::status;

/// The service.
#[derive(Debug)]
pub(crate) struct Workers {
    queue: Arc<dyn Queue>,
}

impl Workers {
    pub(crate) fn new(queue: Arc<dyn Queue>) -> Self {
        Self { queue }
    }
}

#[tonic::async_trait]
impl v1::workers_server::Workers for Workers {
    async fn list_workers(
        &self,
        _request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        let workers = self.queue.workers().await.map_err(|error| status::of(&error))?;
        let workers = workers.into_iter().map(to_proto).collect();
        Ok(Response::new(v1::ListWorkersResponse { workers }))
    }
}

fn to_proto(worker: SeenWorker) -> v1::Worker {
    let state = match () {
        () if worker.is_lost() => v1::WorkerState::Lost,
        () if worker.report.draining => v1::WorkerState::Draining,
        () => v1::WorkerState::Running,
    };
    let SeenWorker { report, last_heartbeat, .. } = worker;
    v1::Worker {
        id: report.id,
        host: report.host,
        pid: report.pid,
        version: report.version,
        workers: report.workers.into(),
        state: state.into(),
        since: Some(report.since.into()),
        last_heartbeat: Some(last_heartbeat.into()),
        processed: report.processed,
        failed: report.failed,
        in_hand: report.in_hand.into_iter().map(in_hand).collect(),
        roll_problem_since: report.roll_problem.as_ref().map(|problem| problem.since.into()),
        roll_problem: report.roll_problem.map(|problem| problem.reason).unwrap_or_default(),
    }
}

fn in_hand(InHand { batch, first, records }: InHand) -> v1::ChunkInHand {
    v1::ChunkInHand { batch: batch.to_string(), first, records }
}
