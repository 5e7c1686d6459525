//! What must hold of every answer, whatever was asked.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use tonic::{Code, Status};

use crate::shown;

/// The longest message of a status, in bytes: it is a header, and few take more.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Checks the answer to a call of gRPC: a status that says what the caller did wrong, or that it
/// did nothing wrong. `head` is of an answer without a message, `trailers` of any other.
pub(crate) fn of_call(status: StatusCode, head: &HeaderMap, trailers: Option<&HeaderMap>) -> Code {
    assert_eq!(status, StatusCode::OK, "{head:?}");
    let said = Status::from_header_map(head).or_else(|| Status::from_header_map(trailers?));
    let said = said.expect("every answer has a status");
    let is_fault = matches!(
        said.code(),
        Code::Unknown | Code::Internal | Code::DataLoss | Code::Unavailable | Code::Cancelled
    );
    assert!(!is_fault, "{said:?}");
    assert!(said.message().len() <= MESSAGE_BYTES_MAX, "{} bytes", said.message().len());
    said.code()
}

/// Checks an answer of the dashboard, but for its body.
pub(crate) fn of_dashboard(status: StatusCode, head: &HeaderMap) {
    // Those that are documented from 500 on are of a store that is away, and of too many viewers.
    assert!(status.as_u16() < 500, "{status}");
    assert!(head.contains_key(CONTENT_SECURITY_POLICY), "{head:?}");
    assert_eq!(text(head.get(X_CONTENT_TYPE_OPTIONS)), "nosniff");
    if let Some(location) = head.get(LOCATION) {
        shown::link(text(Some(location)));
    }
}

/// Checks the body of an answer of the dashboard.
pub(crate) fn body(head: &HeaderMap, body: &[u8]) {
    let kind = text(head.get(CONTENT_TYPE));
    let shown = std::str::from_utf8(body);
    match kind.split(';').next().unwrap_or_default() {
        "text/html" => {
            let html = shown.expect("a page is UTF-8");
            assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
            assert_eq!(html.matches("<h1>").count(), 1, "{html}");
            shown::page(html);
        }
        "text/event-stream" => shown::page(&fragment(shown.expect("an event is UTF-8"))),
        "text/css" | "text/javascript" | "image/svg+xml" | "application/json" | "" => {}
        _ => panic!("{kind}: {shown:?}"),
    }
}

/// The part of a page that an event has.
fn fragment(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.collect::<Vec<_>>().join("\n")
}

/// The header as text; it is there to be read by browsers, and so is ASCII.
fn text(value: Option<&axum::http::HeaderValue>) -> &str {
    value.map_or("", |value| value.to_str().expect("a header is ASCII"))
}
