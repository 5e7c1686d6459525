//! What is refused, and what every answer says to the browser.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Method, Request, StatusCode};
use muster_dashboard::Options;

use crate::asked::{Answered, dashboard, form_of, get, send};
use crate::double::{Double, options};
use crate::html::PAGES;

const ACTIONS: [&str; 6] = [
    "/queue/pause",
    "/queue/resume",
    "/batches/b-1/abort",
    "/dead/replay?all=yes",
    "/dead/drop?all=yes",
    "/dead/letter/b-1/6/replay",
];

async fn pause(double: &Double, headers: &[(&str, &str)]) -> Answered {
    send(dashboard(double), form_of("/queue/pause", "confirmed=yes", headers)).await
}

#[tokio::test]
async fn only_pages_of_this_very_site_do_something() {
    for (headers, accepted) in [
        (&[("sec-fetch-site", "same-origin")][..], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("origin", "http://muster:9181"), ("host", "muster:9181")], true),
        (&[("origin", "http://other"), ("host", "muster:9181")], false),
        (&[("origin", "null"), ("host", "muster:9181")], false),
        (&[], true),
    ] {
        let double = Double::new();
        let answered = pause(&double, headers).await;
        assert_eq!(double.world().stats.paused, accepted, "{headers:?}");
        let status = if accepted { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(answered.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn other_sites_may_lead_here() {
    let double = Double::new();
    for path in PAGES {
        let request = Request::get(path).header("sec-fetch-site", "cross-site");
        let request = request.body(Body::empty()).unwrap();
        assert_eq!(send(dashboard(&double), request).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_read_only_dashboard_does_nothing_and_offers_nothing() {
    let double = Double::new();
    let read_only = || {
        let options = Options { read_only: true, ..options() };
        muster_dashboard::router(double.services(), options)
    };
    for path in ACTIONS {
        for form in ["", "confirmed=yes"] {
            let answered = send(read_only(), form_of(path, form, &[])).await;
            assert_eq!(answered.status, StatusCode::FORBIDDEN, "{path}");
            assert!(answered.text().contains("This dashboard shows, and does nothing."));
        }
    }
    assert!(double.world().calls.is_empty());
    for path in PAGES {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answered = send(read_only(), request).await;
        assert_eq!(answered.status, StatusCode::OK, "{path}");
        assert!(!answered.body.contains("method=\"post\""), "{path}");
        assert!(answered.body.contains("read only"), "{path}");
    }
}

fn assert_protected(answered: &Answered, path: &str) {
    assert_eq!(
        answered.header(CONTENT_SECURITY_POLICY),
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        "{path}"
    );
    assert_eq!(answered.header(X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
    assert_eq!(answered.header(REFERRER_POLICY), "same-origin", "{path}");
    assert!(!answered.header(CACHE_CONTROL).is_empty(), "{path}");
}

#[tokio::test]
async fn every_answer_protects_its_page() {
    let double = Double::new();
    let others = ["/nothing", "/queue/pause", "/assets/style.css", "/roll/all_users.json"];
    for path in PAGES.into_iter().chain(others) {
        assert_protected(&get(&double, path).await, path);
    }
    for path in ACTIONS {
        assert_protected(&send(dashboard(&double), form_of(path, "", &[])).await, path);
        let elsewhere = form_of(path, "", &[("sec-fetch-site", "cross-site")]);
        assert_protected(&send(dashboard(&double), elsewhere).await, path);
    }
    double.world().failure = Some(tonic::Status::internal("failed"));
    assert_protected(&get(&double, "/").await, "/");
}

#[tokio::test]
async fn a_page_is_kept_by_no_cache() {
    assert_eq!(get(&Double::new(), "/").await.header(CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn assets_are_sent_once() {
    let double = Double::new();
    for (path, kind) in [
        ("/assets/style.css", "text/css; charset=utf-8"),
        ("/assets/live.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let first = get(&double, path).await;
        assert_eq!((first.status, first.header(CONTENT_TYPE)), (StatusCode::OK, kind));
        assert_eq!(first.header(CACHE_CONTROL), "no-cache");
        let again = |tag: &str| {
            let request = Request::builder().method(Method::GET).uri(path);
            request.header(IF_NONE_MATCH, tag).body(Body::empty()).unwrap()
        };
        let same = send(dashboard(&double), again(first.header(ETAG))).await;
        assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        let other = send(dashboard(&double), again("\"other\"")).await;
        assert_eq!(other.body, first.body);
    }
}

#[test]
fn assets_load_nothing_from_elsewhere() {
    for asset in [include_str!("../../assets/style.css"), include_str!("../../assets/live.js")] {
        for elsewhere in ["http:", "https:", "//cdn", "url(", "@import", "eval("] {
            assert!(!asset.contains(elsewhere), "{elsewhere}");
        }
    }
}
