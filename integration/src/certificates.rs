//! A certificate authority for tests: what it issues is as good, or as bad, as a test needs.
//!
//! ```
//! use muster_integration::certificates::Authority;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let authority = Authority::new("test CA");
//! let ca = authority.write(folder.path(), "ca");
//! let server = authority.server(&["localhost", "127.0.0.1"]).write(folder.path(), "server");
//! let client = authority.client("ops").write(folder.path(), "client");
//! assert!(ca.ends_with("ca.pem") && server.key.ends_with("server.key.pem"));
//! assert!(client.certificate.is_file());
//! ```

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// Who issues certificates. Two of the same name do not know each other.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A certificate, and the key that belongs to it.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, as PEM.
    pub certificate_pem: String,
    /// Its key, as PEM (PKCS #8).
    pub key_pem: String,
}

/// Where a certificate and its key lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The certificate: `NAME.pem`.
    pub certificate: PathBuf,
    /// Its key: `NAME.key.pem`, which its owner alone may read.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, with a key of its own.
    ///
    /// # Panics
    ///
    /// When the system has no randomness for a key.
    pub fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = new_key();
        let certificate = params.self_signed(&key).expect("an authority signs itself");
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// The authority's own certificate, as PEM: who has it trusts what is issued here.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its own certificate and key, for a server that shows them by mistake.
    pub fn itself(&self) -> Issued {
        Issued { certificate_pem: self.pem(), key_pem: self.issuer.key().serialize_pem() }
    }

    /// Writes its certificate as `NAME.pem` into the folder.
    ///
    /// # Panics
    ///
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(format!("{name}.pem"));
        write(&path, &self.pem());
        path
    }

    /// A certificate for a server under these host names and IP addresses.
    ///
    /// # Panics
    ///
    /// When a name is not ASCII.
    pub fn server(&self, names: &[&str]) -> Issued {
        let mut params = named(names.first().expect("a server has a name"));
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        params.subject_alt_names =
            CertificateParams::new(names).expect("host names are ASCII").subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// A certificate for a client, with this as the common name (`CN`) of its subject.
    pub fn client(&self, common_name: &str) -> Issued {
        self.issue(client(common_name))
    }

    /// The same, and it was good for the year 2000 alone.
    pub fn expired_client(&self, common_name: &str) -> Issued {
        let mut params = client(common_name);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Issued {
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("an authority signs");
        Issued { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Issued {
    /// Writes both into the folder, as `NAME.pem` and `NAME.key.pem`, over what is there.
    ///
    /// # Panics
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Paths {
        let certificate = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key.pem"));
        write(&certificate, &self.certificate_pem);
        write(&key, &self.key_pem);
        Paths { certificate, key }
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

fn client(common_name: &str) -> CertificateParams {
    let mut params = named(common_name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// What is good from long ago until long after every test, for a subject of this name.
fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn write(path: &Path, pem: &str) {
    let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(pem.as_bytes()));
    written.unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_issued_is_written_as_pem_beside_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test CA");
        let ca = authority.write(folder.path(), "ca");
        assert_eq!(std::fs::read_to_string(ca).unwrap(), authority.pem());
        for (name, issued) in [
            ("server", authority.server(&["localhost", "127.0.0.1", "::1"])),
            ("client", authority.client("ops")),
            ("old", authority.expired_client("ops")),
        ] {
            let paths = issued.write(folder.path(), name);
            let read = |path| std::fs::read_to_string(path).unwrap();
            assert_eq!(read(paths.certificate), issued.certificate_pem);
            assert!(issued.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
            assert!(read(paths.key).starts_with("-----BEGIN PRIVATE KEY-----"));
            assert!(!format!("{issued:?}").contains("PRIVATE"));
        }
    }
}
