//! What is refused before any page sees it, and what every answer says to the browser.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Failure;
use crate::{Dashboard, DashboardUrl, FORM_BYTES_MAX, links};

/// How long a form may take to come.
const FORM_MAX: Duration = Duration::from_secs(15);

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
    let is_action = ![links::SIGN_IN, links::SIGN_OUT].contains(&request.uri().path());
    if is_safe(request.method()) || !is_action {
        return next.run(request).await;
    }
    Failure::ReadOnly.into_response()
}

/// Refuses what another site's page lets a browser send.
pub(crate) async fn refuse_other_sites(
    State(dashboard): State<Arc<Dashboard>>,
    request: Request,
    next: Next,
) -> Response {
    let own = dashboard.options.url.as_ref().map(DashboardUrl::origin);
    if is_safe(request.method()) || is_same_site(request.headers(), own.as_deref()) {
        return next.run(request).await;
    }
    Failure::OtherSite.into_response()
}

/// Refuses whatever asks for this site by a name that is none of its own.
pub(crate) async fn refuse_other_names(
    State(dashboard): State<Arc<Dashboard>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(hosts) = &dashboard.options.hosts else { return next.run(request).await };
    let own = dashboard.options.url.as_ref().map(DashboardUrl::host);
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let names = || hosts.iter().map(String::as_str).chain(own);
    if host.is_none_or(|host| is_own_name(host, names())) {
        return next.run(request).await;
    }
    Failure::OtherName.into_response()
}

/// Whether a host is an address, this machine's own name for itself, or one of these names.
fn is_own_name<'a>(host: &str, mut hosts: impl Iterator<Item = &'a str>) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is = |own: &str| name.eq_ignore_ascii_case(own);
    name.parse::<IpAddr>().is_ok() || is("localhost") || hosts.any(is)
}

/// Takes in the whole form before anything is done, and does not wait for it for ever.
pub(crate) async fn take_form_in_time(request: Request, next: Next) -> Response {
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(FORM_MAX, to_bytes(body, FORM_BYTES_MAX)).await {
        Ok(Ok(form)) => next.run(Request::from_parts(parts, Body::from(form))).await,
        Ok(Err(_)) => Failure::TooLarge.into_response(),
        Err(_) => Failure::SlowForm.into_response(),
    }
}

pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a page of this very site sends it, or no page at all. Browsers say so themselves, by
/// `Sec-Fetch-Site`. Older ones, and all on a connection without TLS, send only the page's `Origin`: it
/// must be the host that is asked, or `own`, the dashboard's origin, since a proxy may change `Host`.
/// What sends neither is not a browser, and no page can make it send something.
fn is_same_site(headers: &HeaderMap, own: Option<&str>) -> bool {
    match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let Ok(origin) = origin.to_str() else { return false };
            let host = origin.split_once("://").map(|(_, host)| host);
            let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
            own == Some(origin) || (host.is_some() && host == asked)
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_here_from_elsewhere_is_none_of_our_own() {
        let hosts = ["muster.example"];
        for own in ["127.0.0.1:9181", "[::1]:9181", "192.0.2.7", "LocalHost:9181", "muster.example"]
        {
            assert!(is_own_name(own, hosts.into_iter()), "{own}");
        }
        for other in
            ["evil.example", "evil.example:9181", "localhost.evil.example", "", ":9181", "[x"]
        {
            assert!(!is_own_name(other, hosts.into_iter()), "{other}");
        }
    }

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
            assert_eq!(is_same_site(&map, None), accepted, "{headers:?}");
        }
    }

    #[test]
    fn own_origin_is_accepted_whatever_host_a_proxy_passes_on() {
        let own = "http://ops.example:8080";
        for (origin, accepted) in [
            ("http://ops.example:8080", true),
            ("http://ops.example", true),
            ("https://ops.example:8080", false),
            ("http://ops.example:8081", false),
            ("http://other.example:8080", false),
            ("null", false),
        ] {
            let headers = [(ORIGIN, origin), (HOST, "ops.example")];
            let headers =
                headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
            assert_eq!(
                is_same_site(&headers.into_iter().collect(), Some(own)),
                accepted,
                "{origin}"
            );
        }
        let mut headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(own))]);
        assert!(is_same_site(&headers, Some(own)));
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_static("cross-site"));
        assert!(!is_same_site(&headers, Some(own)));
    }
}
