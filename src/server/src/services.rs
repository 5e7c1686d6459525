//! All that a server answers, apart from where it listens: for gRPC and for the dashboard.

use std::convert::Infallible;
use std::sync::Arc;

use muster_access::Seats;
use muster_program::shutdown::Shutdown;
use muster_queue::Queue;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tower_layer::Layer as _;

use crate::calls::MeasureCalls;
use crate::compression::accept_compressed;
use crate::config::Config;
use crate::operations::Operations;
use crate::roll::Roll;
use crate::router::Router;
use crate::sampler::Sampler;
use crate::users::{Users, UsersServer};

/// The services on this store, for whoever calls them within this process: records and operations
/// by gRPC, with its metadata but without a connection, and what the dashboard shows and does. They
/// are the ones that [`Server::serve`](crate::Server::serve) serves, but for health and reflection.
///
/// What runs for them ends with the shutdown. Nobody looks at the queue: `GetStats` tells what was
/// seen at the last change.
pub fn services(
    queue: &Arc<dyn Queue>,
    config: &Config,
    shutdown: &Shutdown,
) -> (
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + 'static,
    muster_dashboard::Services,
) {
    let sampler = Arc::new(Sampler::new(Arc::clone(queue), config));
    let streams = Seats::new(config.streams_max.get(), config.streams_per_address_max.get());
    let roll = Roll::new(config, streams.clone(), shutdown.token(), shutdown);
    let operations = Operations::new(queue, sampler, config, roll);
    let dashboard = operations.services();
    let users = users(queue, config, streams, shutdown.token(), shutdown);
    (MeasureCalls.layer(Router { users, others: operations.routes() }), dashboard)
}

/// The service `Users`. `break_off` ends streams that are under way, and refuses calls.
pub(crate) fn users(
    queue: &Arc<dyn Queue>,
    config: &Config,
    streams: Seats,
    break_off: CancellationToken,
    shutdown: &Shutdown,
) -> UsersServer<Users> {
    let users = Users::start(Arc::clone(queue), config, streams, break_off, shutdown);
    let message_bytes_max = config.message_bytes_max.get();
    accept_compressed!(UsersServer::new(users).max_decoding_message_size(message_bytes_max))
}
