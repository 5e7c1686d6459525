//! Requests that are not gRPC calls are refused.

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::Full;
use muster_proto::v1::GetStatsRequest;
use muster_proto::v1::queue_client::QueueClient;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::codegen::http::{Method, Request, StatusCode};

use crate::desk::{Desk, record};

/// A message with the prefix of gRPC, not compressed.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(message.encoded_len().try_into().unwrap());
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

/// The status of the answer to a request.
async fn ask(
    desk: &Desk,
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: Bytes,
) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let request = request.body(Body::new(Full::new(body))).unwrap();
    let mut channel = desk.channel.clone();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    channel.call(request).await.unwrap().status()
}

#[tokio::test]
async fn request_that_is_not_a_call_is_refused() {
    let desk = Desk::open().await;
    let (sent, empty) = (framed(&record(1)), framed(&()));
    for (path, body) in [("/Users/SendUserInfo", &sent), ("/muster.v1.Queue/PauseQueue", &empty)] {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/json"),
            Some("application/proto"),
            Some("application/grpc-web+proto"),
        ] {
            let status = ask(&desk, Method::POST, path, content_type, body.clone()).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {content_type:?}");
        }
        for method in [Method::GET, Method::PUT, Method::OPTIONS] {
            let status =
                ask(&desk, method.clone(), path, Some("application/grpc"), body.clone()).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path} {method}");
        }
    }
    let mut queue = QueueClient::new(desk.channel.clone());
    let stats = queue.get_stats(GetStatsRequest {}).await.unwrap().into_inner();
    assert!(!stats.paused);
    assert_eq!(desk.queued().await, Vec::<i32>::new());
}

#[tokio::test]
async fn content_type_may_name_the_encoding() {
    let desk = Desk::open().await;
    for (content_type, id) in
        [("application/grpc", 1), ("application/grpc+proto", 2), ("application/grpc;charset=x", 3)]
    {
        let body = framed(&record(id));
        let path = "/Users/SendUserInfo";
        let status = ask(&desk, Method::POST, path, Some(content_type), body).await;
        assert_eq!(status, StatusCode::OK, "{content_type}");
    }
    assert_eq!(desk.queued().await, [1, 2, 3]);
}
