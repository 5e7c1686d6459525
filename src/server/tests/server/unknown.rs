//! Calls that no service has.

use muster_proto::codec::ServerCodec;
use muster_proto::users::{UserRequest, UserResponse};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request};

use crate::desk::{Desk, record};

#[tokio::test]
async fn a_method_or_a_service_that_is_not_there_is_unimplemented() {
    let desk = Desk::open().await;
    for path in ["/Users/Nothing", "/Usersx/SendUserInfo", "/muster.v1.Batches/Nothing", "/"] {
        let mut client = tonic::client::Grpc::new(desk.channel.clone());
        client.ready().await.unwrap();
        let codec = ServerCodec::<UserRequest, UserResponse>::default();
        let path = PathAndQuery::from_static(path);
        let answer = client.unary(Request::new(record(1)), path.clone(), codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented, "{path}");
    }
}
