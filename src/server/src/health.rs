//! gRPC health: what the probes say, for those who ask by gRPC.

use muster_program::readiness::State;
use muster_program::shutdown::Shutdown;
use muster_proto::users::users_server;
use muster_proto::v1::{
    batches_server, dead_letters_server, queue_server, roll_server, workers_server,
};
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The services that are healthy or not; the first stands for the server.
const SERVICES: [&str; 7] = [
    "",
    users_server::SERVICE_NAME,
    batches_server::SERVICE_NAME,
    dead_letters_server::SERVICE_NAME,
    queue_server::SERVICE_NAME,
    roll_server::SERVICE_NAME,
    workers_server::SERVICE_NAME,
];

/// Tells every state, until the server ends.
pub(crate) fn follow(
    mut state: watch::Receiver<State>,
    reporter: HealthReporter,
    shutdown: &Shutdown,
) {
    shutdown.spawn(async move {
        loop {
            let current = state.borrow_and_update().clone();
            let status = match current {
                State::Ready => ServingStatus::Serving,
                _ => ServingStatus::NotServing,
            };
            for service in SERVICES {
                reporter.set_service_status(service, status).await;
            }
            if current == State::Ending || state.changed().await.is_err() {
                return;
            }
        }
    });
}
