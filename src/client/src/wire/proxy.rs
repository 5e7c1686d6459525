//! Answers that are not gRPC: a proxy, or another web server, has answered in place of the server.

use tonic::body::Body;
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::codegen::http::{HeaderMap, Response, StatusCode};
use tonic::{Code, Status};

/// How it is said that a proxy answered.
const A_PROXY: &str = "a proxy answered";

/// Where gRPC says how a call ended.
const GRPC_STATUS: &str = "grpc-status";

/// The answer as it is, or, if it is not gRPC, a status that says what answered.
pub(super) fn as_grpc(response: Response<Body>) -> Response<Body> {
    match not_grpc(response.status(), response.headers()) {
        Some(status) => status.into_http(),
        None => response,
    }
}

/// Whether a proxy answered, and not the server.
pub(crate) fn is_of_proxy(status: &Status) -> bool {
    status.message().starts_with(A_PROXY)
}

/// What an answer means that is not gRPC.
fn not_grpc(status: StatusCode, headers: &HeaderMap) -> Option<Status> {
    let content_type =
        headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let content_type = content_type.as_deref().unwrap_or_default();
    let is_grpc = content_type.starts_with("application/grpc") || headers.contains_key(GRPC_STATUS);
    match (status, is_grpc) {
        (StatusCode::OK, true) => None,
        (StatusCode::OK, false) if content_type.is_empty() => {
            Some(Status::internal("the program at this address is not a gRPC server"))
        }
        (StatusCode::OK, false) => {
            Some(Status::internal(format!("{A_PROXY} 200 OK with {content_type} in place of gRPC")))
        }
        // A server that says more than its HTTP status is asked no further.
        (_, true) if headers.contains_key(GRPC_STATUS) => None,
        _ => Some(Status::new(code(status), format!("{A_PROXY} {status}"))),
    }
}

/// The code of gRPC for a status of HTTP:
/// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>.
fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&'static str, &str)]) -> Option<(Code, String)> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(()).unwrap();
        let status = not_grpc(response.status(), response.headers())?;
        Some((status.code(), status.message().to_owned()))
    }

    #[test]
    fn an_answer_of_grpc_stays() {
        for headers in [
            [("content-type", "application/grpc")].as_slice(),
            &[("content-type", "application/grpc+proto"), ("grpc-status", "12")],
            &[("grpc-status", "14")],
        ] {
            assert_eq!(answered(200, headers), None);
        }
        assert_eq!(answered(503, &[("grpc-status", "14")]), None);
    }

    #[test]
    fn the_status_of_a_proxy_is_spelled_out() {
        let html = [("content-type", "text/html")];
        for (status, code, message) in [
            (413, Code::Unknown, "a proxy answered 413 Payload Too Large"),
            (404, Code::Unimplemented, "a proxy answered 404 Not Found"),
            (502, Code::Unavailable, "a proxy answered 502 Bad Gateway"),
            (400, Code::Internal, "a proxy answered 400 Bad Request"),
            (200, Code::Internal, "a proxy answered 200 OK with text/html in place of gRPC"),
        ] {
            assert_eq!(answered(status, &html), Some((code, message.to_owned())));
        }
        let message = "the program at this address is not a gRPC server".to_owned();
        assert_eq!(answered(200, &[]), Some((Code::Internal, message)));
    }
}
