//! One connection, to whichever servers the store is on.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisError, RedisFuture,
    RedisResult, TlsCertificates, Value,
};

use super::address::Address;
use super::checks::Unfit;
use super::sentinels::Sentinels;
use super::tls::{self, Files};
use crate::{CurrentAccess, StoreAccess, StoreUrl};

/// What opens connections.
pub(super) struct Opener {
    /// It is asked for each connection: the login may have been replaced.
    access: CurrentAccess,
    /// How long a new link may take, with what is asked of it at first.
    connect_timeout: Duration,
}

/// A connection. Clones share it.
///
/// It waits for an answer for ever: whoever asks sets the limit.
#[derive(Clone)]
pub(super) enum Link {
    /// To one server.
    Server(MultiplexedConnection),
    /// To all nodes of a cluster. It follows slots that move.
    Cluster(ClusterConnection),
}

impl Opener {
    /// Prepares for the servers of a store, without connecting.
    ///
    /// # Errors
    ///
    /// Its URL does not say where they are, or a file that it names for TLS cannot be used.
    pub(super) fn new(access: CurrentAccess, connect_timeout: Duration) -> Result<Self, Unfit> {
        let (_, files) = servers(&access.get()).map_err(Unfit::Unavailable)?;
        if let Some(Err(file)) = files.as_ref().map(Files::read) {
            return Err(Unfit::Misconfigured(file.to_string()));
        }
        Ok(Self { access, connect_timeout })
    }

    /// Connects: to the server, to the master that the sentinels name now, or to the cluster.
    ///
    /// The connection to a cluster makes those to nodes that join later with the login and the
    /// certificates that it began with.
    pub(super) async fn open(&self) -> Result<Link, Unfit> {
        let access = self.access.get();
        let (address, files) = servers(&access).map_err(Unfit::Unavailable)?;
        let certificates = files.as_ref().map(Files::read).transpose()?;
        match address {
            Address::Server(server) => Ok(Link::Server(connect(*server, certificates).await?)),
            Address::Sentinels { sentinels, name, master } => {
                let sentinels = Sentinels { sentinels, name, master: *master, certificates };
                // The first server that is named may be silently gone.
                let connection = sentinels.connect(&access, self.connect_timeout / 3).await?;
                Ok(Link::Server(connection))
            }
            Address::Cluster(nodes) => {
                let builder = ClusterClient::builder(nodes).overall_response_timeout(None);
                let builder = match certificates {
                    Some(certificates) => builder.certs(certificates),
                    None => builder,
                };
                // A node that is silently gone must not keep the others from being found.
                let config = ClusterConfig::new().set_connection_timeout(self.connect_timeout / 4);
                let client = builder.build()?;
                Ok(Link::Cluster(client.get_async_connection_with_config(config).await?))
            }
        }
    }
}

/// Where the servers of a store are, and the files for TLS to them.
fn servers(access: &StoreAccess) -> Result<(Address, Option<Files>), String> {
    let no_server = || "its URL names no server".to_owned();
    let StoreUrl::Redis(url) = &access.url else { return Err(no_server()) };
    let (servers, files) = tls::split(url).map_err(|error| error.to_string())?;
    Ok((Address::parse(servers).ok_or_else(no_server)?, files))
}

/// Connects to one server. Whoever asks sets the limits of time.
pub(super) async fn connect(
    server: ConnectionInfo,
    certificates: Option<TlsCertificates>,
) -> RedisResult<MultiplexedConnection> {
    let client = match certificates {
        Some(certificates) => Client::build_with_tls(server, certificates)?,
        None => Client::open(server)?,
    };
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

impl Link {
    /// Asks the server, or every master of the cluster.
    pub(super) async fn ask_masters(&mut self, question: &Cmd) -> RedisResult<Vec<Value>> {
        let answer = match self {
            Self::Server(connection) => return Ok(vec![question.query_async(connection).await?]),
            Self::Cluster(connection) => {
                let masters = MultipleNodeRoutingInfo::AllMasters;
                let routing = RoutingInfo::MultiNode((masters, Some(ResponsePolicy::Special)));
                connection.route_command(question.clone(), routing).await?
            }
        };
        match answer.extract_error()? {
            Value::Map(answers) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
            _ => Err(RedisError::from((
                redis::ErrorKind::UnexpectedReturnType,
                "the masters of the cluster do not answer one by one",
            ))),
        }
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
