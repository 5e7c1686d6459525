//! What a supervisor hears that starts a program as systemd does.

use std::collections::VecDeque;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::redis_server::{Durability, RedisServer};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);
/// How long a program may be silent before its supervisor would end it.
const WATCHDOG: Duration = Duration::from_millis(200);

/// A supervisor: the socket on which it hears, in a folder in which programs run.
struct Supervisor {
    socket: UnixDatagram,
    /// What was heard and not yet looked at, a line each.
    heard: VecDeque<String>,
    folder: TempDir,
}

impl Supervisor {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a path is free");
        socket.set_read_timeout(Some(LIMIT)).expect("a socket has a time limit");
        Self { socket, heard: VecDeque::new(), folder }
    }

    /// A command whose program is to tell how it goes.
    fn command(&self, program: &str) -> Command {
        let mut command = programs::command(program);
        command.current_dir(self.folder.path());
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        command
    }

    /// The next line.
    fn next(&mut self) -> String {
        let mut message = [0; 4096];
        while self.heard.is_empty() {
            let length = self.socket.recv(&mut message).expect("the program tells something");
            let message = String::from_utf8_lossy(&message[..length]);
            self.heard.extend(message.lines().map(str::to_owned));
        }
        self.heard.pop_front().unwrap_or_default()
    }

    /// The lines up to the first one that starts like this, with that one.
    fn lines_to(&mut self, start: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.starts_with(start)) {
            lines.push(self.next());
        }
        lines
    }

    /// What is there when the program has ended.
    fn rest(mut self) -> Vec<String> {
        self.socket.set_nonblocking(true).expect("a socket need not block");
        let mut message = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut message) {
            let message = String::from_utf8_lossy(&message[..length]);
            self.heard.extend(message.lines().map(str::to_owned));
        }
        self.heard.into()
    }
}

/// A program that is started before its store, and told to end when it has it.
fn hears_all_of(program: &str, flags: &[&str]) {
    let mut redis = RedisServer::prepare(Durability::Memory);
    let mut supervisor = Supervisor::new();
    let mut command = supervisor.command(program);
    command.args(flags).args(["--store", &redis.url()]);
    let process = Process::start(program, &mut command);

    let before = supervisor.lines_to("READY=1");
    assert!(!before.iter().any(|line| line.starts_with("STATUS=")), "{before:?}");
    let status = supervisor.next();
    assert!(status.starts_with("STATUS=waiting for the store: "), "{status}");
    supervisor.lines_to("WATCHDOG=1");
    redis.start();
    supervisor.lines_to("STATUS=ready");
    for _ in 0..3 {
        supervisor.lines_to("WATCHDOG=1");
    }

    process.terminate();
    supervisor.lines_to("STOPPING=1");
    process.wait(LIMIT).expect_code(0);
    let rest = supervisor.rest();
    assert!(!rest.iter().any(|line| line == "STATUS=ready"), "{rest:?}");
}

#[test]
fn a_server_tells_how_it_goes() {
    hears_all_of("muster-server", &["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
}

#[test]
fn a_worker_tells_how_it_goes() {
    hears_all_of("muster-worker", &[]);
}

#[test]
fn muster_up_tells_how_it_goes() {
    hears_all_of("muster", &["up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
}

#[test]
fn a_watchdog_of_another_process_hears_nothing() {
    let mut supervisor = Supervisor::new();
    let mut command = supervisor.command("muster-worker");
    command.args(["--store", "file:queue"]).env("WATCHDOG_PID", "1");
    let process = Process::start("muster-worker", &mut command);
    let mut heard = supervisor.lines_to("STATUS=ready");
    process.terminate();
    process.wait(LIMIT).expect_code(0);
    heard.extend(supervisor.rest());
    assert!(heard.contains(&"STOPPING=1".to_owned()), "{heard:?}");
    assert!(!heard.contains(&"WATCHDOG=1".to_owned()), "{heard:?}");
}

#[test]
fn a_program_that_cannot_work_is_never_ready() {
    let supervisor = Supervisor::new();
    let mut command = supervisor.command("muster-worker");
    // The store is to be where the socket is.
    command.args(["--store", "file:notify"]);
    Process::start("muster-worker", &mut command).wait(LIMIT).expect_code(1);
    let heard = supervisor.rest();
    assert!(!heard.contains(&"READY=1".to_owned()), "{heard:?}");
}
