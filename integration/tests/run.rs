//! `muster run`: the whole job in one process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use muster_integration::examples;
use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use muster_integration::roll::assert_roll;
use muster_integration::summary::{Manifest, Summary};
use muster_integration::users::{User, Users, write_json, write_ndjson};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A folder with an output, and a folder for what is temporary.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("there is room for a folder") };
        for folder in [desk.output_folder(), desk.scratch()] {
            fs::create_dir(folder).expect("a new folder can be made");
        }
        desk
    }

    fn output_folder(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    fn roll(&self) -> PathBuf {
        self.output_folder().join("all_users.json")
    }

    fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    /// A file of input, of what `write` writes.
    fn input(&self, name: &str, write: impl FnOnce(&mut File)) -> PathBuf {
        let path = self.folder.path().join(name);
        write(&mut File::create(&path).expect("a new file can be made"));
        path
    }

    fn command(&self) -> Command {
        let mut command = programs::command("muster");
        command.arg("run").env("TMPDIR", self.scratch()).current_dir(self.folder.path());
        command
    }

    fn run(&self, input: &Path, options: &[&str]) -> Finished {
        let mut command = self.command();
        command.arg(input).arg("--output").arg(self.roll()).args(options);
        Process::start("muster run", &mut command).wait(LIMIT)
    }
}

fn users(count: usize) -> Vec<User> {
    Users::of_seed(11).take(count).collect()
}

/// The names in a folder, in order.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a folder can be read").file_name())
        .map(|name| name.into_string().expect("a name is UTF-8"))
        .collect();
    names.sort_unstable();
    names
}

/// A line that has all of these words.
fn line_with<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    text.lines().find(|line| words.iter().all(|word| line.contains(word)))
}

#[test]
fn the_examples_become_the_expected_roll_and_exit_3() {
    let desk = Desk::new();
    desk.run(&examples::folder(), &[]).expect_code(3);
    assert_roll(&desk.roll(), examples::kept());
}

#[test]
fn the_report_names_file_line_and_reason_of_what_is_not_in_the_roll() {
    let desk = Desk::new();
    let finished = desk.run(&examples::folder(), &[]).expect_code(3);
    for words in [
        // The 28th line is the last, and ends in the middle of a record.
        [examples::TRUNCATED, "28"],
        [examples::WRONG_TYPE, "17"],
        ["17", "email"],
    ] {
        assert!(line_with(&finished.stderr, &words).is_some(), "no {words:?} in {finished}");
    }
    // The twin: what is in the roll is in no report.
    for name in ["1.json:", "3.json:", "7.ndjson:"] {
        assert!(!finished.stderr.contains(&format!("/{name}")), "{name} in {finished}");
    }
}

#[test]
fn the_roll_is_the_same_whatever_the_number_of_workers_and_however_often() {
    let desk = Desk::new();
    let mut rolls = Vec::new();
    for workers in ["1", "5", "16", "16"] {
        desk.run(&examples::folder(), &["--workers", workers]).expect_code(3);
        rolls.push(fs::read(desk.roll()).unwrap());
    }
    assert!(rolls.iter().all(|roll| *roll == rolls[0]), "the rolls differ");
    assert_roll(&desk.roll(), examples::kept());
}

#[test]
fn the_summary_has_every_number() {
    let desk = Desk::new();
    let finished = desk.run(&examples::folder(), &["--json"]).expect_code(3);
    let summary = Summary::of(&finished);
    let manifest = Manifest::of(&desk.roll());
    assert_eq!(summary.files, examples::all().len() as u64);
    assert_eq!(summary.accepted, examples::ACCEPTED);
    assert_eq!(summary.rejected, examples::REJECTED);
    assert_eq!(summary.dead, Some(examples::DEAD));
    assert_eq!(summary.records, Some(examples::ACCEPTED - examples::DEAD));
    assert_eq!(summary.records, Some(manifest.records));
    assert_eq!(summary.sha256, Some(manifest.sha256));
    assert!(summary.seconds > 0.0);
}

#[test]
fn clean_input_exits_0() {
    let desk = Desk::new();
    let input = desk.input("users.json", |file| write_json(file, users(1_000)).unwrap());
    desk.run(&input, &[]).expect_code(0);
    assert_roll(&desk.roll(), users(1_000));
}

#[test]
fn an_empty_array_becomes_an_empty_roll() {
    let desk = Desk::new();
    let input = desk.input("users.json", |file| write_json(file, []).unwrap());
    desk.run(&input, &[]).expect_code(0);
    assert_eq!(fs::read_to_string(desk.roll()).unwrap(), "[\n]\n");
    assert_roll(&desk.roll(), []);
}

#[test]
fn lines_on_standard_input_are_taken() {
    let desk = Desk::new();
    let input = desk.input("users.ndjson", |file| write_ndjson(file, users(1_000)).unwrap());
    let mut command = desk.command();
    command.arg("-").arg("--output").arg(desk.roll());
    let stdin = Stdio::from(File::open(input).unwrap());
    Process::start_with_input("muster run", &mut command, stdin).wait(LIMIT).expect_code(0);
    assert_roll(&desk.roll(), users(1_000));
}

#[test]
fn only_the_roll_and_its_manifest_stay_behind() {
    let desk = Desk::new();
    desk.run(&examples::folder(), &[]).expect_code(3);
    assert_eq!(names_in(&desk.output_folder()), ["all_users.json", "all_users.manifest.json"]);
    assert!(names_in(&desk.scratch()).is_empty(), "{:?}", names_in(&desk.scratch()));
}

#[test]
fn no_input_is_a_usage_error_that_names_it() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.arg("--output").arg(desk.roll());
    let finished = Process::start("muster run", &mut command).wait(LIMIT).expect_code(2);
    assert!(finished.stderr.contains("INPUT"), "{finished}");
}

#[test]
fn a_missing_file_is_a_usage_error_that_names_it_and_writes_nothing() {
    let desk = Desk::new();
    let finished = desk.run(Path::new("no-such-users.json"), &[]).expect_code(2);
    assert!(finished.stderr.contains("no-such-users.json"), "{finished}");
    assert!(names_in(&desk.output_folder()).is_empty());
}

#[test]
fn a_roll_that_would_replace_its_own_input_is_refused() {
    let desk = Desk::new();
    desk.run(&examples::folder(), &[]).expect_code(3);
    let before = fs::read(desk.roll()).unwrap();
    let finished = desk.run(&desk.output_folder(), &[]).expect_code(2);
    assert!(finished.stderr.contains("is both input and output"), "{finished}");
    assert_eq!(fs::read(desk.roll()).unwrap(), before);
}

#[test]
fn a_folder_as_output_is_a_usage_error() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.arg(examples::folder()).arg("--output").arg(desk.output_folder());
    let finished = Process::start("muster run", &mut command).wait(LIMIT).expect_code(2);
    assert!(finished.stderr.contains("is a folder"), "{finished}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let desk = Desk::new();
    let input = desk.input("users.json", |file| write_json(file, users(10)).unwrap());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = desk.command();
    command.arg(input).arg("--output").arg(desk.roll()).stdout(writer).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(0));
}

#[test]
fn what_up_dumps_is_one_file_that_it_reads_again() {
    let desk = Desk::new();
    let dump = |options: &[&str]| {
        let mut command = programs::command("muster");
        command.args(["up", "--dump-config"]).args(options).current_dir(desk.folder.path());
        Process::start("muster up", &mut command).wait(LIMIT).expect_code(0).stdout
    };
    let dumped = dump(&["--store", "file:mine.redb"]);
    assert_eq!(dumped.matches("file:mine.redb").count(), 1, "{dumped}");
    fs::write(desk.folder.path().join("muster.toml"), &dumped).unwrap();
    assert_eq!(dump(&["--config", "muster.toml"]), dumped);
}

#[test]
fn the_names_of_the_roll_and_its_manifest_are_on_the_disk_when_it_ends() {
    let desk = Desk::new();
    let (library, syncs) =
        (desk.folder.path().join("note_syncs.so"), desk.folder.path().join("syncs"));
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/queue/tests/support/note_syncs.c");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
    assert!(compile.status().expect("there is a C compiler").success());
    let input =
        desk.input("users.json", |file| write_json(file, users(10)).expect("it is written"));
    let mut command = desk.command();
    command.arg(&input).arg("--output").arg(desk.roll());
    command.env("LD_PRELOAD", &library).env("SYNCS", &syncs);
    Process::start("muster run", &mut command).wait(LIMIT).expect_code(0);
    let syncs = fs::read_to_string(syncs).expect("it synced something");
    let mut synced = syncs.lines().filter_map(|line| line.split_once(' '));
    assert!(synced.any(|(_, path)| Path::new(path) == desk.output_folder()), "{syncs}");
}
