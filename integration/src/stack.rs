//! Redis, a server and workers that belong together.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::http;
use crate::ports::free_port;
use crate::process::{Finished, Process};
use crate::programs;
use crate::redis_server::{Durability, RedisServer};
use crate::wait;

/// How long a stack may take to be ready, or to notice that it is not.
const READY: Duration = Duration::from_secs(60);
/// How long a client may take for all that a test gives it.
pub const SEND: Duration = Duration::from_secs(300);

/// The programs of one installation, on loopback ports, in a folder that goes with them.
#[derive(Debug)]
pub struct Stack {
    /// The workers, in the order in which they were started.
    pub workers: Vec<Process>,
    /// The server, once started.
    pub server: Option<Process>,
    /// The store.
    pub redis: RedisServer,
    /// Where the server and the workers find it, if not at its usual URL. They are told by their
    /// environment: there may be a password in it.
    pub store: Option<String>,
    /// A file that holds the URL of the store, in place of `store`.
    pub store_file: Option<PathBuf>,
    /// What every program that is started finds in its environment.
    pub environment: Vec<(String, String)>,
    grpc: u16,
    http: u16,
    folder: TempDir,
}

impl Stack {
    /// Chooses ports and folders; nothing runs yet.
    ///
    /// # Panics
    ///
    /// When there is no room for a folder.
    pub fn prepare(durability: Durability) -> Self {
        Self {
            workers: Vec::new(),
            server: None,
            redis: RedisServer::prepare(durability),
            store: None,
            store_file: None,
            environment: Vec::new(),
            grpc: free_port(),
            http: free_port(),
            folder: tempfile::tempdir().expect("there is room for a folder"),
        }
    }

    /// Starts everything, and waits until the server is ready.
    ///
    /// # Panics
    ///
    /// When it does not become ready.
    pub fn start(durability: Durability, workers: usize) -> Self {
        let mut stack = Self::prepare(durability);
        stack.redis.start();
        stack.start_server();
        stack.start_workers(workers);
        stack.wait_until_ready();
        stack
    }

    /// Starts the server, on the same ports each time.
    pub fn start_server(&mut self) {
        let mut command = programs::command("muster-server");
        command
            .args(["--listen", &format!("127.0.0.1:{}", self.grpc)])
            .args(["--http", &format!("127.0.0.1:{}", self.http)])
            .arg("--roll")
            .arg(self.folder.path())
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder.path());
        self.tell_store(&mut command);
        self.server = Some(Process::start("muster-server", &mut command));
    }

    /// Starts this many more worker processes.
    pub fn start_workers(&mut self, count: usize) {
        self.start_workers_as(count, || programs::command("muster-worker"));
    }

    /// Starts this many more worker processes of another program, or with other settings.
    pub fn start_workers_as(&mut self, count: usize, program: impl Fn() -> Command) {
        for _ in 0..count {
            let name = format!("worker {}", self.workers.len() + 1);
            let mut command = program();
            command.arg("--roll").arg(self.folder.path());
            command.envs(self.environment.iter().cloned()).current_dir(self.folder.path());
            self.tell_store(&mut command);
            self.workers.push(Process::start(&name, &mut command));
        }
    }

    fn tell_store(&self, command: &mut Command) {
        match (&self.store_file, &self.store) {
            (Some(file), _) => command.arg("--store-file").arg(file),
            (None, Some(url)) => command.env("MUSTER_STORE", url),
            (None, None) => command.args(["--store", &self.redis.url()]),
        };
    }

    /// Waits until the server says that it is ready.
    ///
    /// # Panics
    ///
    /// When it does not within a minute.
    pub fn wait_until_ready(&self) {
        self.wait_for_readiness(200);
    }

    /// Waits until the server says that it is not ready, and yet alive.
    ///
    /// # Panics
    ///
    /// When it does not within a minute.
    pub fn wait_until_not_ready(&self) {
        self.wait_for_readiness(503);
        assert_eq!(http::status(self.http, "/livez"), Some(200), "the server is alive");
    }

    fn wait_for_readiness(&self, status: u16) {
        let answer = || http::status(self.http, "/readyz");
        wait::until(
            READY,
            || (answer() == Some(status)).then_some(()),
            || format!("/readyz should answer {status}, and answers {:?}", answer()),
        );
    }

    /// Where the server takes records in.
    pub fn grpc_port(&self) -> u16 {
        self.grpc
    }

    /// Where the server's probes and metrics are.
    pub fn http_port(&self) -> u16 {
        self.http
    }

    /// The address of a page of the dashboard.
    pub fn page(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    /// The roll that the workers write.
    pub fn roll(&self) -> PathBuf {
        self.folder.path().join("all_users.json")
    }

    /// A client that sends `input` to the server and waits until it is in the roll.
    pub fn client(&self, input: &Path) -> Command {
        self.client_by(self.grpc, input)
    }

    /// The same, to another loopback port.
    pub fn client_by(&self, port: u16, input: &Path) -> Command {
        let mut command = programs::command("muster-client");
        command.arg("send").arg(input).args(["--wait", "--json"]);
        command.args(["--server", &format!("http://127.0.0.1:{port}")]);
        command.envs(self.environment.iter().cloned()).current_dir(self.folder.path());
        command
    }

    /// Sends `input` and waits until it is in the roll.
    ///
    /// # Panics
    ///
    /// When the client does not end within [`SEND`].
    pub fn send(&self, input: &Path) -> Finished {
        Process::start("muster-client", &mut self.client(input)).wait(SEND)
    }
}
