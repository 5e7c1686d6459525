//! Calls with more or fewer messages than their method takes.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use muster_proto::v1::GetStatsRequest;
use muster_proto::v1::queue_client::QueueClient;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::codegen::http::Request;
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::{Code, Status};

use crate::desk::{Desk, record};
use crate::protocol::framed;

const RECORD: &str = "/Users/SendUserInfo";
const PAUSE: &str = "/muster.v1.Queue/PauseQueue";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A body that comes in these parts.
fn parts(parts: impl IntoIterator<Item = Bytes>) -> Body {
    let frames = parts.into_iter().map(|part| Ok::<_, Infallible>(Frame::data(part)));
    Body::new(StreamBody::new(tokio_stream::iter(frames.collect::<Vec<_>>())))
}

/// The code of the answer to a call with this body.
async fn call(desk: &Desk, path: &str, body: Body) -> Code {
    let request = Request::post(path).header(CONTENT_TYPE, "application/grpc").body(body).unwrap();
    let mut channel = desk.channel.clone();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let answer = channel.call(request).await.unwrap();
    // A good one has its code behind the message.
    let code = answer.headers().get(Status::GRPC_STATUS);
    code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

#[tokio::test]
async fn unary_call_without_exactly_one_message_does_nothing() {
    let desk = Desk::open().await;
    let record = framed(&record(1));
    for (path, message) in [(RECORD, record), (PAUSE, framed(&())), (HEALTH, framed(&()))] {
        let three = [&message, &message, &message].map(Bytes::clone);
        for (what, body) in [
            ("three messages in one part", parts([three.concat().into()])),
            ("three messages in three parts", parts(three)),
            ("an empty body", parts([])),
            ("no body", Body::empty()),
        ] {
            assert_eq!(call(&desk, path, body).await, Code::Unimplemented, "{path}: {what}");
        }
    }
    let mut queue = QueueClient::new(desk.channel.clone());
    let stats = queue.get_stats(GetStatsRequest {}).await.unwrap().into_inner();
    assert!(!stats.paused);
    assert_eq!(desk.queued().await, Vec::<i32>::new());
}

#[tokio::test]
async fn message_that_comes_byte_by_byte_is_one() {
    let desk = Desk::open().await;
    let bytes = framed(&record(1));
    let one_by_one = (0..bytes.len()).map(|place| bytes.slice(place..=place));
    assert_eq!(call(&desk, RECORD, parts(one_by_one)).await, Code::Ok);
    assert_eq!(desk.queued().await, [1]);
}
