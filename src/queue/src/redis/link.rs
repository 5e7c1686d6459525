//! One connection, to whichever servers the store is on.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisConnectionInfo, RedisError,
    RedisFuture, RedisResult, TlsCertificates, TlsMode, Value,
};
use tokio::sync::Mutex;

use super::address::Address;
use super::checks::Unfit;
use super::tls::Files;

/// How long it may take to connect to one node of a cluster. It is less than a new link may take:
/// a node that is silently gone must not keep the others from being found.
const NODE_CONNECT_MAX: Duration = Duration::from_millis(500);

/// What opens connections.
pub(super) struct Opener {
    servers: Servers,
    /// What TLS stands on. It is read for each connection.
    files: Option<Files>,
}

enum Servers {
    Server(Box<ConnectionInfo>),
    Sentinels(Box<Sentinels>),
    Cluster(Vec<ConnectionInfo>),
}

/// The sentinels, and the master they are asked for.
struct Sentinels {
    sentinels: Vec<ConnectionInfo>,
    master: String,
    login: RedisConnectionInfo,
    tls: bool,
    /// The connections to them, which one at a time has. They are kept, unless the next ones may
    /// need other certificates.
    kept: Mutex<Option<SentinelClient>>,
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
    /// Prepares for the servers at `address`, without connecting.
    pub(super) fn new(address: Address, files: Option<Files>) -> Self {
        let servers = match address {
            Address::Server(server) => Servers::Server(Box::new(server)),
            Address::Sentinels { sentinels, master, login, tls } => {
                let kept = Mutex::default();
                Servers::Sentinels(Box::new(Sentinels { sentinels, master, login, tls, kept }))
            }
            Address::Cluster(nodes) => Servers::Cluster(nodes),
        };
        Self { servers, files }
    }

    /// Connects: to the server, to the master that the sentinels name now, or to the cluster.
    ///
    /// The connection to a cluster makes those to nodes that join later with the certificates that
    /// it began with.
    pub(super) async fn open(&self) -> Result<Link, Unfit> {
        let certificates = self.files.as_ref().map(Files::read).transpose()?;
        let link = match &self.servers {
            Servers::Server(server) => {
                let server = server.as_ref().clone();
                let client = match certificates {
                    Some(certificates) => Client::build_with_tls(server, certificates)?,
                    None => Client::open(server)?,
                };
                open_server(&client).await?
            }
            Servers::Sentinels(sentinels) => {
                let client = sentinels.master(certificates).await?;
                open_server(&client).await?
            }
            Servers::Cluster(nodes) => {
                let builder = ClusterClient::builder(nodes.clone()).overall_response_timeout(None);
                let builder = match certificates {
                    Some(certificates) => builder.certs(certificates),
                    None => builder,
                };
                let config = ClusterConfig::new().set_connection_timeout(NODE_CONNECT_MAX);
                let client = builder.build()?;
                Link::Cluster(client.get_async_connection_with_config(config).await?)
            }
        };
        Ok(link)
    }
}

impl Sentinels {
    /// The master that the sentinels name now.
    async fn master(&self, certificates: Option<TlsCertificates>) -> RedisResult<Client> {
        let mut kept = self.kept.lock().await;
        let mut client = match kept.take_if(|_| certificates.is_none()) {
            Some(client) => client,
            None => self.client(certificates)?,
        };
        let master = client.async_get_client().await;
        *kept = Some(client);
        master
    }

    fn client(&self, certificates: Option<TlsCertificates>) -> RedisResult<SentinelClient> {
        let sentinels = self.sentinels.iter().map(|sentinel| sentinel.addr().clone());
        let kind = SentinelServerType::Master;
        let mut builder = SentinelClientBuilder::new(sentinels, &self.master, kind)?
            .set_client_to_redis_db(self.login.db())
            .set_client_to_redis_protocol(self.login.protocol());
        if let Some(username) = self.login.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = self.login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if self.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = certificates {
            builder = builder
                .set_client_to_sentinel_certificates(certificates.clone())
                .set_client_to_redis_certificates(certificates);
        }
        builder.build()
    }
}

async fn open_server(client: &Client) -> RedisResult<Link> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.map(Link::Server)
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
