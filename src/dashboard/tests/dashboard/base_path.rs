//! The dashboard under a path of a site, behind a proxy.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt as _;
use muster_dashboard::Options;
use tower::ServiceExt as _;

use crate::asked::{form_of, send};
use crate::double::{Double, options};
use crate::html::{PAGES, check};

const URL: &str = "http://ops.example:8080/muster/";

fn below(double: &Double) -> Router {
    let url = Some(URL.parse().unwrap());
    muster_dashboard::router(double.services(), Options { url, ..options() })
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// That every address in this HTML is below the path, but those within the page.
fn assert_below(html: &str, path: &str) {
    let mut addresses = 0;
    for attribute in [" href=\"", " src=\"", " action=\"", " data-live=\""] {
        for address in html.split(attribute).skip(1).filter(|address| !address.starts_with('#')) {
            assert!(address.starts_with("/muster/"), "{path}: {attribute}{address:.40}");
            addresses += 1;
        }
    }
    assert!(addresses > 0, "{path} has addresses");
}

#[tokio::test]
async fn every_address_of_every_page_is_below_the_path() {
    let double = Double::new();
    for path in PAGES.into_iter().chain(["/nothing", "/batches/none", "/sign-in"]) {
        let page = send(below(&double), get(&format!("/muster{path}"))).await;
        let is_there = page.status == StatusCode::OK;
        assert_eq!(is_there, !["/nothing", "/batches/none"].contains(&path), "{path}");
        check(&page.body);
        assert_below(&page.body, path);
        // A proxy may take the path off.
        assert_eq!(send(below(&double), get(path)).await.body, page.body, "{path}");
    }
    assert_eq!(send(below(&double), get("/muster")).await.status, StatusCode::OK);
    assert_eq!(send(below(&double), get("/musters")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_page_needs_is_below_the_path() {
    let double = Double::new();
    for path in ["/assets/style.css", "/assets/live.js", "/assets/icon.svg", "/roll/all_users.json"]
    {
        let below = send(below(&double), get(&format!("/muster{path}"))).await;
        let usual = send(crate::asked::dashboard(&double), get(path)).await;
        assert_eq!((below.status, below.headers), (StatusCode::OK, usual.headers), "{path}");
        assert_eq!(below.body, usual.body, "{path}");
    }
    let events = below(&double).oneshot(get("/muster/events?page=batches")).await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let event = events.into_body().into_data_stream().next().await.unwrap().unwrap();
    let event = String::from_utf8(event.into()).unwrap();
    assert!(event.contains(" href=\"/muster/batches/b-1\""), "{event}");
    assert_below(&event, "events");
}

#[tokio::test]
async fn forms_are_asked_about_done_and_lead_back_below_the_path() {
    let double = Double::new();
    // As a browser and nginx send it, without TLS and with `proxy_set_header Host $host`.
    let headers = [("origin", "http://ops.example:8080"), ("host", "ops.example")];
    let pause = |form| form_of("/muster/queue/pause", form, &headers);
    let question = send(below(&double), pause("")).await;
    assert_eq!(question.status, StatusCode::OK);
    assert!(question.body.contains("action=\"/muster/queue/pause\""), "{}", question.body);
    let done = send(below(&double), pause("confirmed=yes")).await;
    assert_eq!(done.leads_to(), "/muster/?done=paused&n=0");
    assert!(double.world().stats.paused);

    let elsewhere = [("origin", "http://evil.example"), ("host", "ops.example")];
    let resume = form_of("/muster/queue/resume", "confirmed=yes", &elsewhere);
    assert_eq!(send(below(&double), resume).await.status, StatusCode::FORBIDDEN);
    assert!(double.world().stats.paused);
}

#[tokio::test]
async fn host_of_the_address_is_a_name_of_the_dashboard() {
    let double = Double::new();
    let asked = async |host: &str| {
        let url = Some(URL.parse().unwrap());
        let options = Options { url, hosts: Some(Vec::new()), ..options() };
        let router = muster_dashboard::router(double.services(), options);
        let request = Request::get("/muster/").header("host", host).body(Body::empty()).unwrap();
        send(router, request).await.status
    };
    assert_eq!(asked("ops.example").await, StatusCode::OK);
    assert_eq!(asked("ops.example:8080").await, StatusCode::OK);
    assert_eq!(asked("127.0.0.1:9181").await, StatusCode::OK);
    assert_eq!(asked("evil.example").await, StatusCode::MISDIRECTED_REQUEST);
}
