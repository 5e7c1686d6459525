//! A Python client with generated stubs, as `proto/users.proto` has always had them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use muster_integration::http;
use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::programs::{self, target_folder};
use muster_integration::roll::{self, assert_roll};
use muster_integration::users::{User, Users, write_json};
use muster_integration::wait;
use tempfile::TempDir;

const INSTALL: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(60);
const SEND: Duration = Duration::from_secs(120);
/// Unary records become a batch once no more have come for a while.
const ROLL: Duration = Duration::from_secs(60);

#[test]
fn unary_calls_from_python_are_ok_and_reach_the_roll() {
    let installation = Installation::start();
    let sent = installation.send("unary", users(50)).expect_code(0);
    assert_eq!(sent.stdout, "50 ok");
    installation.assert_roll(users(50));
}

#[test]
fn a_client_stream_from_python_is_ok_and_reaches_the_roll() {
    let installation = Installation::start();
    let sent = installation.send("stream", users(2_000)).expect_code(0);
    assert_eq!(sent.stdout, "1 ok");
    installation.assert_roll(users(2_000));
}

#[test]
fn compressed_calls_from_python_are_ok_and_reach_the_roll() {
    for (method, compression, answer) in
        [("unary", "Deflate", "50 ok"), ("unary", "Gzip", "50 ok"), ("stream", "Gzip", "1 ok")]
    {
        let installation = Installation::start();
        let sent = installation.send_as(method, users(50), compression).expect_code(0);
        assert_eq!(sent.stdout, answer, "{method} {compression}");
        installation.assert_roll(users(50));
    }
}

fn users(count: usize) -> Vec<User> {
    Users::of_seed(61).take(count).collect()
}

/// Muster in one process, on the embedded store, and a Python client with fresh stubs.
struct Installation {
    python: PathBuf,
    grpc: u16,
    _muster: Process,
    folder: TempDir,
}

impl Installation {
    fn start() -> Self {
        let python = python();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        generate_stubs(&python, folder.path());
        let (grpc, http) = (free_port(), free_port());
        let mut command = programs::command("muster");
        command
            .arg("up")
            .args(["--listen", &format!("127.0.0.1:{grpc}")])
            .args(["--http", &format!("127.0.0.1:{http}")])
            .args(["--store", &format!("file:{}", folder.path().join("queue").display())])
            .arg("--roll")
            .arg(folder.path());
        let muster = Process::start("muster up", &mut command);
        wait::until(
            START,
            || (http::status(http, "/readyz") == Some(200)).then_some(()),
            || "muster up is not ready".to_owned(),
        );
        Self { python, grpc, _muster: muster, folder }
    }

    fn send(&self, method: &str, users: Vec<User>) -> Finished {
        self.send_as(method, users, "NoCompression")
    }

    fn send_as(&self, method: &str, users: Vec<User>, compression: &str) -> Finished {
        let input = self.folder.path().join("users.json");
        write_json(File::create(&input).expect("a new file can be made"), users)
            .expect("users can be written");
        let mut command = Command::new(&self.python);
        command
            .arg(folder_of_client().join("client.py"))
            .args([&format!("127.0.0.1:{}", self.grpc), method])
            .arg(input)
            .arg(compression)
            .env("PYTHONPATH", self.folder.path());
        Process::start("client.py", &mut command).wait(SEND)
    }

    fn assert_roll(&self, users: Vec<User>) {
        let path = self.folder.path().join("all_users.json");
        wait::until(
            ROLL,
            || (roll::count(&path) == users.len() as u64).then_some(()),
            || format!("the roll has {} of {} records", roll::count(&path), users.len()),
        );
        assert_roll(&path, users);
    }
}

fn folder_of_client() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
}

/// The Python of an environment that has what the client requires. It is made once, and again
/// when the requirements change.
fn python() -> PathBuf {
    let folder = target_folder().join("python-client");
    let environment = folder.join("venv");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // Another test may be making it.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock().expect("a file can be locked");

    let python = environment.join("bin").join("python");
    let requirements = folder_of_client().join("requirements.txt");
    let required = fs::read(&requirements).expect("the requirements can be read");
    let installed = folder.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == required) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment));
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(&requirements));
    fs::write(installed, required).expect("the target folder can be written");
    python
}

fn generate_stubs(python: &Path, folder: &Path) {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("proto");
    run(Command::new(python)
        .args(["-m", "grpc_tools.protoc", "-I"])
        .arg(&proto)
        .args(["--python_out", "."])
        .args(["--grpc_python_out", "."])
        .arg(proto.join("users.proto"))
        .current_dir(folder));
}

fn run(command: &mut Command) {
    let name = format!("{command:?}");
    Process::start(&name, command).wait(INSTALL).expect_code(0);
}
