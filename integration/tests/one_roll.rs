//! A store has one roll: a worker whose folder has another one, or none, says so and writes nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use muster_integration::disk::Disk;
use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::{EveryWrite, Memory};
use muster_integration::roll::assert_roll;
use muster_integration::skip::skip;
use muster_integration::stack::Stack;
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::{http, programs, system_calls, wait};
use serde_json::Value;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// How soon what is wrong must be said.
const SOON: Duration = Duration::from_secs(12);

const BATCH_RECORDS: usize = 5;

/// A store and a server, and workers with probes, each with a folder that a test chooses.
struct Place {
    stack: Stack,
    folder: TempDir,
}

/// A worker with probes.
struct Worker {
    process: Process,
    http: u16,
}

impl Place {
    fn start(stack: Stack) -> Self {
        let mut stack = stack;
        if stack.store.is_none() {
            stack.redis.start();
        }
        stack.start_server();
        stack.wait_until_ready();
        Self { stack, folder: TempDir::new().expect("there is room for a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn worker_command(&self, roll: &Path) -> Command {
        let mut command = programs::command("muster-worker");
        let store = self.stack.store.clone().unwrap_or_else(|| self.stack.redis.url());
        command.args(["--store", &store]).arg("--roll").arg(roll);
        command.envs(self.stack.environment.iter().cloned()).current_dir(self.folder.path());
        command
    }

    fn worker(&self, roll: &Path) -> Worker {
        self.worker_by(roll, Some).expect("nothing is in its way")
    }

    /// A worker whose command is changed before it is run.
    fn worker_by(
        &self,
        roll: &Path,
        change: impl Fn(Command) -> Option<Command>,
    ) -> Option<Worker> {
        let http = free_port();
        let mut command = self.worker_command(roll);
        command.args(["--http", &format!("127.0.0.1:{http}")]);
        Some(Worker { process: Process::start("worker", &mut change(command)?), http })
    }

    /// Runs `muster-worker roll accept` for this folder.
    fn accept(&self, roll: &Path) -> Finished {
        let mut command = self.worker_command(roll);
        command.args(["roll", "accept"]);
        Process::start("roll accept", &mut command).wait(LIMIT)
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = programs::command("muster-client");
        command.args(arguments);
        command.args(["--server", &format!("http://127.0.0.1:{}", self.stack.grpc_port())]);
        command
    }

    /// A client that sends the batch of this number, and waits until it is written.
    fn sender(&self, number: u64) -> Process {
        let path = self.path(&format!("{number}.ndjson"));
        let file = File::create(&path).expect("a file can be made");
        write_ndjson(file, users([number])).expect("the file can be written");
        let path = path.to_str().expect("the path of a test is text");
        let batch = format!("batch-{number}");
        let mut command = self.client(&["send", path, "--batch", &batch, "--wait"]);
        Process::start("muster-client", &mut command)
    }

    fn send(&self, number: u64) {
        self.sender(number).wait(LIMIT).expect_code(0);
    }

    fn shown(&self, arguments: &[&str]) -> Value {
        let shown = Process::start("muster-client", &mut self.client(arguments)).wait(LIMIT);
        serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {shown}"))
    }
}

impl Worker {
    /// Waits until the worker is not ready because of its roll. Returns what it says.
    fn wait_until_refused(&self) -> String {
        let refused = || match http::get(self.http, "/readyz") {
            Some((503, body)) if body.starts_with("the roll cannot be written: ") => Some(body),
            _ => None,
        };
        let body = wait::until(SOON, refused, || {
            format!("the worker answers {:?}", http::get(self.http, "/readyz"))
        });
        assert_eq!(http::status(self.http, "/livez"), Some(200), "it is alive");
        body
    }

    fn wait_until_ready(&self) {
        let ready = || http::status(self.http, "/readyz").filter(|status| *status == 200);
        wait::until(LIMIT, ready, || {
            format!("the worker answers {:?}", http::get(self.http, "/readyz"))
        });
    }
}

/// The records of batches.
fn users(batches: impl IntoIterator<Item = u64>) -> impl Iterator<Item = User> {
    batches.into_iter().flat_map(|batch| Users::of_seed(batch + 1).take(BATCH_RECORDS))
}

fn roll_in(folder: &Path) -> PathBuf {
    folder.join("all_users.json")
}

/// Copies the files of a folder into a new one.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        match path.file_name() {
            Some(name) if path.is_dir() => copy(&path, &to.join(name)),
            Some(name) => drop(fs::copy(&path, to.join(name)).expect("a file can be copied")),
            None => unreachable!("an entry has a name"),
        }
    }
}

#[test]
fn second_folder_is_not_ready_and_gets_no_batch() {
    let place = Place::start(Stack::prepare(Memory));
    let (first, second) = (place.path("first"), place.path("second"));
    let good = place.worker(&first);
    good.wait_until_ready();
    let mut bad = place.worker(&second);
    let said = bad.wait_until_refused();
    assert!(
        said.contains("with 0 batches, and this folder has no roll: it is not mounted"),
        "{said}"
    );
    assert!(said.contains("or accept this one with `muster-worker roll accept`"), "{said}");
    bad.process.wait_for_line("ERROR", LIMIT);

    (0..10).for_each(|number| place.send(number));
    assert_roll(&roll_in(&first), users(0..10));
    assert!(!roll_in(&second).exists());
    good.wait_until_ready();

    // The other folder is accepted, and the roles change.
    let accepted = place.accept(&second).expect_code(0);
    assert!(accepted.stdout.contains("all_users.json: begun as roll "), "{accepted}");
    let said = good.wait_until_refused();
    assert!(said.contains("the folder or the store belongs to another installation"), "{said}");
    bad.wait_until_ready();
    place.send(10);
    assert_roll(&roll_in(&second), users([10]));
}

#[test]
fn folder_that_is_moved_away_is_missed_until_it_is_back() {
    let place = Place::start(Stack::prepare(Memory));
    let (folder, aside) = (place.path("roll"), place.path("aside"));
    let worker = place.worker(&folder);
    place.send(0);
    fs::rename(&folder, &aside).unwrap();
    let said = worker.wait_until_refused();
    assert!(said.contains("with 1 batch, and this folder has no roll"), "{said}");

    let began = Instant::now();
    let mut sender = place.sender(1);
    sender.wait_for_line("batch batch-1 waits: the worker on ", SOON);
    assert!(began.elapsed() < SOON && !folder.exists());
    let batch = place.shown(&["batch", "show", "batch-1", "--json"]);
    assert!(batch["waiting_for"].as_str().unwrap().contains("cannot write the roll"), "{batch}");
    let stats = place.shown(&["stats", "--json"]);
    let roll = &stats["roll"];
    assert_eq!((&roll["unwritten_batches"], &roll["processes_failing"]), (&1.into(), &1.into()));
    assert!(roll["problem"].as_str().unwrap().contains("this folder has no roll"), "{stats}");
    let workers = place.shown(&["workers", "--json"]);
    assert!(workers["roll_problem"].as_str().unwrap().contains("has no roll"), "{workers}");
    let page = http::get(place.stack.http_port(), "/").unwrap().1;
    assert!(page.contains("cannot write the roll"), "{page}");
    let metrics = http::get(place.stack.http_port(), "/metrics").unwrap().1;
    for line in ["muster_roll_unwritten_batches 1", "muster_roll_failing_processes 1"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let metrics = http::get(worker.http, "/metrics").unwrap().1;
    let failures =
        metrics.lines().find_map(|line| line.strip_prefix("muster_roll_failures_total "));
    assert!(
        failures.and_then(|count| count.parse().ok()).is_some_and(|count: u64| count > 0),
        "{metrics}"
    );

    fs::rename(&aside, &folder).unwrap();
    sender.wait(LIMIT).expect_code(0);
    worker.wait_until_ready();
    assert_roll(&roll_in(&folder), users([0, 1]));
}

#[test]
fn older_roll_is_refused_and_its_missing_batches_are_named() {
    let place = Place::start(Stack::prepare(Memory));
    let (folder, old) = (place.path("roll"), place.path("old"));
    let worker = place.worker(&folder);
    place.send(0);
    copy(&folder, &old);
    (1..4).for_each(|number| place.send(number));
    fs::rename(&folder, place.path("new")).unwrap();
    fs::rename(&old, &folder).unwrap();
    let said = worker.wait_until_refused();
    assert!(said.contains("with 4 batches, and this folder has roll"), "{said}");
    for batch in ["batch-1", "batch-2", "batch-3"] {
        assert!(said.contains(batch), "{batch}: {said}");
    }
    assert!(!said.contains("batch-0"), "{said}");

    let accepted = place.accept(&folder).expect_code(0);
    assert!(accepted.stdout.contains("(5 records, 1 batches)"), "{accepted}");
    worker.wait_until_ready();
    place.send(4);
    assert_roll(&roll_in(&folder), users([0, 4]));
}

/// With `synced`, the store keeps everything that it acknowledged: only an older copy lacks batches.
#[test]
fn older_store_is_refused_and_no_batch_is_written_twice() {
    let data = TempDir::new().unwrap();
    let mut stack = Stack::prepare(EveryWrite);
    stack.redis =
        muster_integration::redis_server::RedisServer::prepare_in(EveryWrite, data.path());
    stack.environment.push(("MUSTER_DURABILITY".to_owned(), "synced".to_owned()));
    let mut place = Place::start(stack);
    let folder = place.path("roll");
    let worker = place.worker(&folder);
    place.send(0);
    let old = place.path("old");
    copy(data.path(), &old);
    (1..4).for_each(|number| place.send(number));
    place.stack.redis.kill();
    for entry in fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
    }
    fs::remove_dir(data.path()).unwrap();
    copy(&old, data.path());
    place.stack.redis.start();

    let said = worker.wait_until_refused();
    assert!(said.contains("the store is an older copy"), "{said}");
    place.accept(&folder).expect_code(0);
    worker.wait_until_ready();
    // The store has forgotten the batch; the roll has not.
    place.send(3);
    place.send(4);
    assert_roll(&roll_in(&folder), users(0..5));
}

#[test]
fn store_that_was_emptied_is_refused() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let worker = place.worker(&folder);
    place.send(0);
    muster_integration::resp::ask::<()>(place.stack.redis.port(), &["FLUSHALL"]).unwrap();
    let said = worker.wait_until_refused();
    assert!(said.contains("and the store knows no roll: the store was emptied"), "{said}");
    place.accept(&folder).expect_code(0);
    worker.wait_until_ready();
    place.send(0);
    place.send(1);
    assert_roll(&roll_in(&folder), users([0, 1]));
}

#[test]
fn edited_roll_is_refused_until_it_is_accepted() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let worker = place.worker(&folder);
    place.send(0);
    let text = fs::read_to_string(roll_in(&folder)).unwrap();
    fs::write(roll_in(&folder), text.replace("[\n", "[\n{\"id\":1},\n")).unwrap();
    let said = worker.wait_until_refused();
    assert!(
        said.contains("all_users.json is not what its manifest says: something was added to it"),
        "{said}"
    );
    let accepted = place.accept(&folder).expect_code(0);
    assert!(accepted.stdout.contains("accepted with a new manifest"), "{accepted}");
    assert!(accepted.stdout.contains("(6 records, 1 batches)"), "{accepted}");
    worker.wait_until_ready();
    place.send(1);
}

#[test]
fn full_disk_is_said_and_heals() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let disk = match Disk::mount(&folder, 8 << 20) {
        Ok(disk) => disk,
        Err(problem) => return skip(&problem),
    };
    let worker = place.worker(&folder);
    place.send(0);
    disk.fill();
    let mut sender = place.sender(1);
    sender.wait_for_line("No space left on device", SOON);
    let said = worker.wait_until_refused();
    assert!(said.contains("No space left on device"), "{said}");
    disk.free();
    sender.wait(LIMIT).expect_code(0);
    worker.wait_until_ready();
    assert_roll(&roll_in(&folder), users([0, 1]));
}

/// A file system that cannot be written is said before the first batch comes.
#[test]
fn folder_that_cannot_be_written_is_said_at_start() {
    let place = Place::start(Stack::prepare(Memory));
    let blocked = place.path("file");
    fs::write(&blocked, "not a folder").unwrap();
    let worker = place.worker(&blocked.join("roll"));
    let said = worker.wait_until_refused();
    assert!(said.contains("cannot ") && said.contains("Not a directory"), "{said}");
    fs::remove_file(&blocked).unwrap();
    worker.wait_until_ready();
    place.send(0);
    assert_roll(&roll_in(&blocked.join("roll")), users([0]));
}

#[test]
fn lock_that_another_process_keeps_is_said_with_its_holder() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let worker = place.worker(&folder);
    place.send(0);
    let lock = File::options().append(true).open(folder.join("all_users.lock")).unwrap();
    lock.lock().unwrap();
    let mut sender = place.sender(1);
    let said = worker.wait_until_refused();
    let holder = format!("makes no progress: process {} on ", worker.process.id());
    assert!(said.contains(&holder), "the last one that named itself: {said}");
    sender.wait_for_line("another writer has locked the roll", SOON);
    drop(lock);
    sender.wait(LIMIT).expect_code(0);
    worker.wait_until_ready();
    assert_roll(&roll_in(&folder), users([0, 1]));
}

/// As on some network file systems.
#[test]
fn folder_that_cannot_be_synced_costs_one_warning() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let traced = |command| system_calls::inject(&command, "fsync", &folder, "error=EINVAL");
    let Some(mut worker) = place.worker_by(&folder, traced) else { return };
    const WARNING: &str = "the file system of the roll cannot sync folders";
    worker.process.wait_for_line(WARNING, LIMIT);
    worker.wait_until_ready();
    place.send(0);
    place.send(1);
    assert_roll(&roll_in(&folder), users([0, 1]));
    assert_eq!(worker.process.lines().matches(WARNING).count(), 1);
}

/// As on NFS without its lock daemon.
#[test]
fn folder_without_locks_is_said() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let lock = folder.join("all_users.lock");
    let traced = |command| system_calls::inject(&command, "flock", &lock, "error=ENOLCK");
    let Some(worker) = place.worker_by(&folder, traced) else { return };
    let said = worker.wait_until_refused();
    assert!(said.contains("its file system has no locks"), "{said}");
}

#[test]
fn lock_that_hangs_is_said_and_blocks_no_probe() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let lock = folder.join("all_users.lock");
    const HUNG: &str = "the file system of its folder does not answer";
    // In microseconds: longer than what follows takes.
    let traced = |command| system_calls::inject(&command, "flock", &lock, "delay_enter=20000000");
    let Some(worker) = place.worker_by(&folder, traced) else { return };
    let mut sender = place.sender(0);
    let said = worker.wait_until_refused();
    assert!(said.contains(HUNG), "{said}");
    sender.wait_for_line(HUNG, SOON);
}

#[test]
fn installations_with_different_key_prefixes_share_a_store() {
    let mut places: Vec<Place> = Vec::new();
    for prefix in ["acme", "other"] {
        let mut stack = Stack::prepare(Memory);
        stack.environment.push(("MUSTER_KEY_PREFIX".to_owned(), prefix.to_owned()));
        if let Some(first) = places.first() {
            stack.store = Some(first.stack.redis.url());
        }
        places.push(Place::start(stack));
    }
    let workers: Vec<Worker> =
        places.iter().map(|place| place.worker(&place.path("roll"))).collect();
    for (place, number) in places.iter().zip(0..) {
        place.send(number);
    }
    for ((place, worker), number) in places.iter().zip(&workers).zip(0..) {
        worker.wait_until_ready();
        assert_roll(&roll_in(&place.path("roll")), users([number]));
    }
    let port = places[0].stack.redis.port();
    let keys: Vec<String> = muster_integration::resp::ask(port, &["KEYS", "*"]).unwrap();
    let is_of_one = |key: &String| key.starts_with("{acme}:") || key.starts_with("{other}:");
    assert!(keys.iter().all(is_of_one), "{keys:?}");
}

#[test]
fn roll_is_rotated_while_workers_run() {
    let place = Place::start(Stack::prepare(Memory));
    let folder = place.path("roll");
    let worker = place.worker(&folder);
    (0..3).for_each(|number| place.send(number));
    let mut command = place.worker_command(&folder);
    command.args(["roll", "rotate"]);
    let rotated = Process::start("roll rotate", &mut command).wait(LIMIT).expect_code(0);
    assert!(rotated.stdout.contains("(15 records, 3 batches)"), "{rotated}");
    (3..5).for_each(|number| place.send(number));
    assert_roll(&roll_in(&folder), users(3..5));
    let kept = rotated.stdout.split("kept as ").nth(1).and_then(|text| text.split(" (").next());
    assert_roll(Path::new(kept.unwrap()), users(0..3));
    worker.wait_until_ready();
}
