//! Connections: accepted, let in by the gate, and their TLS spoken.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, Connection, Times};
use crate::gate::{Gate, Pass};
use crate::metrics::{self, Refused};
use crate::peer::{self, Peer};
use crate::tls::Tls;

/// How long it is waited when no connection can be accepted, as no file can be opened any more.
const PAUSE: Duration = Duration::from_millis(100);

/// A port whose connections are let in by a gate.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    gate: Arc<Gate>,
    tls: Option<Arc<Tls>>,
    spoken: Spoken,
    times: Times,
}

/// What is spoken behind a door.
#[derive(Clone, Copy, Debug)]
pub enum Spoken {
    /// gRPC, by HTTP/2.
    Grpc,
    /// HTTP/1.
    Web,
}

type Handshakes = FuturesUnordered<BoxFuture<'static, Option<Connection>>>;

impl Door {
    /// A door behind which this is spoken. Without `tls` it is in plain text.
    pub fn new(
        listener: TcpListener,
        spoken: Spoken,
        gate: Arc<Gate>,
        tls: Option<Arc<Tls>>,
        times: Times,
    ) -> Self {
        Self { listener, gate, tls, spoken, times }
    }

    /// The connections that were let in. It never ends.
    pub fn connections(self) -> impl Stream<Item = io::Result<Connection>> + Send {
        stream::unfold((self, Handshakes::new()), async |(door, mut handshakes)| {
            let connection = door.next(&mut handshakes).await;
            Some((Ok(connection), (door, handshakes)))
        })
    }

    /// The next connection. One that is slow to speak TLS keeps nobody else waiting.
    async fn next(&self, handshakes: &mut Handshakes) -> Connection {
        loop {
            // Both are cancel-safe: a connection is accepted or not, and a handshake goes on.
            let accepted = tokio::select! {
                Some(spoken) = handshakes.next(), if !handshakes.is_empty() => match spoken {
                    Some(connection) => return connection,
                    None => continue,
                },
                accepted = self.listener.accept() => accepted,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let Some(pass) = self.gate.admit(from) else { continue };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, %from, "a connection was lost");
                continue;
            }
            let came = Instant::now();
            match self.tls_config() {
                Some(config) => {
                    handshakes.push(speak(config, stream, pass, came, self.times).boxed())
                }
                None => {
                    let peer = Peer::new(from, Vec::new(), Some(pass));
                    let stream = connection::Stream::Plain { stream };
                    return Connection::new(stream, peer, came, self.times);
                }
            }
        }
    }

    fn tls_config(&self) -> Option<Arc<ServerConfig>> {
        let tls = self.tls.as_ref()?;
        Some(match self.spoken {
            Spoken::Grpc => tls.grpc(),
            Spoken::Web => tls.web(),
        })
    }
}

/// Speaks TLS, unless the other side is too slow, or has to give way.
async fn speak(
    config: Arc<ServerConfig>,
    stream: TcpStream,
    pass: Pass,
    came: Instant,
    times: Times,
) -> Option<Connection> {
    let from = stream.peer_addr().ok()?;
    let accept = TlsAcceptor::from(config).accept(stream);
    let spoken = tokio::select! {
        () = pass.out().cancelled() => return None,
        spoken = timeout_at(came + times.arrival_max, accept) => spoken,
    };
    match spoken {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let subjects = shown.map(|certificate| peer::subjects(certificate)).unwrap_or_default();
            let peer = Peer::new(from, subjects, Some(pass));
            let stream = connection::Stream::Tls { stream: Box::new(stream) };
            Some(Connection::new(stream, peer, came, times))
        }
        Ok(Err(error)) => {
            metrics::refused(Refused::Handshake);
            tracing::debug!(%from, %error, "no TLS with this connection");
            None
        }
        Err(_) => {
            metrics::refused(Refused::Late);
            tracing::debug!(%from, "a connection took too long to speak TLS");
            None
        }
    }
}

async fn pause_after(error: &io::Error) {
    let is_of_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    );
    if !is_of_connection {
        tracing::warn!(%error, "no connection can be accepted");
        tokio::time::sleep(PAUSE).await;
    }
}
