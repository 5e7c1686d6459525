//! The doors of the server, and what is asked of those who come to them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use muster_access::{Access, Door, Gate, Peer, Role, Room, Seats, Spoken, Times, Tls, bearer};
use muster_program::daemon::Failure;
use muster_program::shutdown::Shutdown;
use muster_program::watched::Watch as _;
use tokio::net::TcpListener;

use crate::admission::Admission;
use crate::config::Config;

/// What all doors ask for.
#[derive(Debug)]
pub(crate) struct Entrance {
    tls: Option<Arc<Tls>>,
    pub(crate) access: Option<Arc<Access>>,
}

impl Entrance {
    /// Reads the certificates and the access list of these settings.
    ///
    /// # Errors
    ///
    /// One of them cannot be used; the message names the file.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        let tls = config.tls().map(|files| Tls::open(&files)).transpose()?;
        let rate = Some(config.records_per_second_max);
        let access = config.access.as_ref().map(|path| Access::open(path, rate)).transpose()?;
        Ok(Self { tls: tls.map(Arc::new), access: access.map(Arc::new) })
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads them again when they change, until the shutdown begins.
    pub(crate) fn watch(&self, shutdown: &Shutdown) {
        let ending = shutdown.token();
        if let Some(tls) = self.tls.clone() {
            let watching = async move { tls.watch().await };
            shutdown.spawn(ending.clone().run_until_cancelled_owned(watching));
        }
        if let Some(access) = self.access.clone() {
            let watching = async move { access.watch().await };
            shutdown.spawn(ending.run_until_cancelled_owned(watching));
        }
    }

    /// The door of gRPC.
    pub(crate) fn grpc_door(&self, listener: TcpListener, config: &Config) -> Door {
        Door::new(listener, Spoken::Grpc, gate(config), self.tls.clone(), times(config))
    }

    /// The door of the dashboard and the probes.
    pub(crate) fn web_door(&self, listener: TcpListener, config: &Config) -> Door {
        Door::new(listener, Spoken::Web, gate(config), self.tls.clone(), times(config))
    }

    /// What lets calls of gRPC in.
    pub(crate) fn admission(&self, config: &Config) -> Admission {
        let calls = Seats::new(config.calls_max.get(), config.calls_per_address_max.get());
        Admission::new(self.access.clone(), calls, config.call_max)
    }

    /// The metrics, for those who may read, unless they are for everybody.
    pub(crate) fn guard_metrics(&self, metrics: Router, config: &Config) -> Router {
        let Some(access) = self.access.clone().filter(|_| !config.open_metrics) else {
            return metrics;
        };
        metrics.layer(middleware::from_fn(move |request, next| {
            let access = Arc::clone(&access);
            async move { pass_reader(&access, request, next).await }
        }))
    }
}

async fn pass_reader(access: &Access, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let token = bearer(request.headers()).ok();
    let found = token.zip(peer).map(|(token, peer)| access.identify(token, peer));
    match found {
        Some(Ok(principal)) if principal.may(Role::Read) => {
            peer.into_iter().for_each(Peer::is_known);
            next.run(request).await
        }
        Some(Ok(_)) => (StatusCode::FORBIDDEN, "this asks for the role read\n").into_response(),
        _ => {
            let ask = [(WWW_AUTHENTICATE, "Bearer")];
            let told = "give a token with the role read, or set `open_metrics` at the server\n";
            (StatusCode::UNAUTHORIZED, ask, told).into_response()
        }
    }
}

fn gate(config: &Config) -> Arc<Gate> {
    let Config { connections_max, connections_per_address_max, .. } = config;
    Gate::new(Room { all: connections_max.get(), of_address: connections_per_address_max.get() })
}

fn times(config: &Config) -> Times {
    let Config { arrival_max, idle_max, write_max, .. } = *config;
    Times { arrival_max, idle_max, write_max }
}
