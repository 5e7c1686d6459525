//! A server that gives canned answers, and remembers what it was asked to change.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use muster_proto::metadata::{POLICY, RETRY_AFTER};
use muster_proto::users::users_server::{Users, UsersServer};
use muster_proto::users::{UserRequest, UserResponse};
use muster_proto::v1::batches_server::{Batches, BatchesServer};
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::dead_letters_server::{DeadLetters, DeadLettersServer};
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::*;
use prost::Message as _;
use prost_types::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// How many dead letters a page has.
const PAGE: usize = 2;

/// The server. It ends when it is dropped.
pub(crate) struct Double {
    addr: SocketAddr,
    state: Arc<State>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    /// What each look at a batch shows; the last is shown for ever.
    batches: Mutex<HashMap<String, VecDeque<Batch>>>,
    letters: Mutex<Vec<DeadLetter>>,
    /// How long a stream is not read.
    stalled: Mutex<Duration>,
    /// How long unary calls are answered with "full", from the first one on.
    full: Mutex<Duration>,
    first_call: OnceLock<Instant>,
    changes: Mutex<Vec<String>>,
}

impl Double {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let service = tonic::transport::Server::builder()
            .add_service(UsersServer::from_arc(Arc::clone(&state)))
            .add_service(BatchesServer::from_arc(Arc::clone(&state)))
            .add_service(DeadLettersServer::from_arc(Arc::clone(&state)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(service);
        Self { addr, state, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
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
            .extend(letters.into_iter().map(|(place, group)| letter(place, group)));
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

    /// What it was asked to change, in order.
    pub(crate) fn changes(&self) -> Vec<String> {
        lock(&self.state.changes).clone()
    }
}

fn letter(place: u64, group: &str) -> DeadLetter {
    let id = i32::try_from(place).unwrap() + 100;
    let record = UserRequest { id, email: "a\u{202e}b".to_owned(), ..UserRequest::default() };
    let time = |seconds| Some(Timestamp { seconds, nanos: 250_000_000 });
    DeadLetter {
        batch: "b-1".to_owned(),
        place,
        record_id: id,
        reason: group.to_owned(),
        group: group.to_owned(),
        attempts: 3,
        crashes: 0,
        first: time(1_700_000_000),
        last: time(1_700_000_060),
        trace: String::new(),
        record: record.encode_to_vec().into(),
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

    fn change(&self, change: String) {
        lock(&self.changes).push(change);
    }

    /// How many letters are selected.
    fn count(&self, which: &Which) -> Result<u64, Status> {
        let letters = lock(&self.letters);
        let selected = letters.iter().filter(|letter| match which {
            Which::Letter(id) => (&letter.batch, letter.place) == (&id.batch, id.place),
            Which::Batch(id) => letter.batch == *id,
            Which::Group(name) => letter.group == *name,
            Which::All(_) => true,
        });
        match selected.count() as u64 {
            0 => Err(Status::not_found("no such dead letter")),
            count => Ok(count),
        }
    }
}

fn shown(which: &Which) -> String {
    match which {
        Which::Letter(DeadLetterId { batch, place }) => format!("letter {batch} {place}"),
        Which::Batch(id) => format!("batch {id}"),
        Which::Group(name) => format!("group {name}"),
        Which::All(_) => "all".to_owned(),
    }
}

fn which(selector: Option<DeadLetterSelector>) -> Which {
    selector.unwrap().which.unwrap()
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
        self.change(format!("send {records}, policy {policy:?}"));
        Ok(Response::new(UserResponse { status: true, message: "ok".to_owned() }))
    }
}

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
        _: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let batches = lock(&self.batches).values().filter_map(|looks| looks.front().cloned());
        let batches = batches.collect();
        Ok(Response::new(ListBatchesResponse { batches, next_page_token: String::new() }))
    }

    async fn seal_batch(
        &self,
        request: Request<SealBatchRequest>,
    ) -> Result<Response<Batch>, Status> {
        let SealBatchRequest { id, records } = request.into_inner();
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

#[tonic::async_trait]
impl DeadLetters for State {
    async fn list_dead_letter_groups(
        &self,
        _: Request<ListDeadLetterGroupsRequest>,
    ) -> Result<Response<ListDeadLetterGroupsResponse>, Status> {
        let mut groups: Vec<DeadLetterGroup> = Vec::new();
        for letter in lock(&self.letters).iter() {
            match groups.iter_mut().find(|group| group.name == letter.group) {
                Some(group) => group.letters += 1,
                None => groups.push(DeadLetterGroup { name: letter.group.clone(), letters: 1 }),
            }
        }
        Ok(Response::new(ListDeadLetterGroupsResponse { groups }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let ListDeadLettersRequest { of, page_token, .. } = request.into_inner();
        let of = of.ok_or_else(|| Status::invalid_argument("of what?"))?;
        if let Of::Batch(id) = &of {
            self.look(id)?;
        }
        let from: usize = if page_token.is_empty() { 0 } else { page_token.parse().unwrap() };
        let letters = lock(&self.letters);
        let mut left = letters.iter().skip(from).filter(|letter| match &of {
            Of::Batch(id) => letter.batch == *id,
            Of::Group(name) => letter.group == *name,
        });
        let dead_letters: Vec<_> = left.by_ref().take(PAGE).cloned().collect();
        let next_page_token = match (left.next(), dead_letters.last()) {
            (Some(_), Some(last)) => {
                let at = letters.iter().position(|letter| letter.place == last.place);
                (at.unwrap() + 1).to_string()
            }
            _ => String::new(),
        };
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<DeadLetterId>,
    ) -> Result<Response<DeadLetter>, Status> {
        let id = request.into_inner();
        let letters = lock(&self.letters);
        let found =
            letters.iter().find(|letter| (&letter.batch, letter.place) == (&id.batch, id.place));
        found.cloned().map(Response::new).ok_or_else(|| Status::not_found("no such dead letter"))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<ReplayDeadLettersRequest>,
    ) -> Result<Response<ReplayDeadLettersResponse>, Status> {
        let ReplayDeadLettersRequest { selector, record } = request.into_inner();
        let which = which(selector);
        let letters = self.count(&which)?;
        let record = record.map(|record| UserRequest::decode(record).unwrap().email);
        self.change(format!("replay {}, email {record:?}", shown(&which)));
        Ok(Response::new(ReplayDeadLettersResponse { letters, batches: vec!["b-1".to_owned()] }))
    }

    async fn drop_dead_letters(
        &self,
        request: Request<DropDeadLettersRequest>,
    ) -> Result<Response<DropDeadLettersResponse>, Status> {
        let which = which(request.into_inner().selector);
        let letters = self.count(&which)?;
        self.change(format!("drop {}", shown(&which)));
        Ok(Response::new(DropDeadLettersResponse { letters }))
    }
}
