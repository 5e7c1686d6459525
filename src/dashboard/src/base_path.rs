//! The dashboard under a path of a site, `/muster` for example.
//!
//! Nothing else knows the path, except the cookie. A request may have it or not, since some proxies
//! take it off. In the answer, every address of the dashboard is put below it: redirects, and the
//! addresses in the HTML of pages and live pages.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use http_body_util::BodyExt as _;
use tower_service::Service as _;

/// What stands before an address in the HTML of a page. No text that a page shows can have it, since
/// each `"` of a text is escaped.
const ATTRIBUTES: [&str; 4] = [" href=\"", " src=\"", " action=\"", " data-live=\""];

/// The same router below `path`: `/…` without a `/` at its end, or empty.
pub(crate) fn below(path: &str, router: Router) -> Router {
    if path.is_empty() {
        return router;
    }
    let path = path.to_owned();
    Router::new().fallback(move |request: Request| answer(path.clone(), router.clone(), request))
}

async fn answer(path: String, mut router: Router, mut request: Request) -> Response {
    if let Some(inner) = without(&path, request.uri()) {
        *request.uri_mut() = inner;
    }
    let Ok(mut response) = router.call(request).await;
    let headers = response.headers_mut();
    if let Some(to) = headers.get(LOCATION).and_then(|to| to.to_str().ok())
        && let Ok(to) = HeaderValue::try_from(format!("{path}{to}"))
    {
        headers.insert(LOCATION, to);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/html") && !kind.starts_with("text/event-stream") {
        return response;
    }
    headers.remove(CONTENT_LENGTH);
    // Each frame of these bodies is a whole page, or a whole event: no address is in two frames.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| frame.map_data(|html| place(&path, html))))
    })
}

/// The address without the path, if it has it.
fn without(path: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(path)?;
    let inner = match rest.as_bytes().first() {
        Some(b'/') => rest.to_owned(),
        None | Some(b'?') => format!("/{rest}"),
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(inner).ok()?);
    Uri::from_parts(parts).ok()
}

/// HTML whose addresses of the dashboard are below the path.
fn place(path: &str, html: Bytes) -> Bytes {
    let Ok(html) = std::str::from_utf8(&html) else { return html };
    let mut placed = html.to_owned();
    for attribute in ATTRIBUTES {
        placed = placed.replace(&format!("{attribute}/"), &format!("{attribute}{path}/"));
    }
    placed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_taken_off_an_address_that_has_it() {
        for (address, inner) in [
            ("/muster", Some("/")),
            ("/muster/", Some("/")),
            ("/muster?done=paused", Some("/?done=paused")),
            ("/muster/batches/b%2F1?page=7", Some("/batches/b%2F1?page=7")),
            ("/muster/muster", Some("/muster")),
            ("/musters", None),
            ("/batches", None),
            ("/", None),
        ] {
            let uri: Uri = address.parse().unwrap();
            let inner = inner.map(|inner| inner.parse().unwrap());
            assert_eq!(without("/muster", &uri), inner, "{address}");
        }
    }

    #[test]
    fn addresses_of_the_dashboard_are_below_the_path_and_texts_stay() {
        let html = "<a href=\"/dead?q=1\">/dead</a><a href=\"#main\">x</a>\
            <form action=\"/\"><input value=\"/dead\"><p data-live=\"/events\">&#34; href=&#34;/</p>";
        let placed = "<a href=\"/m/dead?q=1\">/dead</a><a href=\"#main\">x</a>\
            <form action=\"/m/\"><input value=\"/dead\"><p data-live=\"/m/events\">&#34; href=&#34;/</p>";
        assert_eq!(place("/m", Bytes::from_static(html.as_bytes())), placed);
    }
}
