//! The master that sentinels name.
//!
//! The sentinel client of the crate `redis` is not used: it gives up each answer after 500 ms, which
//! cannot be set, and a sentinel that is 300 ms away needs 600.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, Role,
    TlsCertificates,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::checks::Unfit;
use super::link::connect;
use crate::StoreAccess;

/// The host and the port of a server.
type Place = (String, u16);

/// Sentinels, and the master that they are asked for.
pub(super) struct Sentinels {
    pub(super) sentinels: Vec<ConnectionInfo>,
    /// What they call the master.
    pub(super) name: String,
    /// How to connect to it, with a host in place of its own.
    pub(super) master: ConnectionInfo,
    pub(super) certificates: Option<TlsCertificates>,
}

impl Sentinels {
    /// Connects to the master. All sentinels are asked at once, and the first server that one of them
    /// names, and that is a master, is the one: a sentinel that was cut off may name another server.
    /// Each of them, and then the server, may take `limit`.
    pub(super) async fn connect(
        self,
        access: &StoreAccess,
        limit: Duration,
    ) -> Result<MultiplexedConnection, Unfit> {
        let login = login(access);
        let mut answers = JoinSet::new();
        for sentinel in &self.sentinels {
            let sentinel = sentinel.clone().set_redis_settings(login.clone());
            answers.spawn(ask(sentinel, self.name.clone(), self.certificates.clone(), limit));
        }
        let (mut tried, mut problem) = (Vec::new(), None);
        while let Some(answer) = answers.join_next().await {
            match answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())) {
                Ok(place) if tried.contains(&place) => {}
                Ok(place) => {
                    match self.connect_to_master(&place, limit).await {
                        Ok(connection) => return Ok(connection),
                        Err(unfit) => problem = Some(unfit),
                    }
                    tried.push(place);
                }
                // What is wrong with a server that was named says more.
                Err(reason) => {
                    problem.get_or_insert(Unfit::Unavailable(reason));
                }
            }
        }
        Err(problem.unwrap_or_else(|| Unfit::Unavailable("it has no sentinels".to_owned())))
    }

    async fn connect_to_master(
        &self,
        place: &Place,
        limit: Duration,
    ) -> Result<MultiplexedConnection, Unfit> {
        let (host, port) = place.clone();
        let address = match self.master.addr() {
            ConnectionAddr::TcpTls { insecure, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: None }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        let server = self.master.clone().set_addr(address);
        let role = async {
            let mut connection = connect(server, self.certificates.clone()).await?;
            let role = redis::cmd("ROLE").query_async(&mut connection).await?;
            Ok::<_, RedisError>((connection, role))
        };
        match timeout(limit, role).await {
            Ok(Ok((connection, Role::Primary { .. }))) => Ok(connection),
            Ok(Ok(_)) => Err(no_master(place, "is a replica")),
            Ok(Err(error)) if error.is_io_error() => {
                Err(no_master(place, &format!("cannot be reached: {error}")))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(no_master(place, &format!("has not answered within {limit:?}"))),
        }
    }
}

/// The error for a server that the sentinels name and that is not a master: during a failover they name
/// the old one.
fn no_master((host, port): &Place, what: &str) -> Unfit {
    Unfit::Unavailable(format!(
        "the sentinels know no master at the moment: {host}:{port}, which they name, {what}"
    ))
}

/// Where the master of this name is, as a sentinel says, or why it does not say so.
async fn ask(
    sentinel: ConnectionInfo,
    name: String,
    certificates: Option<TlsCertificates>,
    limit: Duration,
) -> Result<Place, String> {
    let at = sentinel.addr().to_string();
    let answer = async {
        let mut connection = connect(sentinel, certificates).await?;
        let question = redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&name).take();
        question.query_async(&mut connection).await
    };
    let answer: Result<RedisResult<Option<Place>>, _> = timeout(limit, answer).await;
    match answer {
        Err(_) => Err(format!("the sentinel at {at} has not answered within {limit:?}")),
        Ok(Ok(Some(place))) => Ok(place),
        Ok(Ok(None)) => Err(format!(
            "the sentinel at {at} knows no master `{name}`: is it the name behind the hosts of the URL \
             that is wrong?"
        )),
        Ok(Err(error)) => Err(format!("the sentinel at {at} {}", refusal(&error))),
    }
}

/// Why a sentinel does not answer, and what to do about it.
fn refusal(error: &RedisError) -> String {
    match error.code() {
        Some("NOAUTH") => {
            "asks for a login: set `sentinel_password`, and `sentinel_user` if it has users (ACL)"
                .to_owned()
        }
        Some("NOPERM") => {
            format!("does not let `sentinel_user` ask for the master: {error}")
        }
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            "refuses the login: correct `sentinel_user` or `sentinel_password`".to_owned()
        }
        _ => format!("cannot be asked: {error}"),
    }
}

fn login(access: &StoreAccess) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default();
    if let Some(user) = &access.sentinel_user {
        login = login.set_username(user);
    }
    if let Some(password) = &access.sentinel_password {
        login = login.set_password(password.reveal());
    }
    login
}
