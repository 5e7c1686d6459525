//! The operations on what was taken in: each service once, for gRPC and for the dashboard.

use std::sync::Arc;

use muster_dashboard::Services;
use muster_proto::v1::batches_server::BatchesServer;
use muster_proto::v1::dead_letters_server::DeadLettersServer;
use muster_proto::v1::queue_server::QueueServer;
use muster_proto::v1::roll_server::RollServer;
use muster_proto::v1::workers_server::WorkersServer;
use tonic::service::Routes;

use crate::batches::Batches;
use crate::compression::accept_compressed;
use crate::config::Config;
use crate::dead_letters::DeadLetters;
use crate::queue::Queue;
use crate::roll::Roll;
use crate::sampler::Sampler;
use crate::workers::Workers;

/// The services.
#[derive(Debug)]
pub(crate) struct Operations {
    batches: Arc<Batches>,
    dead_letters: Arc<DeadLetters>,
    queue: Arc<Queue>,
    roll: Arc<Roll>,
    workers: Arc<Workers>,
}

impl Operations {
    pub(crate) fn new(
        queue: &Arc<dyn muster_queue::Queue>,
        sampler: Arc<Sampler>,
        config: &Config,
        roll: Roll,
    ) -> Self {
        Self {
            batches: Arc::new(Batches::new(Arc::clone(queue), Arc::clone(&sampler))),
            dead_letters: Arc::new(DeadLetters::new(Arc::clone(queue), config.lengths())),
            queue: Arc::new(Queue::new(Arc::clone(queue), sampler)),
            roll: Arc::new(roll),
            workers: Arc::new(Workers::new(Arc::clone(queue))),
        }
    }

    /// For the dashboard.
    pub(crate) fn services(&self) -> Services {
        Services {
            batches: self.batches.clone(),
            dead_letters: self.dead_letters.clone(),
            queue: self.queue.clone(),
            roll: self.roll.clone(),
            workers: self.workers.clone(),
        }
    }

    /// For gRPC.
    pub(crate) fn routes(self) -> Routes {
        Routes::new(accept_compressed!(BatchesServer::from_arc(self.batches)))
            .add_service(accept_compressed!(DeadLettersServer::from_arc(self.dead_letters)))
            .add_service(accept_compressed!(QueueServer::from_arc(self.queue)))
            .add_service(accept_compressed!(RollServer::from_arc(self.roll)))
            .add_service(accept_compressed!(WorkersServer::from_arc(self.workers)))
    }
}
