//! A store behind TLS and a login: the way through, and what is said where there is none. What is
//! secret is seen nowhere.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_integration::certificates::{Authority, Paths};
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::redis_server::RedisServer;
use muster_integration::roll::assert_roll;
use muster_integration::stack::Stack;
use muster_integration::users::{Users, write_json};
use muster_integration::{http, programs};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "s3cret-of-the-store";
/// What the login of Muster may do, as docs/operations.md has it.
const RULES: &str = "resetchannels ~{muster* -@all +@read +@write +@connection -@dangerous \
    +eval +evalsha +info +time +wait +role +config|get";

/// A Redis that speaks TLS to those with a certificate, and whoever belongs to it.
struct Secured {
    stack: Stack,
    folder: TempDir,
    authority: Authority,
    ca: PathBuf,
    client: Paths,
}

impl Secured {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let authority = Authority::new("test CA");
        let (ca, server, client) = write_all(&authority, folder.path());
        let mut stack = Stack::prepare(Memory);
        stack.redis = RedisServer::prepare(Memory)
            .with_tls(&ca, &server)
            .with_users(&format!("user muster on >{PASSWORD} {RULES}"));
        stack.redis.start();
        let mut secured = Self { stack, folder, authority, ca, client };
        secured.stack.store = Some(secured.url(PASSWORD, &secured.ca, Some(&secured.client)));
        secured
    }

    /// The store, as someone finds it who has these.
    fn url(&self, password: &str, ca: &Path, client: Option<&Paths>) -> String {
        let port = self.stack.redis.tls_port();
        let client = client.map_or(String::new(), |Paths { certificate, key }| {
            format!("&cert={}&key={}", certificate.display(), key.display())
        });
        format!("rediss://muster:{password}@127.0.0.1:{port}?ca={}{client}", ca.display())
    }

    /// Starts a server on this store, waits until it says these words of why it is not ready, and
    /// returns all that it has said when it has ended.
    fn refused(&mut self, url: &str, words: &str) -> String {
        self.stack.store = Some(url.to_owned());
        self.stack.start_server();
        self.stack.wait_until_not_ready();
        let mut server = self.stack.server.take().expect("the server runs");
        server.wait_for_line(words, LIMIT);
        let seen = self.seen(&server);
        server.terminate();
        seen + &server.wait(LIMIT).expect_code(0).stderr
    }

    /// What can be seen of a server by others: its arguments, its probe, its metrics.
    fn seen(&self, server: &Process) -> String {
        let arguments = arguments(server);
        let answer = |path| http::get(self.stack.http_port(), path).expect("the server answers").1;
        format!("{arguments}\n{}\n{}\n", answer("/readyz"), answer("/metrics"))
    }
}

/// Writes what the authority issues, over what is there: its own certificate, the server's, and a
/// client's.
fn write_all(authority: &Authority, folder: &Path) -> (PathBuf, Paths, Paths) {
    let server = authority.server(&["localhost", "127.0.0.1"]).write(folder, "server");
    let client = authority.client("muster").write(folder, "client");
    (authority.write(folder, "ca"), server, client)
}

fn arguments(process: &Process) -> String {
    let file = format!("/proc/{}/cmdline", process.id());
    fs::read_to_string(file).expect("a process has arguments").replace('\0', " ")
}

#[test]
fn a_batch_goes_through_a_store_with_tls_and_a_login_that_may_little() {
    let records = || Users::of_seed(7).take(2_000);
    let mut secured = Secured::start();
    let input = secured.folder.path().join("users.json");
    write_json(File::create(&input).expect("a new file can be made"), records())
        .expect("users can be written");
    let stack = &mut secured.stack;
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    stack.send(&input).expect_code(0);
    assert_roll(&stack.roll(), records());

    let server = secured.stack.server.take().expect("the server runs");
    let worker = secured.stack.workers.pop().expect("a worker runs");
    let mut seen = secured.seen(&server) + &arguments(&worker);
    for process in [server, worker] {
        process.terminate();
        seen += &process.wait(LIMIT).expect_code(0).stderr;
    }
    let mut dump = programs::command("muster-server");
    dump.arg("--dump-config").env("MUSTER_STORE", secured.url(PASSWORD, &secured.ca, None));
    seen += &Process::start("muster-server", &mut dump).wait(LIMIT).expect_code(0).stdout;
    assert!(seen.contains("rediss://muster:***@127.0.0.1:"), "{seen}");
    assert!(!seen.contains(PASSWORD), "{seen}");
}

#[test]
fn renewed_certificates_are_taken_without_a_restart() {
    let mut secured = Secured::start();
    secured.stack.start_server();
    secured.stack.wait_until_ready();
    secured.stack.redis.kill();
    secured.stack.wait_until_not_ready();
    // Nobody trusts anything of before.
    write_all(&Authority::new("test CA"), secured.folder.path());
    secured.stack.redis.start();
    secured.stack.wait_until_ready();
}

#[test]
fn who_may_not_is_told_why_and_no_secret_is_seen() {
    let mut secured = Secured::start();
    let folder = secured.folder.path().to_owned();
    let stranger = Authority::new("test CA");
    let (other_ca, ca) = (stranger.write(&folder, "other-ca"), secured.ca.clone());
    let other = stranger.client("muster").write(&folder, "other");
    let old = secured.authority.expired_client("muster").write(&folder, "old");
    let (client, port) = (secured.client.clone(), secured.stack.redis.tls_port());
    for (url, words) in [
        (secured.url(PASSWORD, &other_ca, Some(&client)), "invalid peer certificate"),
        (secured.url(PASSWORD, &ca, None), "CertificateRequired"),
        (secured.url(PASSWORD, &ca, Some(&other)), "received fatal alert"),
        (secured.url(PASSWORD, &ca, Some(&old)), "CertificateExpired"),
        (secured.url("s3cret-of-nobody", &ca, Some(&client)), "Password authentication failed"),
        (format!("redis://muster:{PASSWORD}@127.0.0.1:{port}"), "not ready"),
    ] {
        let seen = secured.refused(&url, words);
        assert!(!seen.contains("s3cret"), "{seen}");
        assert!(seen.contains("muster:***@127.0.0.1:"), "{seen}");
    }
}

#[test]
fn a_file_that_is_none_ends_what_starts_with_it() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("text"), "s3cret").expect("a new file can be made");
    for (query, problem) in [
        ("ca=nowhere", "its `ca`, nowhere, cannot be read: No such file or directory (os error 2)"),
        ("ca=text", "its `ca`, text, has no certificate as PEM (-----BEGIN CERTIFICATE-----)"),
    ] {
        let mut command = programs::command("muster-worker");
        command.args(["--store", &format!("rediss://127.0.0.1:1?{query}")]);
        command.current_dir(folder.path());
        let finished = Process::start("muster-worker", &mut command).wait(LIMIT).expect_code(1);
        let said = finished.stderr.lines().last().expect("it says why").to_owned();
        let store = format!("rediss://127.0.0.1:1?{query}");
        let expected = format!("muster-worker: the store at {store} is misconfigured: {problem}");
        assert_eq!(said, expected);
    }
}
