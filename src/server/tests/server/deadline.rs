//! A call that is not answered by the deadline of its caller.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::codegen::http::Request;
use tonic::codegen::http::header::{CONTENT_TYPE, TE};
use tonic::{Code, Status};

use crate::desk::{Desk, record};
use crate::protocol::framed;

/// The code that the server answers to a call with this timeout. A client of `tonic` would end the call
/// itself.
async fn call(desk: &Desk, path: &str, timeout: &str) -> Code {
    let stream = TcpStream::connect(desk.grpc).await.unwrap();
    let (mut calls, connection) =
        handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let request = Request::post(format!("http://{}{path}", desk.grpc))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header("grpc-timeout", timeout)
        .body(Full::new(framed(&record(1))))
        .unwrap();
    let answer = tokio::select! {
        answer = calls.send_request(request) => answer.unwrap(),
        ended = connection => panic!("the connection ended: {ended:?}"),
    };
    Code::from_bytes(answer.headers()[Status::GRPC_STATUS].as_bytes())
}

#[tokio::test]
async fn call_that_is_not_over_by_its_deadline_is_answered_so() {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    for path in ["/Users/SendUserInfo", "/Users/SendUserInfoClientStream"] {
        assert_eq!(call(&desk, path, "100m").await, Code::DeadlineExceeded, "{path}");
    }
    desk.store.hold_appends(false);
}
