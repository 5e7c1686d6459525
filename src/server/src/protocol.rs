//! Tells gRPC calls from other requests.
//!
//! A page of another site can make a browser send a POST request with any path and body. It cannot set
//! the content type of gRPC unless the server allows it, so the server carries out no other request.

use tonic::codegen::http::header::{ALLOW, CONTENT_TYPE};
use tonic::codegen::http::{HeaderValue, Method, Request, Response, StatusCode};

/// The content type of a gRPC call; `+` and a name of the encoding, or `;` and parameters may follow
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
const GRPC: &str = "application/grpc";

/// Why a request is refused before it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotGrpc {
    /// The method is not POST.
    Method,
    /// The content type is missing or not that of gRPC. gRPC-Web and Connect have other types.
    ContentType,
}

/// Checks that a request is a gRPC call.
///
/// # Errors
///
/// The method or the content type is not that of gRPC.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), NotGrpc> {
    if request.method() != Method::POST {
        return Err(NotGrpc::Method);
    }
    let mut types = request.headers().get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(content_type), None) if is_grpc(content_type.as_bytes()) => Ok(()),
        _ => Err(NotGrpc::ContentType),
    }
}

fn is_grpc(content_type: &[u8]) -> bool {
    let Some((begin, rest)) = content_type.split_at_checked(GRPC.len()) else { return false };
    begin.eq_ignore_ascii_case(GRPC.as_bytes()) && matches!(rest, [] | [b'+' | b';', ..])
}

impl NotGrpc {
    /// The answer: `405 Method Not Allowed` or `415 Unsupported Media Type`.
    pub(crate) fn answer<B: Default>(self) -> Response<B> {
        let mut answer = Response::new(B::default());
        match self {
            Self::Method => {
                *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            Self::ContentType => *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: Method, content_types: &[&str]) -> Result<(), NotGrpc> {
        let mut request = Request::builder().method(method);
        for content_type in content_types {
            request = request.header(CONTENT_TYPE, *content_type);
        }
        check(&request.body(()).unwrap())
    }

    #[test]
    fn only_a_post_of_the_content_type_of_grpc_is_a_call() {
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;a=b",
            "Application/gRPC",
        ] {
            assert_eq!(checked(Method::POST, &[content_type]), Ok(()), "{content_type}");
        }
        for content_types in [
            &[][..],
            &[""],
            &["text/plain"],
            &["application/json"],
            &["application/proto"],
            &["application/grpc-web"],
            &["application/grpc-web+proto"],
            &["application/grpcx"],
            &["application/grp"],
            &["text/plain; application/grpc"],
            &["application/grpc", "text/plain"],
        ] {
            let refused = checked(Method::POST, content_types);
            assert_eq!(refused, Err(NotGrpc::ContentType), "{content_types:?}");
        }
        for method in [Method::GET, Method::OPTIONS, Method::PUT] {
            assert_eq!(checked(method, &["application/grpc"]), Err(NotGrpc::Method));
        }
    }
}
