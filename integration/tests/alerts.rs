//! Each outage fires its own alert and no other: a real Prometheus, with the rules of
//! `docs/alerts.yaml`, scrapes a server and its workers.
//!
//! `prometheus` and `promtool` come with the package `prometheus` of Debian. Where they are missing,
//! the tests print that they are skipped.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::EveryWrite;
use muster_integration::skip::skip;
use muster_integration::stack::Stack;
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::{http, programs, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);
/// How long the tests of the rules may take: they go through more than a day, in steps of 15 seconds.
const RULE_TESTS: Duration = Duration::from_secs(200);
/// How long Prometheus may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

const WORKERS: usize = 2;
/// The `for` of every rule, in place of its own. The seconds in which an installation recovers, such as
/// those until a worker has reported to a store that was away, are fewer.
const FOR: &str = "8s";
/// Every range and offset, in place of its own.
const RANGE: &str = "20s";
/// How long an outage goes on after its alert: longer than `FOR`, so that any other alert has time to
/// fire.
const WATCHED: Duration = Duration::from_secs(10);

#[test]
fn outage_fires_its_own_alert_and_no_other() {
    if !is_installed("prometheus") {
        return skip("prometheus is not installed");
    }
    let mut site = Installation::start();
    let prometheus = Prometheus::start(site.folder.path(), &site.http_ports());
    prometheus.wait_until_healthy("");
    let users: Vec<User> = Users::of_seed(1).take(20).collect();
    site.send("healthy", &users, &["--wait"]);

    site.stack.redis.kill();
    prometheus.expect("MusterStoreFails");
    site.stack.redis.start();
    prometheus.wait_until_healthy("MusterStoreFails");

    site.stack.server.take().expect("the server runs").kill();
    prometheus.expect("MusterTargetIsDown");
    site.stack.start_server();
    prometheus.wait_until_healthy("MusterTargetIsDown");

    let (roll, aside) = (site.path("roll"), site.path("aside"));
    fs::rename(&roll, &aside).expect("the folder of the roll can be moved");
    prometheus.expect("MusterRollCannotBeWritten");
    fs::rename(&aside, &roll).expect("the folder of the roll can be moved back");
    prometheus.wait_until_healthy("MusterRollCannotBeWritten");

    let mut users = users;
    users[7].email = "no address".to_owned();
    site.send("held", &users, &["--policy", "fail"]);
    prometheus.expect("MusterBatchIsHeld");
    site.client(&["dead", "drop", "--batch", "held", "--yes"]).expect_code(0);
    prometheus.wait_until_healthy("MusterBatchIsHeld");

    let list = fs::read_to_string(site.path("access.toml")).expect("the list can be read");
    let replace = |list: &str| {
        fs::write(site.path("access.toml"), list).expect("the list can be written");
    };
    replace("[[token]]\nname = \"everybody\"\n");
    prometheus.expect("MusterReloadIsRefused");
    replace(&list);
    prometheus.wait_until_healthy("MusterReloadIsRefused");
}

#[test]
fn rules_are_valid_and_pass_their_tests() {
    if !is_installed("promtool") {
        return skip("promtool is not installed");
    }
    for arguments in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]] {
        let mut command = Command::new("promtool");
        command.args(arguments).current_dir(docs());
        Process::start("promtool", &mut command).wait(RULE_TESTS).expect_code(0);
    }
}

#[test]
fn durations_of_rules_are_shortened_and_nothing_else() {
    let rule = "\
      - alert: Example
        expr: |
          rate(a{kind!=\"x\"}[15m]) > 14 * 24 * 3600
            and b offset 1d > 0
        for: 1m
        annotations:
          summary: 'It waits for {{ $value }} [see for: below].'
";
    let expected = rule.replace("[15m]", "[20s]").replace("offset 1d", "offset 20s");
    assert_eq!(shortened(rule), expected.replace("        for: 1m\n", "        for: 8s\n"));
}

/// A server with an access list and workers, on a Redis that keeps its data.
struct Installation {
    stack: Stack,
    /// Where the probes and metrics of the workers are.
    worker_ports: Vec<u16>,
    folder: TempDir,
}

impl Installation {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let access = folder.path().join("access.toml");
        let token = new_token(&access);
        let mut stack = Stack::prepare(EveryWrite);
        stack.environment = vec![
            ("MUSTER_SERVER_ACCESS".to_owned(), access.display().to_string()),
            ("MUSTER_SERVER_OPEN_METRICS".to_owned(), "true".to_owned()),
            ("MUSTER_CLIENT_TOKEN".to_owned(), token),
        ];
        stack.redis.start();
        stack.start_server();
        stack.wait_until_ready();
        let worker_ports = (0..WORKERS).map(|_| free_port()).collect();
        let mut site = Self { stack, worker_ports, folder };
        let workers: Vec<Process> =
            site.worker_ports.iter().map(|port| site.start_worker(*port)).collect();
        site.stack.workers = workers;
        site
    }

    /// Starts a worker whose roll is in a folder that holds nothing else.
    fn start_worker(&self, port: u16) -> Process {
        let mut command = programs::command("muster-worker");
        command.args(["--store", &self.stack.redis.url()]).arg("--roll").arg(self.path("roll"));
        command.args(["--http", &format!("127.0.0.1:{port}")]);
        command.envs(self.stack.environment.iter().cloned()).current_dir(self.folder.path());
        Process::start("muster-worker", &mut command)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The ports of all probes and metrics.
    fn http_ports(&self) -> Vec<u16> {
        let workers = self.worker_ports.iter().copied();
        std::iter::once(self.stack.http_port()).chain(workers).collect()
    }

    /// Runs a client, and returns it when it has ended.
    fn client(&self, arguments: &[&str]) -> Finished {
        let mut command = programs::command("muster-client");
        command.args(arguments);
        command.args(["--server", &format!("http://127.0.0.1:{}", self.stack.grpc_port())]);
        command.envs(self.stack.environment.iter().cloned()).current_dir(self.folder.path());
        Process::start("muster-client", &mut command).wait(LIMIT)
    }

    /// Sends these users as a batch of this name.
    fn send(&self, batch: &str, users: &[User], options: &[&str]) {
        let path = self.path(&format!("{batch}.ndjson"));
        let file = fs::File::create(&path).expect("a file can be made");
        write_ndjson(file, users.iter().cloned()).expect("the file can be written");
        let path = path.to_str().expect("the path of a test is text");
        self.client(&[&["send", path, "--batch", batch][..], options].concat()).expect_code(0);
    }
}

/// A token that may send and operate.
fn new_token(access: &Path) -> String {
    let mut command = programs::command("muster");
    command.args(["token", "new", "tester", "--role", "send", "--role", "operate", "--access"]);
    let made = Process::start("muster", command.arg(access)).wait(LIMIT);
    made.expect_code(0).stdout.trim().to_owned()
}

/// A Prometheus that scrapes and evaluates each second.
struct Prometheus {
    _process: Process,
    port: u16,
    targets: usize,
}

impl Prometheus {
    /// Starts it with the rules of the documentation, and waits until it answers.
    fn start(folder: &Path, ports: &[u16]) -> Self {
        let rules = fs::read_to_string(docs().join("alerts.yaml")).expect("the rules can be read");
        fs::write(folder.join("rules.yaml"), shortened(&rules)).expect("a file can be written");
        let targets: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        // It is YAML as well.
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "muster", "static_configs": [{"targets": targets}]}],
        });
        let path = folder.join("prometheus.yaml");
        fs::write(&path, config.to_string()).expect("a file can be written");
        let port = free_port();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", path.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("series").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::start("prometheus", &mut command);
        let status = || http::status(port, "/-/ready");
        wait::until(
            LIMIT,
            || status().filter(|status| *status == 200),
            || format!("/-/ready answers {:?}", status()),
        );
        Self { _process: process, port, targets: targets.len() }
    }

    /// Waits until this alert fires, and then watches whether another one does.
    fn expect(&self, alert: &str) {
        let fires = || Some(self.firing()).filter(|firing| !firing.is_empty());
        let firing = wait::until(LIMIT, fires, || {
            format!("{alert} does not fire; active are {:#}", self.active())
        });
        assert_eq!(firing, [alert], "{:#}", self.active());
        wait::by::<()>(Instant::now() + WATCHED, || {
            self.expect_no_other_than(alert);
            None
        });
    }

    /// Waits until all targets are ready and no alert is active, pending ones included. Until then only
    /// this one may fire.
    fn wait_until_healthy(&self, alert: &str) {
        let all = self.targets.to_string();
        let is_healthy = || {
            self.expect_no_other_than(alert);
            let is_quiet = self.active().as_array().is_some_and(Vec::is_empty);
            (is_quiet && self.value("sum(muster_ready)") == Some(all.clone())).then_some(())
        };
        wait::until(LIMIT, is_healthy, || format!("active are {:#}", self.active()));
    }

    fn expect_no_other_than(&self, alert: &str) {
        let is_other = self.firing().iter().any(|name| name != alert);
        assert!(!is_other, "no alert but {alert:?} should fire: {:#}", self.active());
    }

    /// The names of the alerts that fire, one for each set of labels.
    fn firing(&self) -> Vec<String> {
        let active = self.active();
        let alerts = active.as_array().expect("the alerts are a list").iter();
        let name = |alert: &Value| alert["labels"]["alertname"].as_str().map(str::to_owned);
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        firing.map(|alert| name(alert).expect("an alert has a name")).collect()
    }

    /// All alerts that are pending or fire.
    fn active(&self) -> Value {
        let mut answer = self.get("/api/v1/alerts").expect("Prometheus answers");
        answer["data"]["alerts"].take()
    }

    /// What a query gives, if that is one value.
    fn value(&self, query: &str) -> Option<String> {
        let answer = self.get(&format!("/api/v1/query?query={query}"))?;
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    }

    /// Asks by HTTP/1.0: the answer is not chunked, however long it is.
    fn get(&self, path: &str) -> Option<Value> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        connection.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(connection, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }
}

/// The rules with `FOR` for each `for`, and `RANGE` for each range and offset. Everything else stays.
fn shortened(rules: &str) -> String {
    let shorten = |line: &str| match line.split_once("for: ") {
        Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: {FOR}\n"),
        _ => with_short_offsets(&with_short_ranges(line)) + "\n",
    };
    rules.lines().map(shorten).collect()
}

fn with_short_ranges(line: &str) -> String {
    let mut parts = line.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |short, part| match part.split_once(']') {
        Some((range, rest)) if is_duration(range) => format!("{short}[{RANGE}]{rest}"),
        _ => format!("{short}[{part}"),
    })
}

fn with_short_offsets(line: &str) -> String {
    let mut parts = line.split(" offset ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |short, part| {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
        format!("{short} offset {RANGE}{rest}")
    })
}

/// Whether this is a number and a unit, such as `15m`.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    unit.len() < text.len() && ["s", "m", "h", "d"].contains(&unit)
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}
