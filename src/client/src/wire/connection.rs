//! The way to a server: encrypted or not, and in whose name.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::TryFutureExt as _;
use futures::future::MapOk;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::{self, Channel, Endpoint, Uri};

use super::proxy;
use super::tls::{BadTls, TlsConnector};
use crate::config::Config;

/// How long a connection may take to be made.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a silent connection is asked whether its other end is still there, and how long the
/// answer may take.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// What tonic is told of a server whose connections it is given: it would refuse `https` where it
/// is built without TLS, and encrypt once more where it is built with it.
const ELSEWHERE: &str = "http://elsewhere";

/// A connection, made when it is first used and whenever it was lost. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    channel: Channel,
    authorization: Option<http::HeaderValue>,
}

/// The settings of a connection cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadServer {
    /// The server's URL is none.
    #[error("the server `{url}` cannot be used: {problem}")]
    Url {
        /// What is there in its place.
        url: String,
        /// What is wrong with it.
        problem: http::uri::InvalidUri,
    },
    /// TLS cannot be spoken as it is set.
    #[error(transparent)]
    Tls(#[from] BadTls),
}

impl Connection {
    /// A connection to the server of these settings, which is not made yet.
    ///
    /// # Errors
    ///
    /// The settings cannot be used.
    pub(super) fn new(config: &Config) -> Result<Self, BadServer> {
        let url = &config.server;
        let server: Uri =
            url.parse().map_err(|problem| BadServer::Url { url: url.clone(), problem })?;
        let channel = if server.scheme_str() == Some("https") {
            let connector = TlsConnector::new(server.clone(), config)?;
            let endpoint = Endpoint::from_static(ELSEWHERE).origin(server);
            tuned(endpoint).connect_with_connector_lazy(connector)
        } else {
            tuned(Endpoint::from(server)).connect_lazy()
        };
        let authorization = config.token.as_ref().map(|token| token.authorization());
        Ok(Self { channel, authorization })
    }
}

fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .tcp_nodelay(true)
}

impl Service<http::Request<Body>> for Connection {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = MapOk<
        <Channel as Service<http::Request<Body>>>::Future,
        fn(http::Response<Body>) -> http::Response<Body>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(http::header::AUTHORIZATION, authorization.clone());
        }
        self.channel.call(request).map_ok(proxy::as_grpc)
    }
}
