//! The certificates that are shown and asked for, read again when their files change.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use muster_program::tls::explained;
use muster_program::watched::{Watch, Watched};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::metrics;

/// The files of a server's TLS, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// The key of the first certificate.
    pub key: PathBuf,
    /// The authorities whose certificates clients may show.
    pub client_ca: Option<PathBuf>,
}

/// Whether a client has to show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clients {
    /// It has to, if there is an authority for them.
    MustShow,
    /// It may.
    MayShow,
}

/// What TLS is spoken with.
pub struct Tls(Watched<Configs, TlsError>);

/// Why TLS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// The same for both doors but for what clients must show, and what is spoken inside.
struct Configs {
    grpc: Arc<ServerConfig>,
    web: Arc<ServerConfig>,
    /// When the first of the certificates expires, in seconds since 1970, if that can be read.
    expiry: Option<i64>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// One of them cannot be read or used; the message names it.
    pub fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles { certificate, key, client_ca } = files.clone();
        let paths = [Some(certificate), Some(key), client_ca].into_iter().flatten().collect();
        let files = files.clone();
        let watched =
            Watched::open("tls", paths, move |contents, _| Configs::read(&files, &contents));
        watched.map(Self).map_err(|error| TlsError(error.to_string()))
    }

    /// For gRPC: who has an authority for clients asks each for a certificate.
    pub(crate) fn grpc(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current().grpc)
    }

    /// For HTTP/1: a browser may have no certificate, and a probe has none.
    pub(crate) fn web(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current().web)
    }
}

impl Watch for Tls {
    async fn watch(&self) {
        // When the files were read for the first time, metrics were perhaps not recorded yet.
        if let Some(expiry) = self.0.current().expiry {
            metrics::expires(expiry);
        }
        self.0.watch().await;
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Configs {
    fn read(files: &TlsFiles, contents: &[Vec<u8>]) -> Result<Self, TlsError> {
        let bad = |path: &PathBuf, problem: &dyn fmt::Display| {
            TlsError(format!("{}: {problem}", path.display()))
        };
        let [certificate, key, others @ ..] = contents else {
            return Err(TlsError("there is no certificate".to_owned()));
        };
        let chain =
            certificates(certificate).map_err(|problem| bad(&files.certificate, &problem))?;
        // A certificate that this does not read is judged by rustls.
        let expiry = chain.iter().filter_map(|certificate| expiry(certificate)).min();
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| bad(&files.key, &"has no private key in PEM form"))?;
        let client_ca = match (&files.client_ca, others) {
            (Some(path), [ca, ..]) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(ca).map_err(|problem| bad(path, &problem))? {
                    roots.add(authority).map_err(|error| bad(path, &explained(&error)))?;
                }
                Some((path, Arc::new(roots)))
            }
            _ => None,
        };
        let config = |clients, protocol: &[u8]| {
            let builder = ServerConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| bad(&files.certificate, &error))?;
            let builder = match &client_ca {
                None => builder.with_no_client_auth(),
                Some((path, roots)) => {
                    let verifier =
                        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider());
                    let verifier = match clients {
                        Clients::MustShow => verifier,
                        Clients::MayShow => verifier.allow_unauthenticated(),
                    };
                    let verifier = verifier.build().map_err(|error| bad(path, &error))?;
                    builder.with_client_cert_verifier(verifier)
                }
            };
            let mut config =
                builder.with_single_cert(chain.clone(), key.clone_key()).map_err(|error| {
                    bad(&files.certificate, &format!("{} (`tls_key`)", explained(&error)))
                })?;
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok(Arc::new(config))
        };
        let grpc = config(Clients::MustShow, b"h2")?;
        let web = config(Clients::MayShow, b"http/1.1")?;
        if let Some(expiry) = expiry {
            metrics::expires(expiry);
        }
        Ok(Self { grpc, web, expiry })
    }
}

/// When a certificate expires, in seconds since 1970.
fn expiry(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err("has no certificate in PEM form"),
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
