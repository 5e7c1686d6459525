//! A server that answers and does nothing: what gRPC alone costs.

use std::net::SocketAddr;

use futures::StreamExt as _;
use muster_proto::users::users_server::Users;
use muster_proto::users::{UserRequest, UserResponse};
use tonic::{Request, Response, Status, Streaming};

use crate::grpc::{self, ok};
use crate::runtime;

/// Where and how the server runs.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where gRPC is served
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// How many threads the runtime has
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

/// Serves until the process is ended.
///
/// # Errors
///
/// The port is taken.
pub fn run(options: &Options) -> anyhow::Result<()> {
    runtime::of(options.threads)?.block_on(grpc::serve(options.listen, Echo))
}

struct Echo;

#[tonic::async_trait]
impl Users for Echo {
    async fn send_user_info(
        &self,
        _: Request<UserRequest>,
    ) -> Result<Response<UserResponse>, Status> {
        Ok(Response::new(ok()))
    }

    async fn send_user_info_client_stream(
        &self,
        request: Request<Streaming<UserRequest>>,
    ) -> Result<Response<UserResponse>, Status> {
        let mut records = request.into_inner();
        while let Some(record) = records.next().await {
            record?;
        }
        Ok(Response::new(ok()))
    }
}
