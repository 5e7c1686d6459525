//! What is served to those who watch over a program. `/livez`: the process answers. `/readyz`: the
//! store does as well. `/metrics`: what was measured, for Prometheus.

use std::io::ErrorKind;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::daemon::Failure;
use crate::metrics;
use crate::readiness::State;

/// Where it is said whether the program is ready.
pub(crate) const READYZ: &str = "/readyz";

/// The form of what `/metrics` answers.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Takes the address of the setting `key`.
///
/// # Errors
///
/// It cannot be listened on; the message names it.
pub async fn listen(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                "another process listens there; each process on a machine needs an address of its \
                 own, and with port 0 the system chooses a free port"
            }
            _ => "choose another address",
        };
        format!("cannot listen on {address} (`{key}`, --{key}): {error}; {advice}").into()
    })
}

/// The probes: `/livez` and `/readyz`.
pub fn probes(state: watch::Receiver<State>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route(READYZ, get(ready))
        .with_state(state)
}

/// `/metrics`.
pub fn metrics() -> Router {
    let measured = async || ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics::render());
    Router::new().route("/metrics", get(measured))
}

/// Serves the probes and the metrics until `end`.
///
/// # Errors
///
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    state: watch::Receiver<State>,
    end: CancellationToken,
) -> Result<(), Failure> {
    let router = probes(state).merge(metrics());
    Ok(axum::serve(listener, router).with_graceful_shutdown(end.cancelled_owned()).await?)
}

async fn ready(Extract(state): Extract<watch::Receiver<State>>) -> (StatusCode, String) {
    let state = state.borrow();
    let code = match *state {
        State::Ready => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, format!("{}\n", *state))
}
