//! HTTP/1 on connections that were let in.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures::{Stream, StreamExt as _};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::connection::Connection;
use crate::lasting::Lasting;

/// How many headers a request may have.
const HEADERS_MAX: usize = 64;

/// Serves `router` on the connections until `end`, and then until the answers under way have gone
/// out. It is told whose a request is by an extension, the [`Peer`](crate::Peer).
///
/// The headers of a request must come within `header_max` of the answer before, and fit into
/// `header_bytes_max` bytes. A browser that keeps a connection open expects to find it so.
pub async fn serve(
    connections: impl Stream<Item = io::Result<Connection>>,
    router: Router,
    header_max: Duration,
    header_bytes_max: usize,
    end: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(header_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(header_bytes_max.max(8 << 10));
    let mut serving = JoinSet::new();
    let mut connections = pin!(connections);
    loop {
        // All are cancel-safe: a connection comes or not, and those that are served go on.
        tokio::select! {
            () = end.cancelled() => break,
            Some(_) = serving.join_next(), if !serving.is_empty() => {}
            Some(connection) = connections.next() => if let Ok(connection) = connection {
                serving.spawn(serve_one(http.clone(), connection, router.clone(), end.clone()));
            },
        }
    }
    while serving.join_next().await.is_some() {}
}

async fn serve_one(
    http: http1::Builder,
    connection: Connection,
    router: Router,
    end: CancellationToken,
) {
    let peer = connection.peer().clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, peer) = (router.clone(), peer.clone());
        async move {
            let call = peer.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let response: Response = router.call(request).await?;
            // The call lasts as long as its answer does.
            Ok::<_, Infallible>(response.map(|body| Body::new(Lasting::new(body, call))))
        }
    });
    let mut serving = pin!(http.serve_connection(TokioIo::new(connection), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = end.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
