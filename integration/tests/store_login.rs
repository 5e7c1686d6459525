//! Logins of the store and of its sentinels, which may change while programs run, and stores that are far
//! away.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_integration::certificates::Authority;
use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::programs::{self, store_program};
use muster_integration::redis_server::Durability::{EveryWrite, Memory};
use muster_integration::redis_server::RedisServer;
use muster_integration::relay::Relay;
use muster_integration::roll::assert_roll;
use muster_integration::sentinel::{MASTER, start_sentinel};
use muster_integration::stack::Stack;
use muster_integration::users::{Users, write_json};
use muster_integration::{http, resp, wait};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);
/// How long all takes on its way to a store that is far away, and as long back.
const DELAY: Duration = Duration::from_millis(300);
const PASSWORD: &str = "s3cret-of-the-store";
const OF_SENTINEL: &str = "s3cret-of-the-sentinel";

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

fn records() -> Users {
    Users::of_seed(7)
}

/// Sends some records through the stack, into its roll.
fn send(stack: &Stack, folder: &Path) {
    let input = folder.join("users.json");
    let file = File::create(&input).expect("a new file can be made");
    write_json(file, records().take(300)).expect("users can be written");
    stack.send(&input).expect_code(0);
    assert_roll(&stack.roll(), records().take(300));
}

/// A Redis with a user `muster` that has this password.
fn with_login() -> RedisServer {
    let mut redis =
        RedisServer::prepare(Memory).with_users(&format!("user muster on >{PASSWORD} ~* &* +@all"));
    redis.start();
    redis
}

/// What `/readyz` of the server says, once that has these words.
fn readyz(stack: &Stack, words: &str) -> String {
    let said = || http::get(stack.http_port(), "/readyz").map(|(_, said)| said).unwrap_or_default();
    wait::until(
        LIMIT,
        || Some(said()).filter(|said| said.contains(words)),
        || format!("{:?} has no {words:?}", said()),
    )
}

/// Ends the server, which must not have shown a password.
fn end_server(stack: &mut Stack) {
    let server = stack.server.take().expect("the server runs");
    server.terminate();
    let log = server.wait(LIMIT).expect_code(0).stderr;
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn sentinels_are_asked_with_a_login_of_their_own() {
    let folder = folder();
    let mut stack = Stack::prepare(Memory);
    stack.redis = with_login();
    let file = folder.path().join("password");
    let of_sentinel = |password: &str, user: Option<&str>| {
        fs::write(&file, format!("{password}\n")).expect("there is room for a file");
        let file = file.display().to_string();
        let password = ("MUSTER_SENTINEL_PASSWORD_FILE".to_owned(), file);
        let user = user.map(|user| ("MUSTER_SENTINEL_USER".to_owned(), user.to_owned()));
        [password].into_iter().chain(user).collect::<Vec<_>>()
    };
    let user = format!(
        "requirepass {PASSWORD}-of-nobody\n\
         user asker on >{OF_SENTINEL} -@all +auth +ping +sentinel|get-master-addr-by-name"
    );
    let settings = [
        (format!("requirepass {OF_SENTINEL}"), OF_SENTINEL, None),
        (format!("requirepass {PASSWORD}"), PASSWORD, None),
        (user, OF_SENTINEL, Some("asker")),
    ];
    for (number, (lines, password, user)) in (1..).zip(settings) {
        let master = stack.redis.port();
        let (port, _sentinel) =
            start_sentinel(number, &store_program(), master, folder.path(), &lines);
        stack.store = Some(format!("redis-sentinel://muster:{PASSWORD}@127.0.0.1:{port}/{MASTER}"));

        stack.environment = of_sentinel(password, user);
        stack.start_server();
        stack.wait_until_ready();
        end_server(&mut stack);

        stack.environment = Vec::new();
        stack.start_server();
        readyz(&stack, &format!("the sentinel at 127.0.0.1:{port} asks for a login: set"));
        end_server(&mut stack);

        stack.environment = of_sentinel("s3cret-of-nobody", user);
        stack.start_server();
        readyz(&stack, &format!("the sentinel at 127.0.0.1:{port} refuses the login: correct"));
        // It is corrected, and read again without a restart.
        of_sentinel(password, user);
        stack.wait_until_ready();
        end_server(&mut stack);
    }
}

/// A stack whose store is named by a file. Its server and its worker are connected.
fn start_by_file(folder: &Path) -> (Stack, PathBuf) {
    let mut stack = Stack::prepare(Memory);
    stack.redis = with_login();
    let file = folder.join("store");
    write_store(&stack, &file, PASSWORD);
    stack.store_file = Some(file.clone());
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    stack.workers[0].wait_for_line("noeviction", LIMIT);
    (stack, file)
}

fn write_store(stack: &Stack, file: &Path, password: &str) {
    let url = format!("redis://muster:{password}@127.0.0.1:{}\n", stack.redis.port());
    fs::write(file, url).expect("there is room for a file");
}

#[test]
fn a_rotated_password_is_read_again_without_a_restart() {
    let folder = folder();
    let (mut stack, file) = start_by_file(folder.path());
    let port = stack.redis.port();
    let rotate = ["ACL", "SETUSER", "muster", "resetpass", ">s3cret-of-tomorrow"];
    resp::ask::<()>(port, &rotate).expect("a password can be changed");
    let killed: u64 = resp::ask(port, &["CLIENT", "KILL", "USER", "muster"]).expect("as can those");
    assert!(killed >= 2, "a server and a worker were connected: {killed}");
    readyz(&stack, "Password authentication failed");

    write_store(&stack, &file, "s3cret-of-tomorrow");
    stack.wait_until_ready();
    send(&stack, folder.path());
    end_server(&mut stack);
}

#[test]
fn sighup_ends_no_program_and_a_secret_that_cannot_be_used_changes_nothing() {
    let folder = folder();
    let (mut stack, file) = start_by_file(folder.path());
    let up_http = free_port();
    let mut up = programs::command("muster");
    up.args(["up", "--listen", "127.0.0.1:0", "--http", &format!("127.0.0.1:{up_http}")]);
    let mut up = Process::start("muster up", up.current_dir(folder.path()));
    let ready = || (http::status(up_http, "/readyz") == Some(200)).then_some(());
    wait::until(LIMIT, ready, || "`muster up` is not ready".to_owned());
    let mut server = stack.server.take().expect("the server runs");
    let mut worker = stack.workers.pop().expect("a worker runs");

    for program in [&mut server, &mut worker, &mut up] {
        program.hang_up();
        program.wait_for_line("files were read again at SIGHUP", LIMIT);
    }
    for (text, problem) in [
        ("redis://muster:s3#cret@127.0.0.1", "write `#` as %23"),
        ("redis://muster:s3cret@127.0.0.2", "only its user and its password can change"),
    ] {
        fs::write(&file, text).expect("there is room for a file");
        for program in [&mut server, &mut worker] {
            program.hang_up();
            program.wait_for_line(problem, LIMIT);
        }
    }
    assert_eq!(http::status(up_http, "/readyz"), Some(200));
    for program in [&mut server, &mut worker, &mut up] {
        assert!(program.is_running());
        assert!(!program.lines().contains("cret@"), "{}", program.lines());
    }
    (stack.server, stack.workers) = (Some(server), vec![worker]);
    send(&stack, folder.path());
}

/// A relay to a loopback port that is far away.
fn far(port: u16) -> Relay {
    let relay = Relay::start(port, u64::MAX);
    relay.set_delay(DELAY);
    relay
}

/// Starts a server and a worker on this store, with these settings beside the defaults, and sends some
/// records through them.
fn send_far(mut stack: Stack, store: String, settings: &[(&str, &str)]) {
    let folder = folder();
    stack.store = Some(store);
    stack.environment =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    send(&stack, folder.path());
}

#[test]
fn a_server_that_is_far_away_is_used() {
    let mut stack = Stack::prepare(EveryWrite);
    stack.redis.start();
    let relay = far(stack.redis.port());
    let store = format!("redis://127.0.0.1:{}", relay.port());
    send_far(stack, store, &[("MUSTER_DURABILITY", "synced")]);
}

#[test]
fn a_server_with_tls_that_is_far_away_is_used() {
    let folder = folder();
    let authority = Authority::new("test CA");
    let ca = authority.write(folder.path(), "ca");
    let server = authority.server(&["127.0.0.1"]).write(folder.path(), "server");
    let client = authority.client("muster").write(folder.path(), "client");
    let mut stack = Stack::prepare(Memory);
    stack.redis = RedisServer::prepare(Memory).with_tls(&ca, &server);
    stack.redis.start();
    let relay = far(stack.redis.tls_port());
    let store = format!(
        "rediss://127.0.0.1:{}?ca={}&cert={}&key={}",
        relay.port(),
        ca.display(),
        client.certificate.display(),
        client.key.display()
    );
    send_far(stack, store, &[]);
}

#[test]
fn sentinels_and_a_replicated_master_that_are_far_away_are_used() {
    let folder = folder();
    let mut stack = Stack::prepare(Memory);
    stack.redis.start();
    let master = far(stack.redis.port());
    // The Sentinel would correct a replica of the port behind the relay.
    let port = master.port().to_string();
    let mut replica =
        RedisServer::prepare(Memory).with_arguments(&["--replicaof", "127.0.0.1", &port]);
    replica.start();
    let (port, _sentinel) = start_sentinel(
        1,
        &store_program(),
        master.port(),
        folder.path(),
        &format!("requirepass {OF_SENTINEL}"),
    );
    let sentinel = far(port);
    let store = format!("redis-sentinel://127.0.0.1:{}/{MASTER}", sentinel.port());
    let settings = [("MUSTER_DURABILITY", "replicated"), ("MUSTER_SENTINEL_PASSWORD", OF_SENTINEL)];
    send_far(stack, store, &settings);
}

#[test]
fn a_cluster_that_is_far_away_is_used() {
    let mut stack = Stack::prepare(Memory);
    let relay = far(stack.redis.port());
    let announced = relay.port().to_string();
    stack.redis = stack.redis.with_arguments(&["--cluster-enabled", "yes"]).with_arguments(&[
        "--cluster-announce-ip",
        "127.0.0.1",
        "--cluster-announce-port",
        &announced,
    ]);
    stack.redis.start();
    let port = stack.redis.port();
    let slots: Vec<String> = (0..16_384).map(|slot: u16| slot.to_string()).collect();
    let all: Vec<&str> =
        ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
    resp::ask::<()>(port, &all).expect("a node takes the slots");
    let is_whole = || {
        let info: String = resp::ask(port, &["CLUSTER", "INFO"]).ok()?;
        info.contains("cluster_state:ok").then_some(())
    };
    wait::until(LIMIT, is_whole, || "the cluster is not whole".to_owned());
    send_far(stack, format!("redis-cluster://127.0.0.1:{announced}"), &[]);
}

#[test]
fn connecting_takes_no_longer_than_it_may() {
    let mut stack = Stack::prepare(Memory);
    stack.redis.start();
    let relay = far(stack.redis.port());
    stack.store = Some(format!("redis://127.0.0.1:{}", relay.port()));
    let setting = ("MUSTER_STORE_CONNECT_TIMEOUT".to_owned(), "500ms".to_owned());
    stack.environment = vec![setting];
    stack.start_server();
    readyz(&stack, "no connection within 500ms; if the store is that slow, raise");
    relay.set_delay(Duration::ZERO);
    stack.wait_until_ready();
}
