//! One connection, to whichever servers the store is on.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisFuture, RedisResult, TlsMode,
    Value,
};
use tokio::sync::Mutex;

use super::address::Address;

/// How long it may take to connect to one node of a cluster. It is less than a new link may take:
/// a node that is silently gone must not keep the others from being found.
const NODE_CONNECT_MAX: Duration = Duration::from_millis(500);

/// What opens connections.
pub(super) enum Opener {
    Server(Box<Client>),
    Sentinels(Box<Sentinels>),
    Cluster(Box<ClusterClient>),
}

/// The sentinels, and the master they are asked for. They are asked by one at a time.
pub(super) struct Sentinels {
    sentinel: Mutex<Sentinel>,
    master: String,
    node: SentinelNodeConnectionInfo,
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
    pub(super) fn new(address: Address) -> RedisResult<Self> {
        Ok(match address {
            Address::Server(server) => Self::Server(Box::new(Client::open(server)?)),
            Address::Sentinels { sentinels, master, login, tls } => {
                let node = SentinelNodeConnectionInfo::default().set_redis_connection_info(login);
                Self::Sentinels(Box::new(Sentinels {
                    sentinel: Mutex::new(Sentinel::build(sentinels)?),
                    master,
                    node: if tls { node.set_tls_mode(TlsMode::Secure) } else { node },
                }))
            }
            Address::Cluster(nodes) => {
                let builder = ClusterClient::builder(nodes).overall_response_timeout(None);
                Self::Cluster(Box::new(builder.build()?))
            }
        })
    }

    /// Connects: to the server, to the master that the sentinels name now, or to the cluster.
    pub(super) async fn open(&self) -> RedisResult<Link> {
        match self {
            Self::Server(client) => open_server(client).await,
            Self::Sentinels(sentinels) => {
                let Sentinels { sentinel, master, node } = sentinels.as_ref();
                let client = sentinel.lock().await.async_master_for(master, Some(node)).await?;
                open_server(&client).await
            }
            Self::Cluster(client) => {
                let config = ClusterConfig::new().set_connection_timeout(NODE_CONNECT_MAX);
                client.get_async_connection_with_config(config).await.map(Link::Cluster)
            }
        }
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
