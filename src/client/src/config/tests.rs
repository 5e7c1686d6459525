use muster_program::config::{Sources, dump, load};

use super::*;

/// What is said of these settings of the environment, or "" if nothing is.
fn complaint(settings: &[(&str, &str)]) -> String {
    let environment = settings
        .iter()
        .map(|(key, value)| (format!("MUSTER_CLIENT_{key}"), (*value).to_owned()))
        .collect();
    let loaded = load::<Config>(&Sources { environment, ..Sources::default() }, &());
    loaded.err().map_or_else(String::new, |error| error.to_string())
}

const HTTPS: (&str, &str) = ("SERVER", "https://muster.example:50051");
const ELSEWHERE: (&str, &str) = ("SERVER", "http://192.0.2.1:50051");

#[test]
fn a_server_is_reached_by_http_or_https() {
    for server in ["http://127.0.0.1:1", "https://muster.example:1", "https://[::1]:1"] {
        assert_eq!(complaint(&[("SERVER", server)]), "");
    }
    for server in ["muster.example:1", "ftp://muster.example", "https://", "/run/muster"] {
        let said = complaint(&[("SERVER", server)]);
        let expected = format!(
            "`server` (MUSTER_CLIENT_SERVER): `{server}` is not of the form http://HOST:PORT or \
             https://HOST:PORT"
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn files_for_tls_are_refused_without_tls() {
    for key in ["TLS_CA", "TLS_CERT", "TLS_KEY"] {
        let said = complaint(&[(key, "some.pem")]);
        let expected = format!(
            "`{}` (MUSTER_CLIENT_{key}): needs TLS, and `server` is http://127.0.0.1:50051: give \
             it as https://…",
            key.to_ascii_lowercase()
        );
        assert_eq!(said, expected);
    }
    assert_eq!(complaint(&[HTTPS, ("TLS_CA", "some.pem")]), "");
}

#[test]
fn a_certificate_and_its_key_go_together() {
    let (certificate, key) = (("TLS_CERT", "some.pem"), ("TLS_KEY", "key.pem"));
    assert_eq!(complaint(&[HTTPS, certificate, key]), "");
    insta::assert_snapshot!(complaint(&[HTTPS, certificate]), @"`tls_cert` (MUSTER_CLIENT_TLS_CERT): is of no use alone: give the other of the pair, --tls-key, as well");
    insta::assert_snapshot!(complaint(&[HTTPS, key]), @"`tls_key` (MUSTER_CLIENT_TLS_KEY): is of no use alone: give the other of the pair, --tls-cert, as well");
}

#[test]
fn a_token_does_not_travel_unencrypted_unless_it_may() {
    let token = ("TOKEN", "s3cret");
    for here in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
        assert_eq!(complaint(&[("SERVER", here), token]), "");
    }
    assert_eq!(complaint(&[HTTPS, token]), "");
    assert_eq!(complaint(&[ELSEWHERE, token, ("PLAIN_TEXT", "true")]), "");
    insta::assert_snapshot!(complaint(&[ELSEWHERE, token]), @"`token` (MUSTER_CLIENT_TOKEN): would travel unencrypted to 192.0.2.1: give `server` as https://…, or say --plain-text if nobody can listen");
}

#[test]
fn a_token_that_is_none_is_refused_and_not_shown() {
    // An empty variable counts as absent.
    assert_eq!(complaint(&[("TOKEN", "")]), "");
    for (text, why) in [("two words", "without blanks"), ("geheimnisträger", "visible ASCII")] {
        let said = complaint(&[("TOKEN", text)]);
        assert!(said.starts_with("`token` (MUSTER_CLIENT_TOKEN): "), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(!said.contains(text), "{said}");
    }
}

#[test]
fn a_token_is_shown_nowhere() {
    let config = Config { token: Some("s3cret".parse().unwrap()), ..Config::default() };
    let shown = format!("{config:?} {}", dump(&config).unwrap());
    assert!(shown.contains("***"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let header = config.token.unwrap().authorization();
    assert_eq!((header.as_bytes(), header.is_sensitive()), (&b"Bearer s3cret"[..], true));
}
