//! TLS: who must show which certificate, and certificates that change.

use std::path::Path;

use muster_integration::certificates::{Authority, Paths};
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::Stack;
use muster_integration::{programs, wait};
use tempfile::TempDir;

use crate::raw::{connect, wait_for_end};
use crate::site::LIMIT;

/// A server that asks for certificates.
struct Secured {
    stack: Stack,
    folder: TempDir,
    authority: Authority,
}

impl Secured {
    fn start(entries: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let authority = Authority::new("servers and clients");
        let mut stack = Stack::prepare(Memory);
        let server = authority.server(&["localhost", "127.0.0.1"]).write(folder.path(), "server");
        let ca = authority.write(folder.path(), "ca");
        let access = folder.path().join("access.toml");
        std::fs::write(&access, entries).expect("the list can be written");
        for (name, path) in [
            ("MUSTER_SERVER_TLS_CERT", &server.certificate),
            ("MUSTER_SERVER_TLS_KEY", &server.key),
            ("MUSTER_SERVER_TLS_CLIENT_CA", &ca),
            ("MUSTER_SERVER_ACCESS", &access),
        ] {
            stack.environment.push((name.to_owned(), path.display().to_string()));
        }
        stack.redis.start();
        stack.start_server();
        let mut secured = Self { stack, folder, authority };
        secured.server().wait_for_line("ready: the store answers", LIMIT);
        secured
    }

    fn server(&mut self) -> &mut Process {
        self.stack.server.as_mut().expect("it runs")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Asks for the figures, with these files.
    fn stats(&self, ca: &Path, own: Option<&Paths>) -> Finished {
        let mut command = programs::command("muster-client");
        let server = format!("https://127.0.0.1:{}", self.stack.grpc_port());
        command.args(["stats", "--retry-for", "1s", "--server", &server, "--tls-ca"]).arg(ca);
        if let Some(Paths { certificate, key }) = own {
            command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
        }
        Process::start("muster-client", &mut command).wait(LIMIT)
    }
}

const OPS: &str =
    "[[certificate]]\nname = \"ops\"\nroles = [\"operate\"]\nsubject = \"ops.example\"\n";

#[test]
fn a_certificate_of_the_right_authority_is_a_role_and_every_other_is_refused() {
    let mut secured = Secured::start(OPS);
    let folder = secured.path().to_owned();
    let ca = folder.join("ca.pem");
    let ops = secured.authority.client("ops.example").write(&folder, "ops");
    secured.stats(&ca, Some(&ops)).expect_code(0);

    let stranger = Authority::new("somebody else");
    let stranger_ca = stranger.write(&folder, "other-ca");
    let forged = stranger.client("ops.example").write(&folder, "forged");
    let expired = secured.authority.expired_client("ops.example").write(&folder, "expired");
    let nobody = secured.authority.client("nobody.example").write(&folder, "nobody");
    for (what, ca, own, said) in [
        ("no certificate", &ca, None, ""),
        ("of another authority", &ca, Some(&forged), ""),
        ("expired", &ca, Some(&expired), ""),
        ("not on the list", &ca, Some(&nobody), "the subject of this certificate is not on"),
        ("a server that is not trusted", &stranger_ca, Some(&ops), "not trusted"),
    ] {
        let finished = secured.stats(ca, own);
        assert_eq!(finished.code(), Some(1), "{what}: {}", finished.stderr);
        assert!(finished.stderr.contains(said), "{what}: {}", finished.stderr);
    }

    // Plain text to the port of TLS, of gRPC and of the dashboard.
    for port in [secured.stack.grpc_port(), secured.stack.http_port()] {
        use std::io::Write as _;
        let mut stream = connect(port);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let answer = wait_for_end(&mut stream, LIMIT);
        assert!(!answer.starts_with(b"HTTP"), "nothing is said in plain text");
    }
    assert!(secured.server().is_running());
    secured.stats(&ca, Some(&ops)).expect_code(0);
}

#[test]
fn certificates_that_change_are_served_without_a_restart_and_broken_ones_are_not() {
    let mut secured = Secured::start(OPS);
    let folder = secured.path().to_owned();
    let ca = folder.join("ca.pem");
    let ops = secured.authority.client("ops.example").write(&folder, "ops");
    secured.stats(&ca, Some(&ops)).expect_code(0);

    let key = std::fs::read(folder.join("server.key.pem")).unwrap();
    std::fs::write(folder.join("server.key.pem"), "no key").unwrap();
    secured.server().wait_for_line("has no private key in PEM form", LIMIT);
    secured.stats(&ca, Some(&ops)).expect_code(0);
    std::fs::write(folder.join("server.key.pem"), key).unwrap();

    let next = Authority::new("the next one");
    let next_ca = next.write(&folder, "next-ca");
    next.server(&["localhost", "127.0.0.1"]).write(&folder, "server");
    let is_new = || secured.stats(&next_ca, Some(&ops)).code() == Some(0);
    wait::until(LIMIT, || is_new().then_some(()), || "the new certificate is not shown".to_owned());
    assert_eq!(secured.stats(&ca, Some(&ops)).code(), Some(1), "the old one is not shown");

    // As `openssl req -x509` makes one, if it is not told otherwise.
    next.itself().write(&folder, "server");
    let asked = || secured.stats(&next_ca, Some(&ops)).stderr;
    let said = || asked().contains("is that of an authority").then_some(());
    wait::until(LIMIT, said, asked);
}

#[test]
fn the_health_command_asks_over_tls() {
    let secured = Secured::start(OPS);
    let mut command = programs::command("muster-server");
    command.arg("health").envs(secured.stack.environment.iter().cloned());
    command.env("MUSTER_SERVER_HTTP", format!("127.0.0.1:{}", secured.stack.http_port()));
    Process::start("muster-server", &mut command).wait(LIMIT).expect_code(0);
}
