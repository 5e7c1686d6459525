//! The store in a file, on a disk that is full: `muster run` ends, and `muster up` goes on later.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_integration::disk::Disk;
use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::roll::assert_roll;
use muster_integration::skip::skip;
use muster_integration::stack::SEND;
use muster_integration::users::{User, Users, write_json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);
/// Room for the records of a test three times: in the input, in the queue, and in the roll.
const DISK_BYTES: u64 = 64 << 20;
const RECORDS: usize = 30_000;
/// What the system says of a full disk.
const FULL: &str = "No space left on device";

/// A disk of its own, and an input that is elsewhere.
struct Place {
    disk: Disk,
    on_disk: PathBuf,
    input: PathBuf,
    _folder: TempDir,
}

/// `None` where this user may not mount a disk, with words.
fn place() -> Option<Place> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (on_disk, input) = (folder.path().join("disk"), folder.path().join("users.json"));
    let file = BufWriter::new(File::create(&input).expect("a new file can be made"));
    write_json(file, users()).expect("users can be written");
    match Disk::mount(&on_disk, DISK_BYTES) {
        Ok(disk) => Some(Place { disk, on_disk, input, _folder: folder }),
        Err(problem) => {
            skip(&problem);
            None
        }
    }
}

fn users() -> impl Iterator<Item = User> {
    Users::of_seed(71).take(RECORDS)
}

fn entries_of(folder: &Path) -> usize {
    fs::read_dir(folder).expect("the folder can be read").count()
}

#[test]
fn a_run_without_room_ends_with_1_and_says_why() {
    let Some(Place { disk, on_disk, input, _folder }) = place() else { return };
    let roll = on_disk.join("all_users.json");
    let run = || {
        let mut command = programs::command("muster");
        command.arg("run").arg(&input).arg("--output").arg(&roll);
        Process::start("muster run", &mut command).wait(LIMIT)
    };
    // From no room at all to nearly enough: for the queue's file, for its records, for the roll.
    for room in [0, 64 << 10, 2 << 20, 8 << 20] {
        disk.fill_but(room);
        let finished = run().expect_code(1);
        assert!(finished.stderr.contains(FULL), "with room of {room} bytes: {finished}");
        disk.free();
        assert_eq!(entries_of(&on_disk), 0, "with room of {room} bytes");
    }
    run().expect_code(0);
    assert_roll(&roll, users());
}

#[test]
fn what_stays_takes_records_again_when_there_is_room() {
    let Some(Place { disk, on_disk, input, _folder }) = place() else { return };
    let address = format!("127.0.0.1:{}", free_port());
    let mut up = programs::command("muster");
    up.args(["up", "--listen", &address, "--http", "127.0.0.1:0"]).current_dir(&on_disk);
    let mut up = Process::start("muster up", &mut up);
    up.wait_for_line("starting", LIMIT);
    disk.fill_but(2 << 20);
    let mut send = programs::command("muster-client");
    send.arg("send").arg(&input).args(["--wait", "--server", &format!("http://{address}")]);
    let client = Process::start("muster-client", &mut send);
    up.wait_for_line(FULL, LIMIT);
    disk.free();
    client.wait(SEND).expect_code(0);
    assert_roll(&on_disk.join("all_users.json"), users());
    up.terminate();
    up.wait(LIMIT).expect_code(0);
}
