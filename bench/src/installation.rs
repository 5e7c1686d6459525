//! What is measured, running: a server, workers, and their Redis.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use muster_integration::ports::free_port;
use muster_integration::redis_server::Durability;
use muster_integration::{http, programs, roll};
use tempfile::TempDir;

use crate::program::Program;
use crate::store::{Store, Totals};
use crate::{clock, home};

/// How long a program may take to be ready.
const READY: Duration = Duration::from_secs(30);
/// How long nothing may move. Writing a roll of millions of records is one step.
const STILL_MAX: Duration = Duration::from_secs(300);
/// How often Redis is asked how far the workers are.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What is to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) system: System,
    /// What its Redis keeps.
    pub(crate) redis: Durability,
    /// How many workers it has: processes of Muster, tasks of the bare path.
    pub(crate) workers: usize,
}

/// Who takes the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// tonic alone.
    Echo,
    /// The bare path, with so many records an entry.
    Bare { pack: usize },
    /// Muster, which answers once its store has accepted a record, or has synced it.
    Muster { synced: bool },
}

/// It, running. It is ended when dropped.
pub(crate) struct Installation {
    setup: Setup,
    grpc: u16,
    http: u16,
    // Programs end before the Redis that they use.
    workers: Vec<Program>,
    server: Option<Program>,
    store: Option<Store>,
    folder: TempDir,
}

impl Setup {
    /// The usual one of Muster: five workers, and what Redis has in memory.
    pub(crate) fn muster() -> Self {
        let system = System::Muster { synced: false };
        Self { system, redis: Durability::Memory, workers: 5 }
    }

    /// The bare path as it is compared with.
    pub(crate) fn bare(pack: usize) -> Self {
        Self { system: System::Bare { pack }, ..Self::muster() }
    }

    /// gRPC alone.
    pub(crate) fn echo() -> Self {
        Self { system: System::Echo, workers: 0, ..Self::muster() }
    }

    /// The same without workers: records are accepted, and wait.
    pub(crate) fn without_workers(self) -> Self {
        Self { workers: 0, ..self }
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&self) -> anyhow::Result<Installation> {
        let mut installation = self.start_store()?;
        installation.start_server()?;
        installation.wait_until_ready()?;
        installation.start_workers(self.workers)?;
        installation.wait_for_workers()?;
        Ok(installation)
    }

    /// Starts its Redis alone, if it has one.
    pub(crate) fn start_store(&self) -> anyhow::Result<Installation> {
        let folder = home::scratch()?;
        let store = match self.system {
            System::Echo => None,
            _ => Some(Store::start(self.redis, folder.path())?),
        };
        Ok(Installation {
            setup: self.clone(),
            grpc: free_port(),
            http: free_port(),
            workers: Vec::new(),
            server: None,
            store,
            folder,
        })
    }
}

impl Installation {
    /// Starts the server.
    pub(crate) fn start_server(&mut self) -> anyhow::Result<()> {
        let address = |port| format!("{}:{port}", Ipv4Addr::LOCALHOST);
        let (grpc, http) = (address(self.grpc), address(self.http));
        let mut command = match self.setup.system {
            System::Muster { .. } => self.muster("muster-server")?,
            _ => programs::command("muster-bench"),
        };
        match self.setup.system {
            System::Echo => command.arg("echo-server"),
            System::Bare { pack } => command
                .args(["bare-server", "--redis", &self.redis_address()?])
                .args(["--pack", &pack.to_string()]),
            System::Muster { .. } => command.args(["--http", &http]),
        };
        command.args(["--listen", &grpc]);
        self.server = Some(Program::start("server", &mut command, &home::log("server")?)?);
        Ok(())
    }

    /// Waits until the server takes records.
    pub(crate) fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let Some(server) = &mut self.server else { bail!("there is no server") };
        if !matches!(self.setup.system, System::Muster { .. }) {
            return server.wait_for("ready", READY).map(drop);
        }
        let begun = Instant::now();
        while !self.is_ready() {
            ensure!(begun.elapsed() < READY, "the server is not ready within {READY:?}");
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Whether a server of Muster says that it is.
    pub(crate) fn is_ready(&self) -> bool {
        http::status(self.http, "/readyz") == Some(200)
    }

    /// Starts so many workers.
    pub(crate) fn start_workers(&mut self, count: usize) -> anyhow::Result<()> {
        let log = home::log("worker")?;
        match self.setup.system {
            System::Echo => {}
            System::Bare { pack } => {
                let mut command = programs::command("muster-bench");
                command.args(["bare-worker", "--redis", &self.redis_address()?]);
                command.args(["--workers", &count.to_string()]);
                command.args(["--count", &256_usize.div_ceil(pack).to_string()]);
                self.workers.push(Program::start("workers", &mut command, &log)?);
            }
            System::Muster { .. } => {
                for _ in 0..count {
                    let mut command = self.muster("muster-worker")?;
                    self.workers.push(Program::start("worker", &mut command, &log)?);
                }
            }
        }
        Ok(())
    }

    /// Waits until all workers are there.
    pub(crate) fn wait_for_workers(&mut self) -> anyhow::Result<()> {
        if let System::Muster { .. } = self.setup.system {
            let (begun, count) = (Instant::now(), self.workers.len() as u64);
            while self.store()?.workers()? < count {
                ensure!(begun.elapsed() < READY, "not {count} workers within {READY:?}");
                thread::sleep(BETWEEN_LOOKS);
            }
            return Ok(());
        }
        self.workers.iter_mut().try_for_each(|worker| worker.wait_for("ready", READY).map(drop))
    }

    /// A program of Muster, with the settings that all of them share.
    fn muster(&mut self, name: &str) -> anyhow::Result<Command> {
        let synced = matches!(self.setup.system, System::Muster { synced: true });
        let mut command = programs::command(name);
        command
            .args(["--durability", if synced { "synced" } else { "accepted" }])
            .args(["--store", &self.store()?.url(), "--roll"])
            .arg(self.folder.path())
            // The backlogs that are measured are longer than what may wait by default.
            .env("MUSTER_SERVER_BYTES_MAX", (1_u64 << 40).to_string());
        Ok(command)
    }

    fn redis_address(&mut self) -> anyhow::Result<String> {
        Ok(format!("{}:{}", Ipv4Addr::LOCALHOST, self.store()?.port()))
    }

    /// Where records are taken in.
    pub(crate) fn url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.grpc)
    }

    /// Its Redis.
    pub(crate) fn store(&mut self) -> anyhow::Result<&mut Store> {
        match &mut self.store {
            Some(store) => Ok(store),
            None => bail!("it has no Redis"),
        }
    }

    /// Waits until its roll has so many records. Returns when it had.
    pub(crate) fn wait_for_roll(&self, records: u64) -> anyhow::Result<f64> {
        let path = self.roll();
        wait_for(records, || Ok(roll::count(&path)))?;
        Ok(clock::now())
    }

    /// Where its roll is.
    pub(crate) fn roll(&self) -> PathBuf {
        self.folder.path().join("all_users.json")
    }

    /// Waits until so many records are stored. Returns when they were.
    pub(crate) fn wait_until_stored(&mut self, records: u64) -> anyhow::Result<f64> {
        let is_muster = matches!(self.setup.system, System::Muster { .. });
        let store = self.store()?;
        wait_for(records, || {
            if is_muster {
                let Totals { kept, dead, .. } = store.totals()?;
                Ok(kept + dead)
            } else {
                Ok(store.results()?)
            }
        })?;
        Ok(clock::now())
    }

    /// The processes of each of its parts, by the part's name.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Vec<u32>)> {
        let server = self.server.iter().map(Program::id).collect();
        let workers = self.workers.iter().map(Program::id).collect();
        let redis = self.store.iter().filter_map(Store::id).collect();
        vec![("server", server), ("workers", workers), ("redis", redis)]
    }

    /// Tells everything to end, and waits until it has.
    pub(crate) fn end(mut self) {
        self.workers.drain(..).for_each(Program::end);
        self.server.take().into_iter().for_each(Program::end);
    }
}

/// Waits until there are so many, as long as they become more.
pub(crate) fn wait_for(
    wanted: u64,
    mut count: impl FnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<()> {
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let now = count()?;
        if now >= wanted {
            return Ok(());
        }
        if now != last {
            (last, moved) = (now, Instant::now());
        }
        ensure!(moved.elapsed() < STILL_MAX, "it stands still at {now} of {wanted}");
        thread::sleep(BETWEEN_LOOKS);
    }
}
