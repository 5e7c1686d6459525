//! A server in this process, on a store of its own, and the calls that the tests make.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::Stream;
use muster_program::readiness::Readiness;
use muster_program::shutdown::Shutdown;
use muster_proto::chunk::Decoder;
use muster_proto::user::User;
use muster_proto::users::users_client::UsersClient;
use muster_proto::users::{UserRequest, UserResponse};
use muster_proto::v1;
use muster_proto::v1::batches_client::BatchesClient;
use muster_proto::v1::dead_letters_client::DeadLettersClient;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{BatchId, Chunk, DeadLetter, Kept, Outcome, Queue, Work, WorkerId};
use muster_server::Server;
use muster_server::config::Config;
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{IntoRequest as _, Request, Response, Status};

use crate::gate::Gate;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);
/// More pieces of work than any test makes.
const ALL: usize = 100;

pub(crate) struct Desk {
    /// The store, as the server has it.
    pub(crate) store: Arc<Gate>,
    /// Where gRPC is served.
    pub(crate) grpc: SocketAddr,
    /// Where `/livez` and `/readyz` are served.
    pub(crate) http: SocketAddr,
    pub(crate) channel: Channel,
    _home: TempDir,
}

impl Desk {
    /// Starts a server on an empty store.
    pub(crate) async fn open() -> Self {
        Self::open_with(Config::default()).await
    }

    /// Starts a server with these settings, but for its addresses and its store.
    pub(crate) async fn open_with(config: Config) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("queue.redb");
        let store = EmbeddedQueue::open(&file, &config.store_options()).unwrap();
        let store = Arc::new(Gate::before(store));
        let any_port = (Ipv4Addr::LOCALHOST, 0).into();
        let config = Config { listen: any_port, http: any_port, ..config };
        let server = Server::bind(&config).await.unwrap();
        let (grpc, http) = (server.grpc_addr().unwrap(), server.http_addr().unwrap());
        let (queue, shutdown) = (Arc::clone(&store), Shutdown::default());
        shutdown.clone().spawn(async move {
            server.serve(queue, &Readiness::default(), &shutdown).await.unwrap();
        });
        Self { store, grpc, http, channel: connect(grpc).await, _home: home }
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self) -> Channel {
        connect(self.grpc).await
    }

    pub(crate) fn batches(&self) -> BatchesClient<Channel> {
        BatchesClient::new(self.channel.clone())
    }

    pub(crate) fn dead_letters(&self) -> DeadLettersClient<Channel> {
        DeadLettersClient::new(self.channel.clone())
    }

    /// Sends one record by a unary call.
    pub(crate) async fn send(&self, request: Request<UserRequest>) -> Result<UserResponse, Status> {
        let mut users = UsersClient::new(self.channel.clone());
        Ok(users.send_user_info(request).await?.into_inner())
    }

    /// Sends records by one client stream.
    pub(crate) async fn stream<S>(
        &self,
        records: S,
        labels: &[(&'static str, &str)],
    ) -> Result<Response<UserResponse>, Status>
    where
        S: Stream<Item = UserRequest> + Send + 'static,
    {
        let mut users = UsersClient::new(self.channel.clone());
        users.send_user_info_client_stream(labelled(records, labels)).await
    }

    /// Sends the records with these ids as a stream of this batch, the first at `place`.
    pub(crate) async fn send_stream(
        &self,
        batch: &str,
        place: u64,
        ids: impl IntoIterator<Item = i32>,
    ) -> Result<UserResponse, Status> {
        let labels = [("muster-batch", batch), ("muster-place", &place.to_string())];
        Ok(self.stream(records(ids), &labels).await?.into_inner())
    }

    /// The batch, as the server shows it.
    pub(crate) async fn batch(&self, id: &str) -> Result<v1::Batch, Status> {
        let request = v1::GetBatchRequest { id: id.to_owned() };
        Ok(self.batches().get_batch(request).await?.into_inner())
    }

    /// The ids of all records in the queue, in order. Nobody has leased them.
    pub(crate) async fn queued(&self) -> Vec<i32> {
        let chunks = self.lease(Duration::ZERO).await;
        let payloads = chunks.into_iter().map(|chunk| chunk.payload);
        payloads.flat_map(Decoder::new).map(|raw| User::read(&raw.unwrap()).unwrap().id).collect()
    }

    /// Leases all that waits, as a worker would, and waits for the first.
    pub(crate) async fn lease_when_there(&self) -> Vec<Chunk> {
        self.lease(LONG).await
    }

    /// Commits all that waits as dead letters, each for the reason that `reason` gives for its
    /// place.
    pub(crate) async fn bury_all(&self, reason: impl Fn(u64) -> String) {
        for chunk in self.lease_when_there().await {
            let mut records = Decoder::new(chunk.payload.clone());
            let letter = |place: u64| {
                let raw = records.next().unwrap().unwrap();
                let record_id = User::read(&raw).unwrap().id;
                DeadLetter {
                    place,
                    record_id,
                    reason: reason(place),
                    attempts: 5,
                    crashes: 0,
                    first: SystemTime::UNIX_EPOCH,
                    last: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
                    trace: chunk.trace.clone(),
                    record: raw,
                }
            };
            let dead = (chunk.first..).take(chunk.count as usize).map(letter).collect();
            let outcome = Outcome { kept: Kept::Runs(Vec::new()), dead, retry: Vec::new() };
            self.store.commit(&chunk, &outcome).await.unwrap();
        }
    }

    /// Commits all that waits as it is.
    pub(crate) async fn keep_all(&self) {
        for chunk in self.lease_when_there().await {
            let kept = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
            self.store.commit(&chunk, &kept).await.unwrap();
        }
    }

    async fn lease(&self, wait: Duration) -> Vec<Chunk> {
        let worker = WorkerId::random("test");
        let work = self.store.lease(&worker, ALL, wait).await.unwrap();
        let chunk = |work| match work {
            Work::Chunk(chunk) => Some(chunk),
            Work::Roll(_) => None,
        };
        work.into_iter().filter_map(chunk).collect()
    }
}

async fn connect(grpc: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{grpc}")).unwrap().connect().await.unwrap()
}

/// A record with this id.
pub(crate) fn record(id: i32) -> UserRequest {
    UserRequest { id, user_name: format!("user{id}"), ..UserRequest::default() }
}

/// Records with these ids.
pub(crate) fn records<I>(ids: I) -> impl Stream<Item = UserRequest> + Send + 'static
where
    I: IntoIterator<Item = i32>,
{
    tokio_stream::iter(ids.into_iter().map(record).collect::<Vec<_>>())
}

/// A message with metadata beside it.
pub(crate) fn labelled<T>(message: T, labels: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (key, value) in labels {
        request.metadata_mut().insert(*key, value.parse().unwrap());
    }
    request
}

/// A record for a place of a batch, as a unary call.
pub(crate) fn placed(batch: &str, place: u64, id: i32) -> Request<UserRequest> {
    let place = place.to_string();
    labelled(record(id), &[("muster-batch", batch), ("muster-place", &place)])
}

/// A record for whatever batch the server has open.
pub(crate) fn unplaced(id: i32) -> Request<UserRequest> {
    record(id).into_request()
}

/// The answer to what was accepted.
pub(crate) fn ok() -> UserResponse {
    UserResponse { status: true, message: "ok".to_owned() }
}

/// A batch id.
pub(crate) fn id(text: &str) -> BatchId {
    text.parse().unwrap()
}

/// Asks again and again until the answer is yes, for at most [`LONG`].
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let limit = Instant::now() + LONG;
    while !is_so().await {
        assert!(Instant::now() < limit, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
