use std::fs;

use muster_integration::certificates::{Authority, Issued};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tonic::codegen::Service as _;

use super::*;

/// A folder with `ca.pem`, and `client.pem` with its key.
fn folder(authority: &Authority) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    authority.write(folder.path(), "ca");
    authority.client("ops").write(folder.path(), "client");
    folder
}

/// Reads these files of the folder; returns what is said if that fails.
fn complaint(folder: &TempDir, ca: &str, own: Option<(&str, &str)>) -> String {
    let path = |name: &str| folder.path().join(name);
    let own = own.map(|(certificate, key)| (path(certificate), path(key)));
    let files = Files { authorities: Some(path(ca)), own };
    let said = files.read().err().map_or_else(String::new, |error| error.to_string());
    said.replace(folder.path().to_str().unwrap(), "[folder]")
}

#[test]
fn files_are_read_and_what_is_wrong_with_one_is_said() {
    let folder = folder(&Authority::new("ours"));
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("empty.pem", "");
    put("broken.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    put("nonsense.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    let said = |ca| complaint(&folder, ca, None);
    assert_eq!(said("ca.pem"), "");
    insta::assert_snapshot!(said("none.pem"), @"`tls_ca`: cannot read [folder]/none.pem: No such file or directory (os error 2)");
    insta::assert_snapshot!(said("empty.pem"), @"`tls_ca`: [folder]/empty.pem holds no certificate as PEM: there is none");
    assert!(said("broken.pem").contains("/broken.pem holds no certificate as PEM: base64"));
    assert!(said("nonsense.pem").contains("/nonsense.pem holds no certificate as PEM: "));
    assert!(said("client.key.pem").contains("/client.key.pem holds no certificate as PEM: "));
}

#[test]
fn a_certificate_goes_with_its_own_key() {
    let authority = Authority::new("ours");
    let folder = folder(&authority);
    authority.client("other").write(folder.path(), "other");
    let said = |certificate, key| complaint(&folder, "ca.pem", Some((certificate, key)));
    assert_eq!(said("client.pem", "client.key.pem"), "");
    insta::assert_snapshot!(said("client.pem", "client.pem"), @"`tls_key`: [folder]/client.pem holds no private key that is not encrypted as PEM: no items found");
    insta::assert_snapshot!(said("client.pem", "other.key.pem"), @"`tls_cert` and `tls_key`: [folder]/client.pem and [folder]/other.key.pem cannot be used together: keys may not be consistent: KeyMismatch");
}

fn acceptor(issued: &Issued) -> TlsAcceptor {
    let pem = issued.certificate_pem.as_bytes();
    let certificate = CertificateDer::from_pem_slice(pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn each_connection_is_made_with_the_files_as_they_are_then() {
    let (ours, another) = (Authority::new("ours"), Authority::new("another"));
    let folder = folder(&ours);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server: Uri = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let acceptor = acceptor(&ours.server(&["127.0.0.1"]));
    let accept = async {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // A client that refuses the certificate ends it.
            let _ = acceptor.accept(tcp).await;
        }
    };
    let config = Config { tls_ca: Some(folder.path().join("ca.pem")), ..Config::default() };
    let mut connector = TlsConnector::new(server.clone(), &config).unwrap();
    let connect = async {
        connector.call(server.clone()).await.unwrap();
        another.write(folder.path(), "ca");
        let error = connector.call(server.clone()).await.unwrap_err();
        assert!(error.is::<rustls::Error>(), "{error}");
        ours.write(folder.path(), "ca");
        connector.call(server.clone()).await.unwrap();
    };
    tokio::select! {
        () = accept => {}
        () = connect => {}
    }
}
