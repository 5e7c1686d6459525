//! Pages that show what happens, as it happens.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures::StreamExt as _;
use muster_dashboard::Options;
use tonic::Status;
use tower::ServiceExt as _;

use crate::asked::{dashboard, lines, page};
use crate::double::{Double, options};

/// What a browser receives.
struct Events(BodyDataStream);

impl Events {
    async fn of(router: &Router, path: &str) -> Self {
        let response = open(router, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// The next fragment; `None` when the stream ends.
    async fn next(&mut self) -> Option<String> {
        let event = self.0.next().await?.unwrap();
        let event = String::from_utf8(event.into()).unwrap();
        assert!(event.starts_with("retry: 2000\n") && event.ends_with("\n\n"), "{event}");
        let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
        Some(lines(&data.collect::<Vec<_>>().join("\n")))
    }

    /// Whether nothing comes for a while; less than what keeps the connection alive.
    async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.is_err()
    }
}

async fn open(router: &Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_what_the_page_shows() {
    let double = Double::new();
    for path in ["/", "/batches", "/batches?state=open", "/batches/b-1", "/workers"] {
        let page = page(&double, path).await.main();
        let (_, events) = page.split_once("data-live=\"").unwrap();
        let (events, shown) = events.split_once("\">").unwrap();
        let mut events = Events::of(&dashboard(&double), &events.replace("&#38;", "&")).await;
        let fragment = events.next().await.unwrap();
        // What stands behind it does not change.
        let shown = lines(shown);
        assert!(shown.starts_with(&format!("{fragment}\n</div>")), "{path}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_sent_and_nothing_else() {
    let double = Double::new();
    let mut events = Events::of(&dashboard(&double), "/events?page=overview").await;
    assert!(events.next().await.unwrap().contains("Running"));
    assert!(events.is_silent().await);
    double.world().stats.paused = true;
    assert!(events.next().await.unwrap().contains("Paused"));
    assert!(events.is_silent().await);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shown_until_it_is_over() {
    let double = Double::new();
    let mut events = Events::of(&dashboard(&double), "/events?page=workers").await;
    let well = events.next().await.unwrap();
    double.world().failure = Some(Status::unavailable("the store is unavailable; try again"));
    assert!(events.next().await.unwrap().contains("the store is unavailable; try again"));
    double.world().failure = None;
    double.world().silent = true;
    assert!(events.next().await.unwrap().contains("too slow to answer"));
    double.world().silent = false;
    assert_eq!(events.next().await.unwrap(), well);
}

#[tokio::test(start_paused = true)]
async fn many_viewers_ask_no_more_than_one() {
    let double = Double::new();
    let router = dashboard(&double);
    let mut viewers = Vec::new();
    for _ in 0..100 {
        viewers.push(Events::of(&router, "/events?page=overview").await);
    }
    let look = |viewers: Vec<Events>| async {
        futures::future::join_all(viewers.into_iter().map(async |mut viewer| {
            viewer.next().await.unwrap();
            viewer
        }))
        .await
    };
    viewers = look(viewers).await;
    assert_eq!(double.world().calls.len(), 1);
    for seconds in 2..5 {
        double.world().stats.paused ^= true;
        viewers = look(viewers).await;
        assert_eq!(double.world().calls.len(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn viewers_have_a_limit() {
    let double = Double::new();
    let router = dashboard(&double);
    let mut viewers = Vec::new();
    for _ in 0..256 {
        viewers.push(Events::of(&router, "/events?page=workers").await);
    }
    let refused = open(&router, "/events?page=overview").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    // One that leaves makes room.
    viewers.pop();
    Events::of(&router, "/events?page=overview").await;
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_the_server() {
    let double = Double::new();
    let options = options();
    let end = options.shutdown.clone();
    let router = muster_dashboard::router(double.services(), Options { ..options });
    let mut events = Events::of(&router, "/events?page=overview").await;
    assert!(events.next().await.is_some());
    end.cancel();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn there_are_no_events_of_other_pages() {
    let router = dashboard(&Double::new());
    for path in ["/events", "/events?page=roll", "/events?page=batch"] {
        assert_eq!(open(&router, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
