//! What is refused before any page sees it, and what every answer says to the browser.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Failure;

/// What a page may load, and from where: from here, and nothing within the page itself.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Gives every answer the headers that protect its page.
pub(crate) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses whatever would do something, as the dashboard is read-only.
pub(crate) async fn refuse_actions(request: Request, next: Next) -> Response {
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    Failure::ReadOnly.into_response()
}

/// Refuses what another site's page lets a browser send.
pub(crate) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if is_safe(request.method()) || is_same_site(request.headers()) {
        return next.run(request).await;
    }
    Failure::OtherSite.into_response()
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a page of this very site sends it, or no page at all. Browsers say so themselves; older
/// ones say at least of which origin the page is. What says neither is no browser, and cannot be
/// made to send something by a page.
fn is_same_site(headers: &HeaderMap) -> bool {
    match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
            host.is_some_and(|(_, host)| Some(host) == asked)
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_told_apart() {
        let cases: [(&[(HeaderName, &str)], bool); 12] = [
            (&[], true),
            (&[(HOST, "muster:9181")], true),
            (&[(SEC_FETCH_SITE, "same-origin")], true),
            (&[(SEC_FETCH_SITE, "none")], true),
            (&[(SEC_FETCH_SITE, "same-site")], false),
            (&[(SEC_FETCH_SITE, "cross-site")], false),
            // What the browser says itself counts more than the origin.
            (
                &[
                    (SEC_FETCH_SITE, "same-origin"),
                    (ORIGIN, "https://other"),
                    (HOST, "muster:9181"),
                ],
                true,
            ),
            (
                &[
                    (SEC_FETCH_SITE, "cross-site"),
                    (ORIGIN, "http://muster:9181"),
                    (HOST, "muster:9181"),
                ],
                false,
            ),
            (&[(ORIGIN, "http://muster:9181"), (HOST, "muster:9181")], true),
            (&[(ORIGIN, "http://muster:9182"), (HOST, "muster:9181")], false),
            (&[(ORIGIN, "null"), (HOST, "muster:9181")], false),
            (&[(ORIGIN, "http://muster:9181")], false),
        ];
        for (headers, accepted) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
                .collect();
            assert_eq!(is_same_site(&map), accepted, "{headers:?}");
        }
    }
}
