//! A server that gives canned answers, and remembers what it was asked to change.

mod batches;
mod letters;
mod queue;
pub(crate) mod roll;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use muster_proto::metadata::{POLICY, RETRY_AFTER};
use muster_proto::users::users_server::{Users, UsersServer};
use muster_proto::users::{UserRequest, UserResponse};
use muster_proto::v1::batches_server::BatchesServer;
use muster_proto::v1::dead_letters_server::DeadLettersServer;
use muster_proto::v1::queue_server::QueueServer;
use muster_proto::v1::roll_server::RollServer;
use muster_proto::v1::workers_server::WorkersServer;
use muster_proto::v1::{Batch, DeadLetter, Stats, Worker};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::InterceptorLayer;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

/// How many dead letters, or batches, a page has at most.
const PAGE: usize = 2;

/// The server. It ends when it is dropped.
pub(crate) struct Double {
    scheme: &'static str,
    addr: SocketAddr,
    state: Arc<State>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    /// What each look at a batch shows; the last is shown for ever.
    batches: Mutex<HashMap<String, VecDeque<Batch>>>,
    /// What a list of batches has.
    listed: Mutex<Vec<Batch>>,
    letters: Mutex<Vec<DeadLetter>>,
    stats: Mutex<Stats>,
    workers: Mutex<Vec<Worker>>,
    roll: Mutex<Option<roll::Canned>>,
    /// How long a stream is not read.
    stalled: Mutex<Duration>,
    /// Whether the next stream is answered with "leaves a gap".
    is_behind: Mutex<bool>,
    /// How long unary calls are answered with "full", from the first one on.
    full: Mutex<Duration>,
    first_call: OnceLock<Instant>,
    changes: Mutex<Vec<String>>,
    /// What every call has to bring, if anything.
    authorization: Mutex<Option<String>>,
}

impl Double {
    pub(crate) fn start() -> Self {
        Self::serve("http", Server::builder())
    }

    /// The same, by TLS.
    pub(crate) fn start_with_tls(tls: ServerTlsConfig) -> Self {
        Self::serve("https", Server::builder().tls_config(tls).unwrap())
    }

    fn serve(scheme: &'static str, server: Server) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let admission = Arc::clone(&state);
        let service = server
            .layer(InterceptorLayer::new(move |request| admission.admit(request)))
            .add_service(UsersServer::from_arc(Arc::clone(&state)))
            .add_service(BatchesServer::from_arc(Arc::clone(&state)))
            .add_service(DeadLettersServer::from_arc(Arc::clone(&state)))
            .add_service(QueueServer::from_arc(Arc::clone(&state)))
            .add_service(WorkersServer::from_arc(Arc::clone(&state)))
            .add_service(RollServer::from_arc(Arc::clone(&state)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(service);
        Self { scheme, addr, state, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// Shows these one after another when it is asked for batch `b-1`.
    pub(crate) fn with_batch(self, shown: impl IntoIterator<Item = Batch>) -> Self {
        for mut batch in shown {
            batch.id = "b-1".to_owned();
            lock(&self.state.batches).entry(batch.id.clone()).or_default().push_back(batch);
        }
        self
    }

    /// Has these dead letters of batch `b-1`: a place, and a group that is also the reason.
    pub(crate) fn with_letters<'a>(
        self,
        letters: impl IntoIterator<Item = (u64, &'a str)>,
    ) -> Self {
        lock(&self.state.letters)
            .extend(letters.into_iter().map(|(place, group)| letters::letter(place, group)));
        self
    }

    /// Lists these batches.
    pub(crate) fn with_list(self, batches: impl IntoIterator<Item = Batch>) -> Self {
        lock(&self.state.listed).extend(batches);
        self
    }

    /// Has a queue like this.
    pub(crate) fn with_stats(self, stats: Stats) -> Self {
        *lock(&self.state.stats) = stats;
        self
    }

    /// Has these workers.
    pub(crate) fn with_workers(self, workers: impl IntoIterator<Item = Worker>) -> Self {
        lock(&self.state.workers).extend(workers);
        self
    }

    /// Has this roll.
    pub(crate) fn with_roll(self, roll: roll::Canned) -> Self {
        *lock(&self.state.roll) = Some(roll);
        self
    }

    /// Answers unary calls with "full" for so long.
    pub(crate) fn full_for(self, time: Duration) -> Self {
        *lock(&self.state.full) = time;
        self
    }

    /// Lets a stream wait so long before it reads it.
    pub(crate) fn stalled_for(self, time: Duration) -> Self {
        *lock(&self.state.stalled) = time;
        self
    }

    /// Answers the first stream like a server whose store has lost records of it.
    pub(crate) fn behind(self) -> Self {
        *lock(&self.state.is_behind) = true;
        self
    }

    /// Refuses calls without this token.
    pub(crate) fn with_token(self, token: &str) -> Self {
        *lock(&self.state.authorization) = Some(format!("Bearer {token}"));
        self
    }

    /// What it was asked to change, in order.
    pub(crate) fn changes(&self) -> Vec<String> {
        lock(&self.state.changes).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl State {
    fn look(&self, id: &str) -> Result<Response<Batch>, Status> {
        let mut batches = lock(&self.batches);
        let shown = batches.get_mut(id).ok_or_else(|| Status::not_found("no such batch"))?;
        let batch = if shown.len() > 1 { shown.pop_front() } else { shown.front().cloned() };
        Ok(Response::new(batch.unwrap()))
    }

    fn admit(&self, request: Request<()>) -> Result<Request<()>, Status> {
        let given = request.metadata().get("authorization");
        let given = given.map(|value| value.to_str().unwrap());
        match lock(&self.authorization).as_deref() {
            Some(expected) if given != Some(expected) => {
                Err(Status::unauthenticated("no such token"))
            }
            _ => Ok(request),
        }
    }

    fn change(&self, change: String) {
        lock(&self.changes).push(change);
    }
}

#[tonic::async_trait]
impl Users for State {
    async fn send_user_info(
        &self,
        _: Request<UserRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        if self.first_call.get_or_init(Instant::now).elapsed() < *lock(&self.full) {
            let mut status = Status::resource_exhausted("the queue is full");
            status.metadata_mut().insert(RETRY_AFTER, "500".parse().unwrap());
            return Err(status);
        }
        Ok(Response::new(UserResponse { status: true, message: "ok".to_owned() }))
    }

    async fn send_user_info_client_stream(
        &self,
        request: Request<Streaming<UserRequest>>,
    ) -> Result<Response<UserResponse>, Status> {
        let policy =
            request.metadata().get(POLICY).map(|policy| policy.to_str().unwrap().to_owned());
        let mut stream = request.into_inner();
        let stalled = *lock(&self.stalled);
        tokio::time::sleep(stalled).await;
        let mut records = 0;
        while stream.try_next().await?.is_some() {
            records += 1;
        }
        if mem::take(&mut *lock(&self.is_behind)) {
            return Err(Status::out_of_range("the next record leaves a gap"));
        }
        self.change(format!("send {records}, policy {policy:?}"));
        Ok(Response::new(UserResponse { status: true, message: "ok".to_owned() }))
    }
}
