//! Services that answer what a test sets, and remember what they were asked.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use futures::{StreamExt as _, stream};
use muster_dashboard::{Options, RollStream, Services};
use muster_proto::v1::batches_server::Batches;
use muster_proto::v1::dead_letters_server::DeadLetters;
use muster_proto::v1::queue_server::Queue;
use muster_proto::v1::roll_server::Roll;
use muster_proto::v1::workers_server::Workers;
use muster_proto::v1::*;
use tonic::{Request, Response, Status};

use crate::world::{NOW_SECONDS, World};

/// The services, and their world.
#[derive(Clone, Debug)]
pub(crate) struct Double(Arc<Mutex<World>>);

impl Double {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(World::new())))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(crate) fn services(&self) -> Services {
        Services {
            batches: Arc::new(self.clone()),
            dead_letters: Arc::new(self.clone()),
            queue: Arc::new(self.clone()),
            workers: Arc::new(self.clone()),
            roll: Arc::new(self.clone()),
        }
    }

    async fn asked<T>(&self, request: Request<T>, call: &str) -> Result<T, Status>
    where
        T: std::fmt::Debug,
    {
        let (silent, failure) = {
            let mut world = self.world();
            world.peer =
                request.extensions().get::<muster_access::Peer>().map(muster_access::Peer::address);
            let user_agent = request.metadata().get("user-agent");
            world.user_agent = user_agent.map(|agent| agent.to_str().unwrap().to_owned());
            world.calls.push(format!("{call} {:?}", request.get_ref()));
            (world.silent, world.failure.clone())
        };
        if silent {
            std::future::pending::<()>().await;
        }
        failure.map_or_else(|| Ok(request.into_inner()), Err)
    }
}

pub(crate) fn options() -> Options {
    Options {
        now: || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECONDS as u64),
        ..Options::default()
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Queue for Double {
    async fn get_stats(&self, request: Request<GetStatsRequest>) -> Answer<Stats> {
        self.asked(request, "stats").await?;
        Ok(Response::new(self.world().stats.clone()))
    }

    async fn pause_queue(&self, request: Request<PauseQueueRequest>) -> Answer<Stats> {
        self.asked(request, "pause").await?;
        self.world().stats.paused = true;
        Ok(Response::new(self.world().stats.clone()))
    }

    async fn resume_queue(&self, request: Request<ResumeQueueRequest>) -> Answer<Stats> {
        self.asked(request, "resume").await?;
        self.world().stats.paused = false;
        Ok(Response::new(self.world().stats.clone()))
    }

    async fn set_log_filter(&self, request: Request<SetLogFilterRequest>) -> Answer<Stats> {
        let filter = request.get_ref().filter.clone();
        self.asked(request, "log").await?;
        if filter == "loudly" {
            return Err(Status::invalid_argument("`filter`: `loudly` is no log level"));
        }
        self.world().stats.log_filter = filter;
        Ok(Response::new(self.world().stats.clone()))
    }
}

#[tonic::async_trait]
impl Batches for Double {
    async fn get_batch(&self, request: Request<GetBatchRequest>) -> Answer<Batch> {
        let GetBatchRequest { id } = self.asked(request, "batch").await?;
        let batch = self.world().batches.iter().find(|batch| batch.id == id).cloned();
        batch.map(Response::new).ok_or_else(|| Status::not_found(format!("no batch {id}")))
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Answer<ListBatchesResponse> {
        let asked = self.asked(request, "batches").await?;
        let world = self.world();
        let is_meant = |batch: &&Batch| asked.state == 0 || batch.state == asked.state;
        Ok(Response::new(ListBatchesResponse {
            batches: world.batches.iter().filter(is_meant).cloned().collect(),
            next_page_token: world.next_page_token.clone(),
        }))
    }

    async fn seal_batch(&self, request: Request<SealBatchRequest>) -> Answer<Batch> {
        self.asked(request, "seal").await?;
        Err(Status::internal("nothing of the dashboard seals"))
    }

    async fn abort_batch(&self, request: Request<AbortBatchRequest>) -> Answer<Batch> {
        self.asked(request, "abort").await?;
        Ok(Response::new(Batch::default()))
    }
}

#[tonic::async_trait]
impl Workers for Double {
    async fn list_workers(
        &self,
        request: Request<ListWorkersRequest>,
    ) -> Answer<ListWorkersResponse> {
        self.asked(request, "workers").await?;
        Ok(Response::new(ListWorkersResponse { workers: self.world().workers.clone() }))
    }
}

#[tonic::async_trait]
impl DeadLetters for Double {
    async fn list_dead_letter_groups(
        &self,
        request: Request<ListDeadLetterGroupsRequest>,
    ) -> Answer<ListDeadLetterGroupsResponse> {
        self.asked(request, "groups").await?;
        Ok(Response::new(ListDeadLetterGroupsResponse { groups: self.world().groups.clone() }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Answer<ListDeadLettersResponse> {
        self.asked(request, "letters").await?;
        let world = self.world();
        Ok(Response::new(ListDeadLettersResponse {
            dead_letters: world.letters.clone(),
            next_page_token: world.next_page_token.clone(),
        }))
    }

    async fn get_dead_letter(&self, request: Request<DeadLetterId>) -> Answer<DeadLetter> {
        let DeadLetterId { batch, place } = self.asked(request, "letter").await?;
        let world = self.world();
        let is_meant = |letter: &&DeadLetter| letter.batch == batch && letter.place == place;
        let letter = world.letters.iter().find(is_meant).cloned();
        letter.map(Response::new).ok_or_else(|| Status::not_found("no dead letter at this place"))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<ReplayDeadLettersRequest>,
    ) -> Answer<ReplayDeadLettersResponse> {
        self.asked(request, "replay").await?;
        Ok(Response::new(ReplayDeadLettersResponse { letters: 48, batches: vec!["b-9".into()] }))
    }

    async fn drop_dead_letters(
        &self,
        request: Request<DropDeadLettersRequest>,
    ) -> Answer<DropDeadLettersResponse> {
        self.asked(request, "drop").await?;
        Ok(Response::new(DropDeadLettersResponse { letters: 1 }))
    }
}

#[tonic::async_trait]
impl Roll for Double {
    type DownloadRollStream = RollStream;

    async fn get_roll(&self, request: Request<GetRollRequest>) -> Answer<RollManifest> {
        self.asked(request, "roll").await?;
        self.world().manifest.clone().map(Response::new)
    }

    async fn download_roll(&self, request: Request<DownloadRollRequest>) -> Answer<RollStream> {
        self.asked(request, "download").await?;
        let (manifest, parts) = {
            let world = self.world();
            (world.manifest.clone()?, world.roll.clone())
        };
        let mut response: Response<RollStream> = Response::new(stream::iter(parts).boxed());
        let metadata = response.metadata_mut();
        metadata.insert("muster-roll-bytes", manifest.bytes.into());
        metadata.insert("muster-roll-sha256", manifest.sha256.parse().unwrap());
        Ok(response)
    }
}
