//! TLS: from the files of the settings to a connection that is encrypted.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fs, io};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use muster_program::tls::explained;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};
use tonic::codegen::{Service, StdError};
use tonic::transport::Uri;

use super::connection::CONNECT_TIMEOUT;
use crate::config::Config;

/// What the client speaks beneath TLS, as ALPN calls it.
const HTTP_2: &[u8] = b"h2";

/// Why TLS cannot be spoken as it is set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadTls {
    /// A file cannot be read.
    #[error("`{key}`: cannot read {}: {source}", path.display())]
    Unreadable {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{key}`: {} holds no {what} as PEM: {problem}", path.display())]
    NoPem {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The client's certificate does not go with its key.
    #[error(
        "`tls_cert` and `tls_key`: {} and {} cannot be used together: {}",
        certificate.display(), key.display(), explained(problem)
    )]
    NoPair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// That of the key.
        key: PathBuf,
        /// Why.
        problem: rustls::Error,
    },
    /// There is nobody to trust.
    #[error("this system knows no authority: give the server's with --tls-ca")]
    NoAuthority,
    /// The server's name can be in no certificate.
    #[error("`server`: no certificate can be for `{0}`: give a host name or an IP address")]
    BadName(String),
    /// The provider of cryptography does not fit.
    #[error("TLS cannot be spoken: {0}")]
    Provider(#[from] rustls::Error),
}

/// The server speaks TLS, and something else than HTTP/2 beneath it.
#[derive(Debug, thiserror::Error)]
#[error("the server speaks no HTTP/2 beneath TLS")]
pub(super) struct NoHttp2;

/// The files that say whom to trust, and who the client is.
#[derive(Clone, Debug)]
struct Files {
    authorities: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
}

impl Files {
    fn of(config: &Config) -> Self {
        let own = config.tls_cert.clone().zip(config.tls_key.clone());
        Self { authorities: config.tls_ca.clone(), own }
    }

    /// Reads them as they are now.
    fn read(&self) -> Result<Arc<ClientConfig>, BadTls> {
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.authorities()?);
        let mut config = match &self.own {
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates("tls_cert", certificate)?, private_key(key)?)
                .map_err(|problem| BadTls::NoPair {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    problem,
                })?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![HTTP_2.to_vec()];
        Ok(Arc::new(config))
    }

    fn authorities(&self) -> Result<RootCertStore, BadTls> {
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            Some(path) => {
                for certificate in certificates("tls_ca", path)? {
                    roots
                        .add(certificate)
                        .map_err(|error| no_pem("tls_ca", path, "certificate", &error))?;
                }
            }
            None => {
                let system = rustls_native_certs::load_native_certs();
                tracing::debug!(errors = ?system.errors, "the system's authorities are read");
                // Some systems have some that are broken.
                roots.add_parsable_certificates(system.certs);
            }
        }
        if roots.is_empty() { Err(BadTls::NoAuthority) } else { Ok(roots) }
    }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, BadTls> {
    let pem = read(key, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(none) if none.is_empty() => Err(no_pem(key, path, "certificate", &"there is none")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(no_pem(key, path, "certificate", &error)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, BadTls> {
    let pem = read("tls_key", path)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| no_pem("tls_key", path, "private key that is not encrypted", &error))
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, BadTls> {
    fs::read(path).map_err(|source| BadTls::Unreadable { key, path: path.to_owned(), source })
}

fn no_pem(
    key: &'static str,
    path: &Path,
    what: &'static str,
    problem: &dyn std::fmt::Display,
) -> BadTls {
    BadTls::NoPem { key, path: path.to_owned(), what, problem: problem.to_string() }
}

/// Makes connections to one server. Each has the files as they are when it is made: what was
/// renewed meanwhile is used.
#[derive(Debug)]
pub(super) struct TlsConnector {
    tcp: HttpConnector,
    server: Uri,
    name: ServerName<'static>,
    files: Files,
    /// What was read to see whether it can be: the first connection is made with it.
    first: Option<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// A connector to this server.
    ///
    /// # Errors
    ///
    /// TLS cannot be spoken as it is set.
    pub(super) fn new(server: Uri, config: &Config) -> Result<Self, BadTls> {
        let host = server.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']'))
            .map_err(|_| BadTls::BadName(host.to_owned()))?
            .to_owned();
        let files = Files::of(config);
        let first = Some(files.read()?);
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self { tcp, server, name, files, first })
    }
}

impl Service<Uri> for TlsConnector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = StdError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, StdError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (tcp, name) = (self.tcp.call(self.server.clone()), self.name.clone());
        let (files, first) = (self.files.clone(), self.first.take());
        Box::pin(async move {
            let tcp = tcp.await?.into_inner();
            let config = match first {
                Some(config) => config,
                None => tokio::task::spawn_blocking(move || files.read()).await??,
            };
            let tls = tokio_rustls::TlsConnector::from(config).connect(name, tcp).await;
            let tls = tls.map_err(cause)?;
            if tls.get_ref().1.alpn_protocol() != Some(HTTP_2) {
                return Err(NoHttp2.into());
            }
            Ok(TokioIo::new(tls))
        })
    }
}

/// What TLS says, without the error of input and output around it.
fn cause(error: io::Error) -> StdError {
    match error.downcast::<rustls::Error>() {
        Ok(error) => error.into(),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests;
