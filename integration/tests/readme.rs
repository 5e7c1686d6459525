//! The README: what it tells a person to run works, and prints what it says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use muster_integration::wait;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// What a shell does before a command of the README: the programs are built already, Redis gets a
/// port of its own, and what runs in the background ends with the shell.
const PROLOGUE: &str = r#"
set -eu
cargo() {
    case "$*" in
        "build --release") ;;
        "run --release --bin "*) program=$4; shift 5; "target/release/$program" "$@" ;;
        *) echo "cargo $* is not known to this test" >&2; exit 1 ;;
    esac
}
redis-server() { exec redis-server --port "$REDIS_PORT" "$@"; }
trap 'code=$?; kill $(jobs -p) 2>/dev/null || true; wait; exit $code' EXIT
"#;

/// The README's shell blocks, in order.
fn blocks() -> Vec<String> {
    let readme = fs::read_to_string(project().join("README.md")).expect("there is a README");
    let blocks = readme.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder that looks like the project after a release build.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let examples = project().join("examples").canonicalize().expect("there are examples");
    symlink(examples, folder.path().join("examples")).expect("a link can be made");
    fs::create_dir(folder.path().join("target")).expect("a folder can be made");
    symlink(programs::profile_folder(), folder.path().join("target/release"))
        .expect("a link can be made");
    folder
}

/// Runs a block in a checkout, on ports that are free.
fn run(block: &str, checkout: &Path) -> Finished {
    let [redis, grpc, http] = [free_port(), free_port(), free_port()];
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("{PROLOGUE}{block}")).current_dir(checkout);
    shell.env("REDIS_PORT", redis.to_string());
    shell.env("MUSTER_SERVER_LISTEN", format!("127.0.0.1:{grpc}"));
    shell.env("MUSTER_SERVER_HTTP", format!("127.0.0.1:{http}"));
    shell.env("MUSTER_CLIENT_SERVER", format!("http://127.0.0.1:{grpc}"));
    Process::start("a block of the README", &mut shell).wait(LIMIT)
}

#[test]
fn the_first_command_does_the_whole_job_and_prints_what_is_shown() {
    let checkout = checkout();
    let finished = run(&blocks()[0], checkout.path()).expect_code(3);
    let readme = fs::read_to_string(project().join("README.md")).expect("there is a README");
    // Times and names differ from run to run; the other lines do not.
    let is_the_same_each_time =
        |line: &&str| !["accepted ", "batch "].iter().any(|changing| line.starts_with(changing));
    let printed = [finished.stderr.lines(), finished.stdout.lines()];
    for line in printed.into_iter().flatten().filter(is_the_same_each_time) {
        assert!(readme.contains(line), "the README does not show: {line}");
    }
    assert!(checkout.path().join("all_users.json").is_file());
}

#[test]
fn the_second_command_is_the_one_that_runs_this_test() {
    assert_eq!(blocks()[1].trim(), "script/test");
    assert!(project().join("script/test").is_file());
}

#[test]
fn the_distributed_run_writes_the_roll() {
    let checkout = checkout();
    let finished = run(&blocks()[2], checkout.path()).expect_code(3);
    assert!(finished.stdout.contains("295 records, 1 dead letter"), "{finished}");
    let roll = checkout.path().join("roll/all_users.json");
    wait::until(LIMIT, || roll.is_file().then_some(()), || "there is no roll".to_owned());
}
