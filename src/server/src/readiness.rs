//! Whether the store is there: asked every second, told to gRPC health and to `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use muster_program::shutdown::Shutdown;
use muster_proto::users::users_server;
use muster_proto::v1::{batches_server, dead_letters_server};
use muster_queue::Queue;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// How often the store is asked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Why the server is not ready in the end. It goes without saying in the log.
const ENDING: &str = "the server is shutting down";

/// Whether the server is ready, or why not.
pub(crate) type Readiness = Result<(), String>;

/// Watches the store until the shutdown begins, from when on the server is not ready.
pub(crate) fn watch(
    queue: Arc<dyn Queue>,
    health: HealthReporter,
    shutdown: &Shutdown,
) -> watch::Receiver<Readiness> {
    let (sender, receiver) = watch::channel(Err("the store has not answered yet".to_owned()));
    let ending = shutdown.token();
    shutdown.spawn(async move {
        loop {
            let readiness = queue.ping().await.map_err(|error| error.to_string());
            tell(&health, &sender, readiness).await;
            if tokio::time::timeout(INTERVAL, ending.cancelled()).await.is_ok() {
                tell(&health, &sender, Err(ENDING.to_owned())).await;
                return;
            }
        }
    });
    receiver
}

async fn tell(health: &HealthReporter, sender: &watch::Sender<Readiness>, readiness: Readiness) {
    let status = match &readiness {
        Ok(()) => ServingStatus::Serving,
        Err(_) => ServingStatus::NotServing,
    };
    sender.send_if_modified(|current| {
        let changed = *current != readiness;
        match &readiness {
            Ok(()) if changed => tracing::info!("ready: the store answers"),
            Err(reason) if changed && reason != ENDING => tracing::warn!(reason, "not ready"),
            _ => {}
        }
        *current = readiness;
        changed
    });
    let services = [
        "",
        users_server::SERVICE_NAME,
        batches_server::SERVICE_NAME,
        dead_letters_server::SERVICE_NAME,
    ];
    for service in services {
        health.set_service_status(service, status).await;
    }
}
