//! Where the servers are, out of the store's URL.

use redis::{ConnectionInfo, IntoConnectionInfo as _};

/// The servers of a store.
pub(crate) enum Address {
    /// One server.
    Server(Box<ConnectionInfo>),
    /// A master that sentinels know by its name.
    Sentinels {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        /// How to connect to it: its login, its database, and whether by TLS, with a host in place of
        /// its own.
        master: Box<ConnectionInfo>,
    },
    /// A cluster, by some of its nodes.
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    /// Reads one of
    ///
    /// - `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`,
    /// - `redis-sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…/MASTER[/DATABASE]`,
    /// - `redis-cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…`,
    ///
    /// or the same with `rediss` for TLS. `None` for any other text: what is wrong with it is not
    /// said, since it may be the password.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (scheme, kind) = scheme.split_once('-').unwrap_or((scheme, ""));
        if scheme != "redis" && scheme != "rediss" {
            return None;
        }
        // The password may have an `@`. Behind the hosts one would tell who looks for the password,
        // to leave it out, a wrong place.
        let hosts_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if rest[hosts_end..].contains('@') {
            return None;
        }
        let at = rest.rfind('@').map_or(0, |at| at + 1);
        let (login, rest) = rest.split_at(at);
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        match kind {
            "" => url.into_connection_info().ok().map(Box::new).map(Self::Server),
            "sentinel" => {
                let (name, database) = path.split_once('/').unwrap_or((path, "0"));
                if name.is_empty() {
                    return None;
                }
                let any_host = format!("{scheme}://{login}host/{database}");
                Some(Self::Sentinels {
                    sentinels: nodes(scheme, "", hosts)?,
                    name: name.to_owned(),
                    master: Box::new(any_host.into_connection_info().ok()?),
                })
            }
            "cluster" if path.is_empty() => nodes(scheme, login, hosts).map(Self::Cluster),
            _ => None,
        }
    }
}

/// The servers of a list of hosts, each with its port.
fn nodes(scheme: &str, login: &str, hosts: &str) -> Option<Vec<ConnectionInfo>> {
    let node = |host: &str| {
        let (_, port) = host.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        format!("{scheme}://{login}{host}").into_connection_info().ok()
    };
    hosts.split(',').map(node).collect()
}
