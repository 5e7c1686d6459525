//! Who asks for something that changes the queue, for the log.

use std::fmt;
use std::net::SocketAddr;

use tonic::Request;

/// Who asks: where from, and with which program, as far as that is said.
#[derive(Debug)]
pub(crate) struct Caller {
    from: Option<SocketAddr>,
    agent: Option<String>,
}

impl Caller {
    /// Who made this request.
    pub(crate) fn of<T>(request: &Request<T>) -> Self {
        let agent = request.metadata().get("user-agent");
        let agent = agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned);
        Self { from: request.remote_addr(), agent }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
