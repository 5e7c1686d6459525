//! Requests, as a browser makes them, and what comes back.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use tower::ServiceExt as _;

use crate::double::{Double, options};

/// More than any page has.
const PAGE_BYTES_MAX: usize = 4 << 20;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: impl Into<HeaderName>) -> &str {
        self.headers.get(name.into()).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header(LOCATION)
    }

    /// The main part of the page, with each line that is not empty once.
    pub(crate) fn main(&self) -> String {
        let (_, main) = self.body.split_once("<main id=\"main\" tabindex=\"-1\">").unwrap();
        let (main, _) = main.split_once("</main>").unwrap();
        lines(main)
    }

    /// The text, without what is HTML.
    pub(crate) fn text(&self) -> String {
        let main = self.main();
        let mut text = String::new();
        for part in main.split('<') {
            text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
            text.push(' ');
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub(crate) fn lines(html: &str) -> String {
    html.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

pub(crate) fn dashboard(double: &Double) -> Router {
    muster_dashboard::router(double.services(), options())
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answered {
    let response = router.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, PAGE_BYTES_MAX).await.unwrap();
    Answered {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

pub(crate) async fn get(double: &Double, path: &str) -> Answered {
    send(dashboard(double), Request::get(path).body(Body::empty()).unwrap()).await
}

/// The page at this path, which must be there.
pub(crate) async fn page(double: &Double, path: &str) -> Answered {
    let answered = get(double, path).await;
    assert_eq!(answered.status, StatusCode::OK, "{path}: {}", answered.body);
    answered
}

/// Sends a form from a page of the dashboard.
pub(crate) async fn post(double: &Double, path: &str, form: &str) -> Answered {
    send(dashboard(double), form_of(path, form, &[("sec-fetch-site", "same-origin")])).await
}

pub(crate) fn form_of(path: &str, form: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(form.to_owned())).unwrap()
}
