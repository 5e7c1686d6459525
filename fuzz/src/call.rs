//! What an input asks of a world: calls one after another, which a person can write.
//!
//! Between each two is a line `--`. A call is a line that says what is called, lines `KEY: VALUE`,
//! an empty line, and a message. A line `++` ends one message of a stream.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::parts::{split, split_once};

/// How many calls one input makes at most.
const CALLS_MAX: usize = 12;

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) what: What<'a>,
    pub(crate) headers: HeaderMap,
    pub(crate) messages: Vec<&'a [u8]>,
}

/// What is called.
pub(crate) enum What<'a> {
    /// A worker: `work`, `keep`, `bury`, `fail`.
    Worker(&'a str),
    /// The dashboard: `GET /path`, `POST /path`.
    Page(Method, &'a [u8]),
    /// A method of gRPC: `muster.v1.Queue/GetStats`.
    Method(&'a [u8]),
}

/// The calls of an input.
pub(crate) fn calls(data: &[u8]) -> Vec<Call<'_>> {
    let parts = split(data, b"\n--\n").into_iter().filter(|part| !part.is_empty());
    parts.take(CALLS_MAX).map(call).collect()
}

fn call(data: &[u8]) -> Call<'_> {
    let (head, message) = split_once(data, b"\n\n").unwrap_or((data, b""));
    let (what, headers_said) = split_once(head, b"\n").unwrap_or((head, b""));
    Call {
        what: self::what(what),
        headers: headers(headers_said),
        messages: split(message, b"\n++\n"),
    }
}

fn what(line: &[u8]) -> What<'_> {
    match line {
        b"work" | b"keep" | b"bury" | b"fail" => {
            What::Worker(std::str::from_utf8(line).unwrap_or_default())
        }
        [b'G', b'E', b'T', b' ', path @ ..] => What::Page(Method::GET, path),
        [b'P', b'O', b'S', b'T', b' ', path @ ..] => What::Page(Method::POST, path),
        method => What::Method(method),
    }
}

/// Lines `KEY: VALUE` as the headers of a call. What can be none is left out.
pub(crate) fn headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in split(lines, b"\n") {
        let Some((key, value)) = split_once(line, b": ") else {
            continue;
        };
        if let (Ok(key), Ok(value)) = (HeaderName::from_bytes(key), HeaderValue::from_bytes(value))
        {
            headers.append(key, value);
        }
    }
    headers
}
