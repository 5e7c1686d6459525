//! Who asks for something that changes the queue, for the log.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use muster_access::{Peer, Principal};
use tonic::Request;

/// Who asks: by the name on the access list, where from, and with which program, as far as that is
/// known.
#[derive(Debug)]
pub(crate) struct Caller {
    name: Option<Arc<Principal>>,
    from: Option<SocketAddr>,
    agent: Option<String>,
}

impl Caller {
    /// Who made this request.
    pub(crate) fn of<T>(request: &Request<T>) -> Self {
        let agent = request.metadata().get("user-agent");
        let agent = agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned);
        let name = request.extensions().get::<Arc<Principal>>().cloned();
        Self { name, from: request.extensions().get::<Peer>().map(Peer::address), agent }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} at ")?;
        }
        match self.from {
            Some(from) => write!(f, "{from}")?,
            None => f.write_str("an unknown address")?,
        }
        match &self.agent {
            Some(agent) => write!(f, " ({agent})"),
            None => Ok(()),
        }
    }
}
