//! What a million records cost.

use std::fs::File;
use std::io::BufWriter;
use std::iter::Take;
use std::time::Duration;

use muster_integration::process::{Process, peak_memory_of_children};
use muster_integration::programs;
use muster_integration::roll::assert_roll;
use muster_integration::summary::Summary;
use muster_integration::users::{Users, write_json};

const RECORDS: usize = 1_000_000;
const PEAK_MIB_MAX: u64 = 200;
const LIMIT: Duration = Duration::from_secs(600);

fn users() -> Take<Users> {
    Users::of_seed(51).take(RECORDS)
}

#[test]
fn a_million_records_pass_through_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("users.json");
    write_json(BufWriter::new(File::create(&input).unwrap()), users()).unwrap();
    let roll = folder.path().join("all_users.json");

    let mut command = programs::command("muster");
    command.arg("run").arg(&input).arg("--output").arg(&roll).arg("--json");
    // The scratch store is as large as the input: it goes where there is room for that.
    command.env("TMPDIR", folder.path());
    let finished = Process::start("muster run", &mut command).wait(LIMIT).expect_code(0);

    let peak_mib = peak_memory_of_children() >> 20;
    assert!(peak_mib < PEAK_MIB_MAX, "{peak_mib} MiB at the peak");
    let manifest = assert_roll(&roll, users());
    let summary = Summary::of(&finished);
    assert_eq!(summary.records, Some(RECORDS as u64));
    assert_eq!(summary.sha256, Some(manifest.sha256));
}
