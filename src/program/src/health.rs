//! `health`: asks the program that runs with these settings whether it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::config::Settings;
use crate::daemon::Failure;
use crate::{exit, http, output, pinned};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the answer may be: it is a line.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What can be asked of a program that runs.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Command {
    /// Ask the program that runs with these settings whether it is ready
    #[command(
        after_help = "Exit codes: 0 it is ready, 1 it is not, or does not answer, 2 wrong usage"
    )]
    Health,
}

/// Asks, and prints the answer.
///
/// # Errors
///
/// The program is not ready, or does not answer; or the settings do not say where to ask.
pub fn run<C: Settings>(config: &C) -> Result<u8, (u8, Failure)> {
    let failed = |error: Failure| (exit::FAILURE, error);
    let address = config.http().ok_or_else(|| {
        let problem = format!("`{}.http` is not set: there is nowhere to ask", C::SECTION);
        (exit::USAGE, problem.into())
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.into()))?;
    let (code, answer) =
        runtime.block_on(ask(reachable(address), config.tls_cert())).map_err(failed)?;
    if code != StatusCode::OK {
        return Err(failed(answer.trim_end().into()));
    }
    output::print(&answer).map_err(|error| failed(error.into()))?;
    Ok(exit::OK)
}

/// Where a program that listens on `address` can be asked on the same machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

async fn ask(
    address: SocketAddr,
    certificate: Option<&Path>,
) -> Result<(StatusCode, String), Failure> {
    match tokio::time::timeout(PATIENCE, connect(address, certificate)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("no answer from {address} (`http`): {error}").into()),
        Err(_) => Err(format!("no answer from {address} (`http`) within {PATIENCE:?}").into()),
    }
}

async fn connect(
    address: SocketAddr,
    certificate: Option<&Path>,
) -> Result<(StatusCode, String), Failure> {
    let stream = TcpStream::connect(address).await?;
    match certificate {
        Some(certificate) => get(address, pinned::connect(stream, certificate).await?).await,
        None => get(address, stream).await,
    }
}

async fn get(
    address: SocketAddr,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<(StatusCode, String), Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(http::READYZ).header("host", address.to_string());
    let answer = async move {
        let answer = sender.send_request(request.body(Body::empty())?).await?;
        let code = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), ANSWER_BYTES_MAX).await?;
        Ok((code, String::from_utf8_lossy(&body).into_owned()))
    };
    // The connection ends when the answer is there; if it fails first, the answer does as well.
    tokio::join!(answer, connection).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_on_loopback() {
        for (listens, is_asked) in [
            ("0.0.0.0:9181", "127.0.0.1:9181"),
            ("[::]:9181", "[::1]:9181"),
            ("10.0.0.7:9181", "10.0.0.7:9181"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), is_asked.parse().unwrap());
        }
    }
}
