//! TLS, certificates and tokens: what gets through, and what is said of what does not.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use muster_integration::certificates::Authority;
use muster_proto::v1::Batch;
use tempfile::TempDir;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::double::Double;
use crate::stats::stats;
use crate::{Finished, command, finish};

/// An authority whose certificate is `ca.pem` in a folder, and another that nobody trusts.
struct Site {
    folder: TempDir,
    ours: Authority,
    another: Authority,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            ours: Authority::new("ours"),
            another: Authority::new("another"),
        };
        site.ours.write(site.folder.path(), "ca");
        site.another.write(site.folder.path(), "another");
        site.put("users.json", r#"[{"id":1},{"id":2},{"id":3}]"#);
        site
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a server needs that has this name.
    fn tls(&self, name: &str) -> ServerTlsConfig {
        let issued = self.ours.server(&[name]);
        ServerTlsConfig::new().identity(Identity::from_pem(issued.certificate_pem, issued.key_pem))
    }

    /// Runs a command in the folder, with these variables, and much patience.
    fn enter(&self, double: &Double, line: &str, variables: &[(&str, &str)]) -> Finished {
        let line = format!("{line} --retry-for 10m");
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = command(double, &words);
        command.current_dir(self.folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In place of what this machine trusts.
        command.env("SSL_CERT_FILE", self.path("another.pem"));
        command.envs(variables.iter().copied());
        finish(double, command.spawn().expect("the program is built"))
    }

    /// The message of a command that fails, which it does at once.
    fn refused(&self, double: &Double, line: &str) -> String {
        let finished = self.enter(double, line, &[]);
        assert_eq!((finished.code, finished.stdout.as_str()), (1, ""), "{}", finished.stderr);
        finished.stderr
    }

    /// Enters a command that nothing is said of.
    fn done(&self, double: &Double, line: &str, variables: &[(&str, &str)]) {
        let finished = self.enter(double, line, variables);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_server_whose_authority_is_trusted_is_spoken_to() {
    let site = Site::new();
    let double = Double::start_with_tls(site.tls("127.0.0.1")).with_stats(stats());
    site.done(&double, "stats --tls-ca ca.pem", &[]);
    site.done(&double, "send users.json --tls-ca ca.pem", &[]);
    assert_eq!(double.changes(), ["send 3, policy None"]);
    let system = site.path("ca.pem");
    site.done(&double, "stats", &[("SSL_CERT_FILE", system.to_str().unwrap())]);
}

#[test]
fn a_server_whose_authority_is_not_trusted_is_given_up_at_once() {
    let site = Site::new();
    let double = Double::start_with_tls(site.tls("127.0.0.1"));
    insta::assert_snapshot!(site.refused(&double, "stats"), @"muster-client: [server]: the server's certificate is not trusted (UnknownIssuer): give its authority with --tls-ca");
    for mode in ["stream", "unary"] {
        let line = format!("send users.json --batch b-1 --mode {mode}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.refused(&double, &line), @"muster-client: [server]: the server's certificate is not trusted (UnknownIssuer): give its authority with --tls-ca. Of batch b-1 some records may be accepted: once that is put right, the same command with --batch b-1 goes on from there");
        }
    }
    assert!(double.changes().is_empty());
}

#[test]
fn a_system_that_trusts_nobody_is_said_to() {
    let site = Site::new();
    let double = Double::start_with_tls(site.tls("127.0.0.1"));
    let finished = site.enter(&double, "stats", &[("SSL_CERT_FILE", "/dev/null")]);
    assert_eq!(finished.code, 2);
    insta::assert_snapshot!(finished.stderr, @"muster-client: this system knows no authority: give the server's with --tls-ca");
}

#[test]
fn a_server_of_another_name_is_given_up_at_once() {
    let site = Site::new();
    let double = Double::start_with_tls(site.tls("muster.example"));
    insta::assert_snapshot!(site.refused(&double, "stats --tls-ca ca.pem"), @r#"muster-client: [server]: the server's certificate is not for 127.0.0.1, but for DnsName("muster.example"): give --server a name that is in it"#);
}

#[test]
fn a_server_that_speaks_no_tls_is_told_from_one_that_does() {
    let site = Site::new();
    let plain = Double::start();
    let url = plain.url().replace("http:", "https:");
    let said = site.refused(&plain, &format!("stats --server {url}"));
    insta::assert_snapshot!(said.replace(&url, "[server]"), @"muster-client: [server]: what answers there speaks no TLS: give --server as http://…, or have TLS set up there");
    let encrypted = Double::start_with_tls(site.tls("127.0.0.1"));
    let url = encrypted.url().replace("https:", "http:");
    let said = site.refused(&encrypted, &format!("stats --server {url}"));
    insta::assert_snapshot!(said.replace(&url, "[server]"), @"muster-client: [server]: what answers there speaks no HTTP/2, or not without TLS: give --server as https://…, or with another port");
}

#[test]
fn a_server_that_asks_for_a_certificate_is_given_one() {
    let site = Site::new();
    let tls = site.tls("127.0.0.1").client_ca_root(Certificate::from_pem(site.ours.pem()));
    let double = Double::start_with_tls(tls).with_stats(stats());
    for (authority, name) in [(&site.ours, "ours"), (&site.another, "theirs")] {
        authority.client("ops").write(site.folder.path(), name);
    }
    let line = |name: &str| {
        format!("stats --tls-ca ca.pem --tls-cert {name}.pem --tls-key {name}.key.pem")
    };
    site.done(&double, &line("ours"), &[]);
    insta::assert_snapshot!(site.refused(&double, "stats --tls-ca ca.pem"), @"muster-client: [server]: the server asks for the client's certificate: give it with --tls-cert, and its key with --tls-key");
    let said = site.refused(&double, &line("theirs"));
    assert!(said.contains("the server does not accept the client's certificate ("), "{said}");
}

#[test]
fn a_token_goes_with_every_call() {
    let site = Site::new();
    let encrypted = Double::start_with_tls(site.tls("127.0.0.1"));
    for double in [encrypted, Double::start()] {
        let double = double.with_stats(stats()).with_batch([Batch::default()]);
        let double = double.with_token("s3cret");
        let token = ("MUSTER_CLIENT_TOKEN", "s3cret");
        for line in ["stats", "workers", "batch list", "dead list", "queue pause"] {
            site.done(&double, &tls(&double, line), &[token]);
        }
        for mode in ["stream", "unary"] {
            let line = format!("send users.json --batch b-1 --mode {mode}");
            site.done(&double, &tls(&double, &line), &[token]);
        }
    }
}

#[test]
fn a_token_that_the_server_does_not_know_is_given_up_at_once() {
    let site = Site::new();
    let double = Double::start().with_stats(stats()).with_token("s3cret");
    insta::assert_snapshot!(site.refused(&double, "stats"), @"muster-client: [server]: no such token (Unauthenticated): give a token with --token-file, or a certificate with --tls-cert, that the server knows");
    let finished = site.enter(&double, "stats", &[("MUSTER_CLIENT_TOKEN", "0ther")]);
    assert_eq!(finished.code, 1);
    assert!(!finished.stderr.contains("0ther"), "{}", finished.stderr);
}

#[test]
fn a_token_is_not_sent_unencrypted_to_another_machine() {
    let site = Site::new();
    let double = Double::start();
    let token = ("MUSTER_CLIENT_TOKEN", "s3cret");
    let finished = site.enter(&double, "stats --server http://192.0.2.1:1", &[token]);
    assert_eq!(finished.code, 2);
    insta::assert_snapshot!(finished.stderr, @"muster-client: `token` (MUSTER_CLIENT_TOKEN): would travel unencrypted to 192.0.2.1: give `server` as https://…, or say --plain-text if nobody can listen");
    let line = "send --check-config --plain-text --server http://192.0.2.1:1";
    site.done(&double, line, &[token]);
}

/// The line, with whom to trust if the server speaks TLS.
fn tls(double: &Double, line: &str) -> String {
    let trust = if double.url().starts_with("https:") { " --tls-ca ca.pem" } else { "" };
    format!("{line}{trust}")
}
