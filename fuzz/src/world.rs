//! A server's services on a store of their own, in this process.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response, Uri};
use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use muster_program::shutdown::Shutdown;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{Queue, StoreUrl};
use muster_server::config::Config;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tonic::Code;
use tower::ServiceExt as _;
use tower::util::BoxCloneService;

use crate::call::{Call, What, calls};
use crate::work::work;
use crate::{answer, scratch};

/// How long an answer may take, even if the machine is busy.
const LIMIT: Duration = Duration::from_secs(60);
/// More than any page has, in bytes.
const PAGE_BYTES_MAX: usize = 64 << 20;
/// More batches and letters than one input makes.
const ALL: usize = 1000;

/// The services of gRPC.
type Grpc = BoxCloneService<Request<tonic::body::Body>, Response<tonic::body::Body>, Infallible>;

/// Makes the calls of both inputs, one after another, in a new world. Panics at an answer that must
/// not be, and at a store that is not well afterwards.
pub(crate) fn play(before: &[u8], data: &[u8]) {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("there is a runtime").block_on(async {
        let world = World::begin();
        for call in calls(before).into_iter().chain(calls(data)) {
            let made = timeout(LIMIT, world.make(call)).await;
            made.expect("an answer comes in time");
        }
        world.is_well().await;
        world.end().await;
    });
}

struct World {
    queue: Arc<dyn Queue>,
    grpc: Grpc,
    dashboard: Router,
    shutdown: Shutdown,
    _home: TempDir,
}

impl World {
    fn begin() -> Self {
        let home = scratch::folder();
        let file = home.path().join("queue.redb");
        let config = Config {
            store: StoreUrl::Embedded(file.clone()),
            roll: Some(home.path().to_owned()),
            ..Config::default()
        };
        let queue = EmbeddedQueue::open(&file, &config.store_options());
        let queue: Arc<dyn Queue> = Arc::new(queue.expect("a store can be made"));
        let shutdown = Shutdown::default();
        let (grpc, operations) = muster_server::services(&queue, &config, &shutdown);
        let options = muster_dashboard::Options {
            shutdown: shutdown.token(),
            ..muster_dashboard::Options::default()
        };
        let dashboard = muster_dashboard::router(operations, options);
        Self { queue, grpc: BoxCloneService::new(grpc), dashboard, shutdown, _home: home }
    }

    /// Makes a call, and checks its answer.
    async fn make(&self, call: Call<'_>) {
        let Call { what, headers, messages } = call;
        let message = messages.first().copied().unwrap_or_default();
        match what {
            What::Worker(how) => work(self.queue.as_ref(), how, message).await,
            What::Page(method, path) => self.visit(method, path, headers, message).await,
            What::Method(method) => {
                let path = [b"/", method].concat();
                self.ask(&path, headers, &messages).await;
            }
        }
    }

    /// Calls a method of gRPC. Gives what it answers; none to a path that HTTP does not carry.
    async fn ask(&self, path: &[u8], headers: HeaderMap, messages: &[&[u8]]) -> Option<Code> {
        let body = tonic::body::Body::new(Full::new(framed(messages)));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::try_from(path).ok()?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let answer = self.grpc.clone().oneshot(request).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let body = body.collect().await.expect("an answer is whole");
        Some(answer::of_call(head.status, &head.headers, body.trailers()))
    }

    /// Opens a page, or sends a form.
    async fn visit(&self, method: Method, path: &[u8], headers: HeaderMap, form: &[u8]) {
        let Ok(uri) = Uri::try_from(path) else {
            return;
        };
        if !uri.path().starts_with('/') {
            return;
        }
        let mut request = Request::new(Body::from(Bytes::copy_from_slice(form)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().entry(CONTENT_TYPE).or_insert(form);
        let answer = self.dashboard.clone().oneshot(request).await;
        let (head, mut body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        answer::of_dashboard(head.status, &head.headers);
        let is_live =
            head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_live {
            // It has no end.
            let first = body.frame().await.expect("there is an event");
            first.ok().and_then(|frame| frame.into_data().ok()).expect("the event has data")
        } else {
            axum::body::to_bytes(body, PAGE_BYTES_MAX).await.expect("a page is whole")
        };
        answer::body(&head.headers, &body);
    }

    /// Checks that the store answers, and that its counters are of what is there.
    async fn is_well(&self) {
        self.queue.ping().await.expect("the store answers");
        for method in ["Queue/GetStats", "Batches/ListBatches", "DeadLetters/ListDeadLetterGroups"]
        {
            let path = format!("/muster.v1.{method}");
            let code = self.ask(path.as_bytes(), HeaderMap::new(), &[b""]).await;
            assert_eq!(code, Some(Code::Ok), "{method}");
        }
        let mut dead = 0;
        for batch in self.queue.batches(None, None, ALL).await.expect("batches can be listed") {
            let letters = self.queue.dead_letters(&batch.id, 0, ALL).await;
            let letters = letters.expect("dead letters can be listed").len() as u64;
            assert_eq!(letters, batch.dead, "{batch:?}");
            dead += letters;
            let done = batch.kept + batch.dead + batch.dropped + batch.replayed + batch.retrying;
            assert!(done <= batch.received, "{batch:?}");
        }
        for group in self.queue.dead_groups().await.expect("groups can be listed") {
            let letters = self.queue.dead_in_group(&group.name, None, ALL).await;
            let letters = letters.expect("a group can be listed").len() as u64;
            assert_eq!(letters, group.letters, "{group:?}");
            dead -= letters;
        }
        assert_eq!(dead, 0, "each letter is in a group");
    }

    async fn end(self) {
        let Self { queue, grpc, dashboard, shutdown, _home } = self;
        shutdown.begin();
        drop((grpc, dashboard, queue));
        shutdown.drain().await;
    }
}

/// Messages as they are sent: each behind a flag and its length.
fn framed(messages: &[&[u8]]) -> Bytes {
    let mut framed = BytesMut::new();
    for message in messages {
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).expect("a message is not that long"));
        framed.put_slice(message);
    }
    framed.freeze()
}
