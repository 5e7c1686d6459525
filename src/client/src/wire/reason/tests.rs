use super::*;
use crate::retry::is_passing;

/// A call that found no connection because of this.
fn unconnected(error: impl Into<Box<dyn Error + Send + Sync>>) -> Status {
    Status::from_error(Box::new(tonic::ConnectError(error.into())))
}

fn refused(error: CertificateError) -> Status {
    unconnected(rustls::Error::InvalidCertificate(error))
}

fn seconds(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// What is said of something that does not pass.
fn said(status: &Status) -> String {
    assert!(!is_passing(status), "{status:?}");
    reason_and_code(status)
}

#[test]
fn a_certificate_that_is_refused_is_said_to_be_and_what_to_do() {
    insta::assert_snapshot!(said(&refused(CertificateError::UnknownIssuer)), @"the server's certificate is not trusted (UnknownIssuer): give its authority with --tls-ca");
    let expired =
        CertificateError::ExpiredContext { time: seconds(2_000_000_000), not_after: seconds(0) };
    insta::assert_snapshot!(said(&refused(expired)), @"the server's certificate expired on 1970-01-01T00:00:00Z: it has to be renewed there");
    let early = CertificateError::NotValidYetContext {
        time: seconds(0),
        not_before: seconds(2_000_000_000),
    };
    insta::assert_snapshot!(said(&refused(early)), @"the server's certificate is not valid before 2033-05-18T03:33:20Z: check the clocks here and there");
    let other = CertificateError::NotValidForNameContext {
        expected: "muster.example".try_into().unwrap(),
        presented: vec!["DnsName(\"a\x1b\")".to_owned(), "DnsName(\"b\")".to_owned()],
    };
    insta::assert_snapshot!(said(&refused(other)), @r#"the server's certificate is not for muster.example, but for DnsName("a\u{1b}"), DnsName("b"): give --server a name that is in it"#);
    insta::assert_snapshot!(said(&refused(CertificateError::Revoked)), @"the server's certificate cannot be used (Revoked): it has to be replaced there");
}

#[test]
fn credentials_that_are_refused_are_not_offered_again() {
    insta::assert_snapshot!(said(&Status::unauthenticated("no such token")), @"no such token (Unauthenticated): give a token with --token-file, or a certificate with --tls-cert, that the server knows");
    insta::assert_snapshot!(said(&Status::permission_denied("read only")), @"read only (PermissionDenied): give a token or a certificate of somebody who may do this");
}

#[test]
fn what_the_server_says_of_the_client_by_tls_is_put_into_words() {
    let alert = |text: &str| Status::from_error(std::io::Error::other(text).into());
    for (name, words) in [
        ("CertificateRequired", "asks for the client's certificate"),
        ("UnknownCA", "does not accept the client's certificate (UnknownCA)"),
        ("ProtocolVersion", "refuses to speak TLS with this client (ProtocolVersion)"),
        ("NoApplicationProtocol", "no HTTP/2 beneath TLS"),
    ] {
        let said = said(&alert(&format!("received fatal alert: {name}")));
        assert!(said.contains(words), "{said}");
    }
    assert!(is_passing(&alert("received fatal alert: InternalError")));
    // A server may say what it likes: it is no obstacle for that.
    assert!(is_passing(&Status::unavailable("received fatal alert: UnknownCA")));
}

#[test]
fn a_server_that_is_away_may_come_back() {
    let away = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let status = unconnected(away);
    assert!(is_passing(&status));
    insta::assert_snapshot!(reason_and_code(&status), @"connection refused: connection refused (Unavailable)");
}
