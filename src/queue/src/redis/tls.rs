//! TLS to the servers: the files that the query of a store's URL names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use redis::{ClientTlsConfig, TlsCertificates};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};

use crate::InvalidStoreUrl;

const CERTIFICATE: &str = "certificate as PEM (-----BEGIN CERTIFICATE-----)";
const KEY: &str = "private key as PEM without a passphrase (-----BEGIN PRIVATE KEY-----)";

/// The files that a URL names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// Who vouches for the servers, in place of those that the system trusts.
    ca: Option<PathBuf>,
    /// What the servers know this program by, if they ask.
    client: Option<Client>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Client {
    certificate: PathBuf,
    key: PathBuf,
}

/// Why a file cannot be used. Nothing of what is in it is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("its `{parameter}`, {}, cannot be read: {source}", path.display())]
    Unreadable { parameter: &'static str, path: PathBuf, source: io::Error },
    #[error("its `{parameter}`, {}, has no {expected}", path.display())]
    NoPem { parameter: &'static str, path: PathBuf, expected: &'static str },
    #[error("its `{parameter}`, {}, cannot be used: {source}", path.display())]
    Refused { parameter: &'static str, path: PathBuf, source: rustls::Error },
    #[error("its `key`, {}, does not belong to its `cert`, {}", key.display(), certificate.display())]
    Mismatch { key: PathBuf, certificate: PathBuf },
}

/// Splits the URL of a store into what says where the servers are, and the files that its query
/// names: `?ca=FILE&cert=FILE&key=FILE`, each of them if it is needed. In the name of a file `%`,
/// `&` and `#` are written as `%25`, `%26` and `%23`.
///
/// # Errors
///
/// There is a query, and it is not that, or the store is one without TLS.
pub(crate) fn split(url: &str) -> Result<(&str, Option<Files>), InvalidStoreUrl> {
    let Some((servers, query)) = url.split_once('?') else { return Ok((url, None)) };
    if !servers.starts_with("redis") {
        return Err(InvalidStoreUrl::NoStore);
    }
    if !servers.starts_with("rediss") {
        return Err(InvalidStoreUrl::NoTls);
    }
    let (mut ca, mut certificate, mut key) = (None, None, None);
    for parameter in query.split('&') {
        let (name, file) = parameter.split_once('=').ok_or(InvalidStoreUrl::Query)?;
        let place = match name {
            "ca" => &mut ca,
            "cert" => &mut certificate,
            "key" => &mut key,
            _ => return Err(InvalidStoreUrl::Query),
        };
        if file.is_empty() || file.contains('#') || place.is_some() {
            return Err(InvalidStoreUrl::Query);
        }
        let file = percent_decode_str(file).decode_utf8().map_err(|_| InvalidStoreUrl::Query)?;
        *place = Some(PathBuf::from(file.as_ref()));
    }
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Client { certificate, key }),
        (None, None) => None,
        _ => return Err(InvalidStoreUrl::Half),
    };
    Ok((servers, Some(Files { ca, client })))
}

impl Files {
    /// Reads the files, and sees whether they can be used.
    ///
    /// It is done for each new connection, so that what was renewed is taken without a restart.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is not what it has to be.
    pub(super) fn read(&self) -> Result<TlsCertificates, Unusable> {
        let root_cert = self.ca.as_deref().map(authorities).transpose()?;
        let client_tls = self.client.as_ref().map(Client::read).transpose()?;
        Ok(TlsCertificates { client_tls, root_cert })
    }
}

impl Client {
    fn read(&self) -> Result<ClientTlsConfig, Unusable> {
        let client_cert = read("cert", &self.certificate)?;
        let client_key = read("key", &self.key)?;
        let chain = certificates("cert", &self.certificate, &client_cert)?;
        let key = PrivateKeyDer::from_pem_slice(&client_key).map_err(|_| Unusable::NoPem {
            parameter: "key",
            path: self.key.clone(),
            expected: KEY,
        })?;
        match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
            Ok(_) => Ok(ClientTlsConfig { client_cert, client_key }),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                let Self { certificate, key } = self.clone();
                Err(Unusable::Mismatch { key, certificate })
            }
            Err(source) => {
                Err(Unusable::Refused { parameter: "key", path: self.key.clone(), source })
            }
        }
    }
}

/// What the servers' certificates may go back to.
fn authorities(path: &Path) -> Result<Vec<u8>, Unusable> {
    let pem = read("ca", path)?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", path, &pem)? {
        roots.add(certificate).map_err(|source| Unusable::Refused {
            parameter: "ca",
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(pem)
}

fn certificates(
    parameter: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Unusable::NoPem { parameter, path: path.to_owned(), expected: CERTIFICATE }),
    }
}

fn read(parameter: &'static str, path: &Path) -> Result<Vec<u8>, Unusable> {
    fs::read(path).map_err(|source| Unusable::Unreadable {
        parameter,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use muster_integration::certificates::Authority;

    use super::*;

    #[test]
    fn the_files_are_split_from_the_servers() {
        let files = |ca: Option<&str>, client: Option<(&str, &str)>| {
            let client = client.map(|(certificate, key)| Client {
                certificate: certificate.into(),
                key: key.into(),
            });
            Some(Files { ca: ca.map(PathBuf::from), client })
        };
        for (url, servers, expected) in [
            ("rediss://one", "rediss://one", None),
            ("redis://one", "redis://one", None),
            ("rediss://u:p@one/2?ca=/a@b.pem", "rediss://u:p@one/2", files(Some("/a@b.pem"), None)),
            (
                "rediss-sentinel://one:1/main?key=k&ca=a&cert=c",
                "rediss-sentinel://one:1/main",
                files(Some("a"), Some(("c", "k"))),
            ),
            (
                "rediss-cluster://one:1?cert=/with%20blank%26%23&key=/k=y",
                "rediss-cluster://one:1",
                files(None, Some(("/with blank&#", "/k=y"))),
            ),
        ] {
            assert_eq!(split(url), Ok((servers, expected)), "{url}");
        }
    }

    #[test]
    fn other_queries_are_refused_in_words_that_show_none_of_them() {
        for (url, error) in [
            ("redis://one?ca=s3cret", InvalidStoreUrl::NoTls),
            ("redis-cluster://one:1?cert=s3cret", InvalidStoreUrl::NoTls),
            ("http://one?ca=s3cret", InvalidStoreUrl::NoStore),
            ("rediss://one?", InvalidStoreUrl::Query),
            ("rediss://:pa?s3cret@one", InvalidStoreUrl::Query),
            ("rediss://one?password=s3cret", InvalidStoreUrl::Query),
            ("rediss://one?CA=s3cret", InvalidStoreUrl::Query),
            ("rediss://one?ca=", InvalidStoreUrl::Query),
            ("rediss://one?ca=s3cret&ca=s3cret", InvalidStoreUrl::Query),
            ("rediss://one?ca=s3cret#insecure", InvalidStoreUrl::Query),
            ("rediss://one?ca=s3cret&", InvalidStoreUrl::Query),
            ("rediss://one?ca=%FF", InvalidStoreUrl::Query),
            ("rediss://one?cert=s3cret", InvalidStoreUrl::Half),
            ("rediss://one?ca=a&key=s3cret", InvalidStoreUrl::Half),
        ] {
            assert_eq!(split(url), Err(error), "{url}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn what_is_in_the_files_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let authority = Authority::new("test CA");
        let client = authority.client("muster").write(folder, "client");
        let files = Files {
            ca: Some(authority.write(folder, "ca")),
            client: Some(Client { certificate: client.certificate, key: client.key }),
        };
        let read = files.read().unwrap();
        assert_eq!(read.root_cert, Some(authority.pem().into_bytes()));
        let renewed = authority.client("muster");
        assert_ne!(read.client_tls.unwrap().client_cert, renewed.certificate_pem.as_bytes());
        renewed.write(folder, "client");
        let read = files.read().unwrap().client_tls.unwrap();
        assert_eq!(read.client_cert, renewed.certificate_pem.as_bytes());
        assert_eq!(read.client_key, renewed.key_pem.as_bytes());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test CA");
        let ca = authority.write(folder.path(), "ca");
        let client = authority.client("muster").write(folder.path(), "client");
        let other = authority.client("muster").write(folder.path(), "other");
        let text = folder.path().join("text");
        fs::write(&text, "s3cret").unwrap();
        let half = folder.path().join("half");
        fs::write(&half, &authority.pem()[..60]).unwrap();
        let not_der = folder.path().join("not-der");
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(&not_der, pem).unwrap();
        let nowhere = folder.path().join("nowhere");
        let (certificate, key) = (&client.certificate, &client.key);
        for (ca, certificate, key, problem) in [
            (&nowhere, certificate, key, "its `ca`, /nowhere, cannot be read: No such file"),
            (&text, certificate, key, "its `ca`, /text, has no certificate as PEM"),
            (&half, certificate, key, "its `ca`, /half, has no certificate as PEM"),
            (&not_der, certificate, key, "its `ca`, /not-der, cannot be used: "),
            (&ca, &nowhere, key, "its `cert`, /nowhere, cannot be read: No such file"),
            (&ca, key, key, "its `cert`, /client.key.pem, has no certificate as PEM"),
            (&ca, certificate, &nowhere, "its `key`, /nowhere, cannot be read: No such file"),
            (&ca, certificate, &text, "its `key`, /text, has no private key as PEM"),
            (&ca, certificate, certificate, "its `key`, /client.pem, has no private key as PEM"),
            (
                &ca,
                certificate,
                &other.key,
                "its `key`, /other.key.pem, does not belong to its `cert`, /client.pem",
            ),
        ] {
            let client = Client { certificate: certificate.clone(), key: key.clone() };
            let files = Files { ca: Some(ca.clone()), client: Some(client) };
            let message = files.read().unwrap_err().to_string();
            let message = message.replace(&folder.path().display().to_string(), "");
            assert!(message.starts_with(problem), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
