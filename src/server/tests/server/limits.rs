//! The longest record: what is longer is refused, and its neighbours are not.

use muster_proto::users::UserRequest;
use prost::Message as _;
use tonic::IntoRequest as _;

use crate::desk::{Desk, ok, record};

const RECORD_BYTES_MAX: usize = 1 << 20;

/// A record that has so many bytes on the wire.
fn of_len(id: i32, len: usize) -> UserRequest {
    let mut record = UserRequest { id, agent: "a".repeat(len), ..UserRequest::default() };
    let beyond = record.encoded_len() - len;
    record.agent.truncate(len - beyond);
    assert_eq!(record.encoded_len(), len);
    record
}

#[tokio::test]
async fn a_unary_record_that_is_too_long_is_refused_with_a_reason() {
    let desk = Desk::open().await;
    let longest = of_len(1, RECORD_BYTES_MAX);
    assert_eq!(desk.send(longest.into_request()).await.unwrap(), ok());
    let answer = desk.send(of_len(2, RECORD_BYTES_MAX + 1).into_request()).await.unwrap();
    assert!(!answer.status);
    assert!(answer.message.contains("id 2 has 1048577 bytes"), "{}", answer.message);
    assert_eq!(desk.queued().await, [1]);
}

#[tokio::test]
async fn a_record_that_is_too_long_costs_its_stream_nothing_else() {
    let desk = Desk::open().await;
    let too_long = RECORD_BYTES_MAX + 1;
    let sent = [
        record(1),
        of_len(2, RECORD_BYTES_MAX),
        of_len(3, too_long),
        record(4),
        of_len(5, too_long),
        record(6),
    ];
    // The second time is a resend: it counts once, and has the same answer.
    for _ in 0..2 {
        let records = tokio_stream::iter(sent.clone());
        let answer = desk.stream(records, &[("muster-batch", "b")]).await.unwrap().into_inner();
        assert!(!answer.status);
        assert!(answer.message.starts_with("2 records were refused"), "{}", answer.message);
        assert!(answer.message.contains("id 3 has 1048577 bytes"), "{}", answer.message);
    }
    assert_eq!(desk.batch("b").await.unwrap().received, 4);
    assert_eq!(desk.queued().await, [1, 2, 4, 6]);
}
