//! Calls whose messages are compressed.

use std::num::NonZeroUsize;

use bytes::Bytes;
use http_body_util::Full;
use muster_proto::users::UserRequest;
use muster_proto::users::users_client::UsersClient;
use muster_proto::v1;
use muster_proto::v1::batches_client::BatchesClient;
use muster_proto::v1::dead_letters_client::DeadLettersClient;
use muster_proto::v1::queue_client::QueueClient;
use muster_proto::v1::roll_client::RollClient;
use muster_proto::v1::workers_client::WorkersClient;
use muster_server::config::Config;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::Service as _;
use tonic::codegen::http::Request;
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1alpha;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient as AlphaClient;

use crate::desk::{Desk, ok, record, records};

const ENCODINGS: [CompressionEncoding; 3] =
    [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd];
const MESSAGE_BYTES_MAX: usize = 64 << 10;
const RECORD_BYTES_MAX: usize = 32 << 10;

/// A record with an agent of so many bytes, and of few when it is compressed.
fn long(id: i32, bytes: usize) -> UserRequest {
    UserRequest { agent: "a".repeat(bytes), ..record(id) }
}

async fn limited() -> Desk {
    let bytes = |bytes| NonZeroUsize::new(bytes).unwrap();
    Desk::open_with(Config {
        message_bytes_max: bytes(MESSAGE_BYTES_MAX),
        record_bytes_max: bytes(RECORD_BYTES_MAX),
        ..Config::default()
    })
    .await
}

#[tokio::test]
async fn compressed_records_are_accepted() {
    for encoding in ENCODINGS {
        let desk = Desk::open().await;
        let mut users = UsersClient::new(desk.channel.clone()).send_compressed(encoding);
        let answer = users.send_user_info(record(1)).await.unwrap();
        assert_eq!(answer.into_inner(), ok(), "{encoding}");
        let answer = users.send_user_info_client_stream(records(2..=300)).await.unwrap();
        assert_eq!(answer.into_inner(), ok(), "{encoding}");
        let mut queued = desk.queued().await;
        queued.sort_unstable();
        assert_eq!(queued, (1..=300).collect::<Vec<_>>(), "{encoding}");
    }
}

#[tokio::test]
async fn compressed_calls_to_every_service_are_accepted() {
    let desk = Desk::open().await;
    desk.send_stream("monday", 0, [1]).await.unwrap();
    for encoding in ENCODINGS {
        let channel = || desk.channel.clone();
        let mut batches = BatchesClient::new(channel()).send_compressed(encoding);
        let batch = v1::GetBatchRequest { id: "monday".to_owned() };
        assert_eq!(batches.get_batch(batch).await.unwrap().into_inner().received, 1, "{encoding}");
        let mut letters = DeadLettersClient::new(channel()).send_compressed(encoding);
        letters.list_dead_letter_groups(v1::ListDeadLetterGroupsRequest {}).await.unwrap();
        let mut queue = QueueClient::new(channel()).send_compressed(encoding);
        queue.get_stats(v1::GetStatsRequest {}).await.unwrap();
        let mut roll = RollClient::new(channel()).send_compressed(encoding);
        let no_roll = roll.get_roll(v1::GetRollRequest {}).await.unwrap_err();
        assert_eq!(no_roll.code(), Code::FailedPrecondition, "{encoding}: {no_roll}");
        let mut workers = WorkersClient::new(channel()).send_compressed(encoding);
        workers.list_workers(v1::ListWorkersRequest {}).await.unwrap();
        let mut health = HealthClient::new(channel()).send_compressed(encoding);
        health.check(HealthCheckRequest::default()).await.unwrap();
        let mut reflection = ServerReflectionClient::new(channel()).send_compressed(encoding);
        let question = tokio_stream::once(ServerReflectionRequest::default());
        reflection.server_reflection_info(question).await.unwrap();
        let mut reflection = AlphaClient::new(channel()).send_compressed(encoding);
        let question = tokio_stream::once(v1alpha::ServerReflectionRequest::default());
        reflection.server_reflection_info(question).await.unwrap();
    }
}

#[tokio::test]
async fn message_that_is_too_long_when_decompressed_ends_its_call() {
    for encoding in ENCODINGS {
        let desk = limited().await;
        let mut users = UsersClient::new(desk.channel.clone()).send_compressed(encoding);
        let bomb = || long(1, 256 * MESSAGE_BYTES_MAX);
        let status = users.send_user_info(bomb()).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{encoding}: {status}");
        assert!(status.message().contains("65536 bytes"), "{encoding}: {status}");
        let stream = tokio_stream::iter([record(2), bomb()]);
        let status = users.send_user_info_client_stream(stream).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{encoding}: {status}");
        // Others go on.
        assert_eq!(users.send_user_info(record(3)).await.unwrap().into_inner(), ok());
    }
}

#[tokio::test]
async fn record_that_is_too_long_when_decompressed_is_refused_with_a_reason() {
    for encoding in ENCODINGS {
        let desk = limited().await;
        let mut users = UsersClient::new(desk.channel.clone()).send_compressed(encoding);
        let answer = users.send_user_info(long(1, RECORD_BYTES_MAX)).await.unwrap().into_inner();
        assert!(!answer.status);
        assert!(answer.message.contains("id 1 has 327"), "{encoding}: {}", answer.message);
        let stream = tokio_stream::iter([record(2), long(3, RECORD_BYTES_MAX), record(4)]);
        let answer = users.send_user_info_client_stream(stream).await.unwrap().into_inner();
        assert!(!answer.status);
        assert!(answer.message.contains("id 3 has 327"), "{encoding}: {}", answer.message);
        assert_eq!(desk.queued().await, [2, 4], "{encoding}");
    }
}

#[tokio::test]
async fn unknown_compression_is_refused_with_those_that_are_known() {
    let desk = Desk::open().await;
    let request = Request::post("/Users/SendUserInfo")
        .header(CONTENT_TYPE, "application/grpc")
        .header("grpc-encoding", "snappy")
        .body(Body::new(Full::new(Bytes::new())))
        .unwrap();
    let mut channel = desk.channel.clone();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let answer = channel.call(request).await.unwrap();
    let code = Code::from_bytes(answer.headers()[Status::GRPC_STATUS].as_bytes());
    assert_eq!(code, Code::Unimplemented);
    assert_eq!(answer.headers()["grpc-accept-encoding"], "gzip,deflate,zstd,identity");
}
