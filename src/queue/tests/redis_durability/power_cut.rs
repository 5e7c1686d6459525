//! What is left of the store on Redis when the power is cut: what the server has synced.
//!
//! A small library notes how long each file was at its last sync. A power cut is then a kill, and the
//! end of the append-only file that was not synced is cut off.

use std::collections::HashMap;
use std::fs::{self, File};
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use muster_queue::redis::RedisQueue;
use muster_queue::{
    BatchId, BatchOptions, Durability, Error, KeyPrefix, Limits, NewChunk, Queue, StoreOptions,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::places;
use crate::redis_server::RedisServer;

const SYNCED: StoreOptions = StoreOptions {
    durability: Durability::Synced,
    replicas: NonZeroU8::MIN,
    limits: Limits::NONE,
    key_prefix: KeyPrefix::DEFAULT,
    connect_timeout: StoreOptions::CONNECT_TIMEOUT,
};

/// How long each sync takes longer than it does here.
const SYNC: Duration = Duration::from_millis(20);

/// How many senders are at work when the power is cut.
const SENDERS: usize = 8;

/// A server whose power can be cut.
struct Machine {
    server: RedisServer,
    syncs: PathBuf,
    _library: TempDir,
}

impl Machine {
    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (library, syncs) = (folder.path().join("note_syncs.so"), folder.path().join("syncs"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/note_syncs.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(compiled.unwrap().success(), "{} is not compiled", source.display());
        let environment = [
            ("LD_PRELOAD", library.display().to_string()),
            ("SYNCS", syncs.display().to_string()),
            ("SYNC_MS", SYNC.as_millis().to_string()),
        ];
        let server = RedisServer::start_in(options, &environment);
        Self { server, syncs, _library: folder }
    }

    /// Cuts the power, and turns it on again. Returns how many bytes were lost.
    fn cut_power(&mut self) -> u64 {
        self.server.kill();
        let synced = self.synced();
        let mut lost = 0;
        for path in append_only_files(self.server.folder()) {
            let file = File::options().write(true).open(&path).unwrap();
            let (len, synced) = (file.metadata().unwrap().len(), synced.get(&path).unwrap_or(&0));
            lost += len - synced;
            file.set_len(*synced).unwrap();
        }
        self.server.start_again();
        lost
    }

    /// How long each file was at its last sync, at least.
    fn synced(&self) -> HashMap<PathBuf, u64> {
        let mut synced = HashMap::new();
        for line in fs::read_to_string(&self.syncs).unwrap().split_inclusive('\n') {
            // The last line may be cut off.
            let Some((len, path)) = line.strip_suffix('\n').and_then(|line| line.split_once(' '))
            else {
                continue;
            };
            let longest = synced.entry(PathBuf::from(path)).or_insert(0);
            *longest = len.parse::<u64>().unwrap().max(*longest);
        }
        synced
    }
}

/// The files that a server appends to: one, or since Redis 7 those in a folder that are no base.
fn append_only_files(folder: &Path) -> Vec<PathBuf> {
    let folders = [folder.to_owned(), folder.join("appendonlydir")];
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let is_appended = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".incr.aof") || name == "appendonly.aof"
    };
    files.map(|file| file.unwrap().path().canonicalize().unwrap()).filter(is_appended).collect()
}

/// Whether the records that WAITAOF confirmed survive a power cut. `None` if the server does not have the
/// command.
async fn keeps_what_waitaof_promises(machine: &mut Machine) -> Option<bool> {
    let client = redis::Client::open(machine.server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut kept = 0;
    for key in 0..10 {
        redis::cmd("SET").arg(key).arg(1).query_async::<()>(&mut connection).await.unwrap();
        let wait = redis::cmd("WAITAOF").arg(1).arg(0).arg(400).take();
        let (synced, _): (u64, u64) = match wait.query_async(&mut connection).await {
            Ok(answer) => answer,
            Err(error) if error.to_string().contains("unknown command") => return None,
            // It has waited longer than a client of the crate does.
            Err(_) => break,
        };
        if synced == 0 {
            break;
        }
        kept += 1;
    }
    machine.cut_power();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let there: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
    Some(there >= kept)
}

/// The table of servers is what a power cut shows: one whose WAITAOF answers too early is refused.
#[tokio::test]
async fn server_whose_waitaof_answers_before_the_sync_is_refused() {
    let every_second = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let mut machine = Machine::start(&every_second);
    let queue = RedisQueue::connect(&machine.server.url(), &SYNCED).await.unwrap();
    let is_used = match queue.ping().await {
        Ok(()) => true,
        Err(Error::Misconfigured { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    let keeps = keeps_what_waitaof_promises(&mut machine).await;
    assert_eq!(is_used, keeps == Some(true), "WAITAOF keeps what it promises: {keeps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn synced_outlives_a_power_cut_with_threads_for_connections_or_without() {
    for threads in ["1", "4"] {
        let always = ["--appendonly", "yes", "--appendfsync", "always", "--io-threads", threads];
        outlives_a_power_cut(&always).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn synced_outlives_a_power_cut_with_a_sync_each_second_or_is_refused() {
    let every_second = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let machine = Machine::start(&every_second);
    let queue = RedisQueue::connect(&machine.server.url(), &SYNCED).await.unwrap();
    if queue.ping().await.is_ok() {
        outlives_a_power_cut(&every_second).await;
    }
}

/// Cuts the power while several senders are at work: all that was answered is there afterwards.
async fn outlives_a_power_cut(options: &[&str]) {
    let mut machine = Machine::start(options);
    let queue = RedisQueue::connect(&machine.server.url(), &SYNCED).await.unwrap();
    let queue = Arc::new(queue);
    let mut senders = JoinSet::new();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    for sender in 0..SENDERS {
        let (queue, tell) = (Arc::clone(&queue), tell.clone());
        senders.spawn(async move {
            let id: BatchId = format!("sender-{sender}").parse().unwrap();
            queue.open(&id, &BatchOptions::default()).await.unwrap();
            let mut accepted = 0;
            while append(&queue, &id, accepted).await.is_ok() {
                accepted += 1;
                let _ = tell.send(());
            }
            (id, accepted)
        });
    }
    for _ in 0..20 * SENDERS {
        told.recv().await.unwrap();
    }
    let cut = tokio::task::spawn_blocking(move || {
        machine.cut_power();
        machine
    });
    let machine = cut.await.unwrap();
    while let Some(sender) = senders.join_next().await {
        let (id, accepted) = sender.unwrap();
        let batch = loop {
            match queue.batch(&id).await {
                Ok(batch) => break batch,
                // The first steps notice that connections are lost.
                Err(error) => assert!(matches!(error, Error::Unavailable { .. }), "{error}"),
            }
        };
        let there = batch.map_or(0, |batch| batch.received);
        assert!(there >= accepted, "{options:?}: {id} has {there} of {accepted} records");
    }
    drop(machine);
}

async fn append(queue: &RedisQueue, id: &BatchId, first: u64) -> Result<(), Error> {
    let (places, payload) = (places::from(first, 1), format!("record {first}").into());
    let chunk = NewChunk { places, count: 1, payload, trace: None };
    queue.append(id, &[chunk]).await.map(drop)
}
