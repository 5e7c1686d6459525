//! Other queues on the same job: each record is pushed to a list by one of five workers.
//!
//! Each is a folder in `bench/peers` with a program `peer` and a description `peer.toml`;
//! bench/README.md says what they do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use muster_integration::redis_server::Durability;
use serde::Deserialize;

use crate::case::Case;
use crate::figures::{self, Figures};
use crate::home;
use crate::installation::wait_for;
use crate::measure::Cost;
use crate::program::Program;
use crate::store::Store;
use crate::{clock, records};

/// How many workers each has.
const WORKERS: usize = 5;
/// How long a peer may take to be installed.
const SETUP: Duration = Duration::from_secs(1800);
/// How long its workers may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to send.
const SEND: Duration = Duration::from_secs(600);
/// With this a peer says that it cannot be had here.
const CANNOT_BE_HAD: i32 = 3;
/// How many records the file has; more are those again.
const FILE_RECORDS: usize = 10_000;

/// A peer, or a variant of it, that is installed.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    name: String,
    title: String,
    records: usize,
    environment: BTreeMap<String, String>,
    program: Rc<PathBuf>,
    folder: Rc<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) peers: Vec<Peer>,
    /// What is installed, and its version.
    pub(crate) versions: Vec<(String, String)>,
    /// What cannot be had here, and why.
    pub(crate) missing: Vec<(String, String)>,
}

/// `peer.toml`.
#[derive(Debug, Deserialize)]
struct Description {
    title: String,
    /// How many records a run has.
    records: usize,
    #[serde(default)]
    variants: Vec<Variant>,
}

#[derive(Debug, Default, Deserialize)]
struct Variant {
    name: String,
    title: Option<String>,
    records: Option<usize>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// What `peer setup` prints.
#[derive(Debug, Deserialize)]
struct Installed {
    name: String,
    version: String,
    runtime: String,
}

/// Installs those of this name, or all, each with so many records a run at most.
pub(crate) fn find(names: Option<&[String]>, records_max: usize) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries.iter().filter(|entry| entry.join("peer.toml").is_file()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if names.is_some_and(|names| !names.contains(&name)) {
            continue;
        }
        let description = fs::read_to_string(entry.join("peer.toml"))?;
        let description: Description = toml::from_str(&description)
            .with_context(|| entry.join("peer.toml").display().to_string())?;
        match setup(&name, entry) {
            Ok((installed, program, folder)) => {
                let Installed { name: product, version, runtime } = installed;
                found.versions.push((product, format!("{version} ({runtime})")));
                let (program, folder) = (Rc::new(program), Rc::new(folder));
                let peers = description.variants(&name, &program, &folder, records_max);
                found.peers.extend(peers);
            }
            Err(why) => found.missing.push((description.title, format!("{why:#}"))),
        }
    }
    Ok(found)
}

impl Description {
    fn variants(
        self,
        name: &str,
        program: &Rc<PathBuf>,
        folder: &Rc<PathBuf>,
        records_max: usize,
    ) -> Vec<Peer> {
        let Self { title, records, mut variants } = self;
        let is_one = variants.is_empty();
        if is_one {
            variants.push(Variant::default());
        }
        let peer = |variant: Variant| {
            let Variant { name: of, title: more, records: own, env } = variant;
            let more = more.unwrap_or_else(|| of.clone());
            Peer {
                name: if is_one { format!("peer {name}") } else { format!("peer {name} {of}") },
                title: if is_one { title.clone() } else { format!("{title}, {more}") },
                records: own.unwrap_or(records).min(records_max),
                environment: env,
                program: Rc::clone(program),
                folder: Rc::clone(folder),
            }
        };
        variants.into_iter().map(peer).collect()
    }
}

fn setup(name: &str, entry: &Path) -> anyhow::Result<(Installed, PathBuf, PathBuf)> {
    let (program, folder) = (entry.join("peer"), home::sub("peers")?.join(name));
    fs::create_dir_all(&folder)?;
    let log = home::log(&format!("{name}-setup"))?;
    // What it says there is why it cannot be had, if it cannot.
    let _ = fs::remove_file(&log);
    let mut command = Command::new(&program);
    command.arg("setup").arg(&folder);
    let ended = Program::start(&format!("{name} setup"), &mut command, &log)?.wait(SETUP)?;
    if !ended.status.success() {
        let said = fs::read_to_string(&log).unwrap_or_default();
        let why = said.trim().lines().last().unwrap_or("it did not say why").to_owned();
        match ended.status.code() {
            Some(CANNOT_BE_HAD) => bail!("{why}"),
            _ => bail!("its setup failed, {}: {why}", ended.status),
        }
    }
    let installed = ended.output.lines().last().unwrap_or_default();
    let installed = serde_json::from_str(installed)
        .with_context(|| format!("what its setup says: {installed:?}"))?;
    Ok((installed, program, folder))
}

impl Peer {
    pub(crate) fn into_case(self) -> Case {
        Case::new(self.name.clone(), self.title.clone(), move || self.run())
    }

    fn command(&self, what: &str, store: &Store) -> Command {
        let mut command = Command::new(self.program.as_path());
        command.envs(&self.environment).arg(what).arg(self.folder.as_path());
        command.arg(store.port().to_string());
        command
    }

    fn run(&self) -> anyhow::Result<Figures> {
        let file = home::sub("records")?.join("peers.ndjson");
        if !file.exists() {
            records::write_ndjson(fs::File::create(&file)?, FILE_RECORDS)?;
        }
        let scratch = home::scratch()?;
        let mut store = Store::start(Durability::Memory, scratch.path())?;
        let log = home::log(&self.name.replace(' ', "-"))?;
        let mut work = self.command("work", &store);
        work.arg(WORKERS.to_string());
        let mut workers = Program::start("workers", &mut work, &log)?;
        workers.wait_for("ready", READY)?;

        let redis = store.id().into_iter().collect();
        let cost = Cost::begin(vec![("workers", vec![workers.id()]), ("redis", redis)]);
        let mut send = self.command("send", &store);
        send.arg(&file).arg(self.records.to_string());
        let mut sender = Program::start("sender", &mut send, &log)?;
        let began = sender.wait_for("sending", READY)?;
        let total = self.records as u64;
        wait_for(total, || Ok(store.results()?))?;
        let stored = clock::now();
        let sent = sender.wait_for("sent", SEND)?;
        let mut figures = cost.end(self.records, sent.usage.cpu);

        let records = self.records as f64;
        let client = (sent.usage.cpu - began.usage.cpu) * 1e6 / records;
        figures.insert(figures::cpu("client"), client);
        figures.insert(figures::peak("client"), sent.usage.peak);
        figures.insert(figures::RATE.to_owned(), records / (stored - began.at));
        figures.insert(figures::ACCEPTED_RATE.to_owned(), records / (sent.at - began.at));
        let results = store.results()?;
        ensure!(results == total, "{results} results of {total} records");
        sender.wait(SEND)?;
        workers.end();
        Ok(figures)
    }
}
