//! What the servers to compare with have in common: how they are served.

use std::io::Write as _;
use std::net::SocketAddr;

use muster_proto::users::UserResponse;
use muster_proto::users::users_server::{Users, UsersServer};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How much of a stream may be under way. With tonic's own 64 KiB all of them are slower.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;

/// Serves until the process is ended, and says "ready" when it does.
pub(crate) async fn serve(listen: SocketAddr, users: impl Users) -> anyhow::Result<()> {
    let incoming = TcpIncoming::bind(listen)?.with_nodelay(Some(true));
    writeln!(std::io::stdout(), "ready")?;
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .add_service(UsersServer::new(users));
    Ok(server.serve_with_incoming(incoming).await?)
}

pub(crate) fn ok() -> UserResponse {
    UserResponse { status: true, message: "ok".to_owned() }
}
