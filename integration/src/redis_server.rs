//! A real Redis that can be killed and started again on the same data.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::ports::free_port;
use crate::process::Process;

const START: Duration = Duration::from_secs(30);

/// What a Redis promises to keep through its own death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: all is in memory.
    Memory,
    /// Every write that it has acknowledged (`appendfsync always`).
    EveryWrite,
}

/// A Redis server of its own, on a loopback port, in a folder that goes with it.
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    port: u16,
    durability: Durability,
    folder: TempDir,
}

impl RedisServer {
    /// Chooses a port and a folder; the server does not run yet.
    ///
    /// # Panics
    ///
    /// When there is no room for a folder.
    pub fn prepare(durability: Durability) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        Self { process: None, port: free_port(), durability, folder }
    }

    /// Starts the server, on the data that is there, and waits until it takes commands.
    ///
    /// # Panics
    ///
    /// When `redis-server` is not installed or does not start.
    pub fn start(&mut self) {
        let appends = match self.durability {
            Durability::Memory => "no",
            Durability::EveryWrite => "yes",
        };
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendfsync", "always"])
            .args(["--port", &self.port.to_string(), "--appendonly", appends, "--dir"])
            .arg(self.folder.path());
        let mut process = Process::start("redis-server (`script/test` installs it)", &mut command);
        process.wait_for_line("Ready to accept connections", START);
        self.process = Some(process);
    }

    /// Kills the server (SIGKILL); its data stays.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill(&mut self) {
        self.process.take().expect("the Redis to kill runs").kill();
    }

    /// Where programs find it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    fn ask(redis: &RedisServer, command: &str) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port)).unwrap();
        write!(connection, "{command}\r\n").unwrap();
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// What a key set before the server is killed has after it.
    fn length_after_a_kill(durability: Durability) -> String {
        let mut redis = RedisServer::prepare(durability);
        redis.start();
        assert_eq!(ask(&redis, "SET key value"), "+OK");
        redis.kill();
        redis.start();
        ask(&redis, "STRLEN key")
    }

    #[test]
    fn what_is_synced_outlives_a_kill_and_what_is_in_memory_does_not() {
        assert_eq!(length_after_a_kill(Durability::EveryWrite), ":5");
        assert_eq!(length_after_a_kill(Durability::Memory), ":0");
    }
}
