//! A Redis with two replicas, watched by three Sentinels which put a replica in a dead master's
//! place.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::ports::free_port;
use crate::process::Process;
use crate::redis_server::{Durability, RedisServer};
use crate::{redis_server, resp, wait};

/// The name under which the Sentinels know the master.
pub const MASTER: &str = "muster";

const SERVERS: usize = 3;
const SENTINELS: usize = 3;
const START: Duration = Duration::from_secs(30);
const FAILOVER: Duration = Duration::from_secs(60);

/// Three servers and three Sentinels, on loopback ports.
#[derive(Debug)]
pub struct Sentinel {
    servers: Vec<RedisServer>,
    sentinels: Vec<(u16, Process)>,
}

impl Sentinel {
    /// Starts all of them, with their files in `folder`, and waits until they know each other.
    ///
    /// # Panics
    ///
    /// When a program is missing or they do not find together.
    pub fn start(durability: Durability, program: &str, folder: &Path) -> Self {
        let mut servers: Vec<RedisServer> = Vec::new();
        for number in 1..=SERVERS {
            let own = folder.join(format!("redis-{number}"));
            fs::create_dir_all(&own).expect("there is room for a folder");
            let mut server = RedisServer::prepare_in(durability, &own)
                .with_program(program)
                .with_arguments(&["--repl-diskless-sync-delay", "0"]);
            // The first is the master, until the Sentinels say otherwise.
            if let Some(master) = servers.first() {
                let port = master.port().to_string();
                server = server.with_arguments(&["--replicaof", "127.0.0.1", &port]);
            }
            server.start();
            servers.push(server);
        }
        let master = servers[0].port();
        let sentinels = (1..=SENTINELS)
            .map(|number| start_sentinel(number, program, master, folder, ""))
            .collect();
        let sentinel = Self { servers, sentinels };
        sentinel.wait_until_healthy();
        sentinel
    }

    /// `redis-sentinel://HOST:PORT,…/NAME`
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.sentinels.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        format!("redis-sentinel://{}/{MASTER}", hosts.join(","))
    }

    /// Kills the master (SIGKILL), after it was `alone`: see [`redis_server::kill_master`].
    ///
    /// # Panics
    ///
    /// When no Sentinel says who it is, or it does not run.
    pub fn kill_master(&mut self, alone: Duration) {
        let master = self.master().expect("a Sentinel knows the master");
        redis_server::kill_master(&mut self.servers, master, alone);
    }

    /// Waits until the Sentinels have put another server in the dead master's place.
    ///
    /// # Panics
    ///
    /// When they have not within a minute.
    pub fn wait_for_failover(&self) {
        wait::until(
            FAILOVER,
            || self.has_live_master().then_some(()),
            || "the Sentinels have no new master".to_owned(),
        );
    }

    /// Whether none is killed.
    pub fn all_started(&self) -> bool {
        self.servers.iter().all(RedisServer::is_started)
    }

    /// Starts what was killed. It becomes a replica of the new master.
    pub fn start_killed(&mut self) {
        for server in self.servers.iter_mut().filter(|server| !server.is_started()) {
            server.start();
        }
    }

    /// Waits until there is a master with all others as its replicas, and every Sentinel knows
    /// of all.
    ///
    /// # Panics
    ///
    /// When that is not so within a minute.
    pub fn wait_until_healthy(&self) {
        wait::until(
            FAILOVER,
            || self.is_healthy().then_some(()),
            || "the master, its replicas and the Sentinels have not found together".to_owned(),
        );
    }

    /// The port of the master, as the first Sentinel has it.
    pub fn master(&self) -> Option<u16> {
        let (port, _) = self.sentinels.first()?;
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER];
        let (_, master): (String, u16) = resp::ask(*port, &ask).ok()?;
        Some(master)
    }

    fn has_live_master(&self) -> bool {
        let Some(master) = self.master() else { return false };
        let mut servers = self.servers.iter().filter(|server| server.is_started());
        servers.any(|server| server.port() == master && role(server) == Some("master".to_owned()))
    }

    fn is_healthy(&self) -> bool {
        let linked = |server: &&RedisServer| {
            server.info("replication", "master_link_status").as_deref() == Some("up")
        };
        let others = (SENTINELS - 1).to_string();
        let knows = |(port, _): &(u16, Process)| {
            let master = resp::ask::<Vec<String>>(*port, &["SENTINEL", "MASTER", MASTER]);
            master.is_ok_and(|master| {
                let field =
                    |name| master.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| &pair[1]);
                field("num-other-sentinels") == Some(&others)
                    && field("num-slaves") == Some(&(SERVERS - 1).to_string())
            })
        };
        self.has_live_master()
            && self.servers.iter().filter(linked).count() == SERVERS - 1
            && self.sentinels.iter().all(knows)
    }
}

fn role(server: &RedisServer) -> Option<String> {
    server.info("replication", "role")
}

/// Starts one Sentinel, for the master on this loopback port, with its files in `folder`, and
/// with these lines in its settings. Its port, and its process.
///
/// # Panics
///
/// When the program is missing or does not start.
pub fn start_sentinel(
    number: usize,
    program: &str,
    master: u16,
    folder: &Path,
    lines: &str,
) -> (u16, Process) {
    let port = free_port();
    // A Sentinel writes what it learns into its file.
    let file = folder.join(format!("sentinel-{number}.conf"));
    let settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\n\
         sentinel monitor {MASTER} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER} 2000\n\
         sentinel failover-timeout {MASTER} 5000\n{lines}\n",
        folder.display(),
    );
    fs::write(&file, settings).expect("there is room for a file");
    let mut command = Command::new(program);
    command.arg(&file).arg("--sentinel");
    let log = folder.join(format!("sentinel-{number}.log"));
    let mut process = Process::start_with_log(&format!("sentinel {number}"), &mut command, &log);
    process.wait_for_line("+monitor master", START);
    (port, process)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::programs::store_program;

    #[test]
    fn a_replica_takes_a_killed_master_s_place_with_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let mut sentinel =
            Sentinel::start(Durability::EverySecond, &store_program(), folder.path());
        let first = sentinel.master().unwrap();
        let set: [&[&str]; 2] = [&["SET", "key", "value"], &["WAIT", "2", "1000"]];
        let ((), replicas): ((), u64) = resp::ask_all(first, &set).unwrap();
        assert_eq!(replicas, 2);

        sentinel.kill_master(Duration::ZERO);
        sentinel.wait_for_failover();
        let second = sentinel.master().unwrap();
        assert_ne!(second, first);
        assert_eq!(resp::ask::<String>(second, &["GET", "key"]).unwrap(), "value");

        sentinel.start_killed();
        sentinel.wait_until_healthy();
        assert_eq!(sentinel.master(), Some(second));
    }

    #[test]
    fn what_a_master_took_alone_dies_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut sentinel =
            Sentinel::start(Durability::EverySecond, &store_program(), folder.path());
        let master = sentinel.master().unwrap();
        let count = move || resp::ask::<u64>(master, &["INCR", "count"]);
        let counter = thread::spawn(move || std::iter::from_fn(|| count().ok()).last().unwrap());
        sentinel.kill_master(Duration::from_millis(300));
        let counted = counter.join().unwrap();
        sentinel.wait_for_failover();
        let kept: Option<u64> = resp::ask(sentinel.master().unwrap(), &["GET", "count"]).unwrap();
        assert!(kept.unwrap_or(0) < counted, "{kept:?} of {counted} counts were kept");
    }
}
