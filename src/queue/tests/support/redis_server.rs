//! A real `redis-server` for a test: on a free loopback port, in a folder of its own, gone with
//! the value. `MUSTER_STORE_PROGRAM` names another program to run, such as a `valkey-server`.

use std::env;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use muster_integration::ports::free_port;
use tempfile::TempDir;

/// How long the server may take to answer, or to be gone.
const READY_MAX: Duration = Duration::from_secs(10);

/// How long to wait between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The program that is the server.
pub(crate) fn program() -> String {
    env::var("MUSTER_STORE_PROGRAM").unwrap_or_else(|_| "redis-server".to_owned())
}

/// A running `redis-server`, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct RedisServer {
    /// `None` while it is killed.
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
    environment: Vec<(String, String)>,
}

impl RedisServer {
    /// Starts a server that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more options, as on its command line. `--appendonly yes` makes it keep
    /// its data when it is killed.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::start_in(options, &[])
    }

    /// The same, with more variables in its environment.
    pub(crate) fn start_in(options: &[&str], environment: &[(&str, String)]) -> Self {
        let variable = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let mut server = Self {
            child: None,
            port: free_port(),
            folder: tempfile::tempdir().expect("a folder for redis-server"),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            environment: environment.iter().map(variable).collect(),
        };
        server.start_again();
        server
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The folder that the server writes to.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the server, as a loss of its host would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("redis-server is killed");
            child.wait().expect("redis-server is gone");
        }
    }

    /// Starts a killed server again, on its port and with what it has on disk.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or it does not answer in time.
    pub(crate) fn start_again(&mut self) {
        self.begin_again();
        self.wait_until_ready();
    }

    /// The same, without waiting until it answers: it reads its data first.
    pub(crate) fn begin_again(&mut self) {
        let log = File::create(self.folder().join("log")).expect("a log for redis-server");
        let child = Command::new(program())
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.folder())
            .args(&self.options)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; run the tests by script/test, or install Redis", program())
            });
        self.child = Some(child);
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        while !self.answers() {
            let exited = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(
                exited.is_none() && started.elapsed() < READY_MAX,
                "redis-server does not answer on port {}:\n{}",
                self.port,
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default(),
            );
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Whether it answers PING, be it by asking for a password.
    fn answers(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, READY_MAX) else {
            return false;
        };
        let mut answer = [0; 7];
        stream.set_read_timeout(Some(READY_MAX)).is_ok()
            && stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && (answer == *b"+PONG\r\n" || answer == *b"-NOAUTH")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
