//! `muster verify`: what it proves of a roll that `muster run` wrote, and of one that was altered.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use muster_integration::examples;
use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_json};
use muster_integration::{programs, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);
/// Records in each of the two input files.
const RECORDS: usize = 500;

/// A folder with `sent/1.json` and `sent/2.json`, and later the roll of both.
struct Desk {
    folder: TempDir,
}

impl Desk {
    /// Two files of input, and nothing else.
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("there is room for a folder") };
        fs::create_dir(desk.path("sent")).expect("a new folder can be made");
        desk.put("sent/1.json", users(1));
        desk.put("sent/2.json", users(2));
        desk
    }

    /// The same, with the roll that `muster run` made of them.
    fn with_roll() -> Self {
        let desk = Self::new();
        desk.enter("run sent").expect_code(0);
        desk
    }

    fn put(&self, name: &str, users: Vec<User>) {
        let file = File::create(self.path(name)).expect("a new file can be made");
        write_json(file, users).expect("there is room for the file");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Enters a command of `muster` in the folder.
    fn enter(&self, words: &str) -> Finished {
        let mut command = programs::command("muster");
        command.args(words.split(' ')).current_dir(self.folder.path());
        Process::start(&format!("muster {words}"), &mut command).wait(LIMIT)
    }

    /// Enters `muster verify … --json`, which must end with 3, and reads what it prints.
    fn refuted(&self, words: &str) -> Value {
        let finished = self.enter(&format!("verify {words} --json")).expect_code(3);
        let report: Value = serde_json::from_str(&finished.stdout).expect("one JSON object");
        assert_eq!(report["proven"], json!(false));
        report
    }

    /// Changes the records' lines of the roll: the first is on line 2.
    fn alter(&self, change: impl FnOnce(&mut Vec<String>)) {
        let roll = fs::read_to_string(self.path("all_users.json")).expect("there is a roll");
        let bare = |line: &str| line.trim_end_matches(',').to_owned();
        let mut lines: Vec<String> = roll.lines().map(bare).collect();
        lines.retain(|line| line != "[" && line != "]");
        change(&mut lines);
        let roll = format!("[\n{}\n]\n", lines.join(",\n"));
        fs::write(self.path("all_users.json"), roll).expect("the roll can be written");
    }

    fn forget_manifest(&self) {
        fs::remove_file(self.path("all_users.manifest.json")).expect("there is a manifest");
    }

    /// Writes a file of dead letters, one for each record.
    fn put_letters(&self, name: &str, users: &[User]) {
        let mut letters = String::new();
        for (place, record) in users.iter().enumerate() {
            let letter = json!({
                "batch": "b-1", "place": place, "reason": "no address", "attempts": 1,
                "first": "2020-01-01T00:00:00Z", "last": "2020-01-01T00:00:00Z", "trace": null,
                "record": record,
            });
            writeln!(letters, "{letter}").expect("a string takes what is written");
        }
        fs::write(self.path(name), letters).expect("a new file can be made");
    }
}

fn users(seed: u64) -> Vec<User> {
    Users::of_seed(seed).take(RECORDS).collect()
}

/// The record of the samples that becomes a dead letter.
fn dead_in_samples() -> User {
    let mut user = Users::of_seed(6).nth(16).expect("users do not end");
    user.email = "no address".to_owned();
    user
}

/// How many records are missing, doubled and foreign.
fn counts(report: &Value) -> [u64; 3] {
    ["missing", "doubled", "foreign"].map(|kind| report[kind]["records"].as_u64().expect("a count"))
}

/// The places of the first difference of a kind: in the inputs, and in the roll or the letters.
fn places<'a>(report: &'a Value, kind: &str) -> [&'a Value; 2] {
    let first = &report[kind]["first"][0];
    [&first["inputs"]["first"], &first["found"]["first"]]
}

#[test]
fn the_roll_of_a_run_is_proven_in_order() {
    let desk = Desk::with_roll();
    let report = desk.enter("verify sent --in-order").expect_code(0).stdout;
    for line in [
        "file      sent/1.json: 500 records",
        "sent      1000 records in 2 files",
        "found     1000 records in the roll, 0 dead letters",
        "missing   0 records",
        "order     as in the inputs",
    ] {
        assert!(report.lines().any(|printed| printed == line), "no {line:?} in\n{report}");
    }
    assert!(report.contains("the manifest agrees"), "{report}");
    assert!(report.contains("proven    yes"), "{report}");
}

#[test]
fn another_order_of_the_inputs_is_proven_unless_the_order_is_asked_for() {
    let desk = Desk::with_roll();
    desk.enter("verify sent/2.json sent/1.json").expect_code(0);
    let report = desk.refuted("sent/2.json sent/1.json --in-order");
    assert_eq!(counts(&report), [0, 0, 0]);
    assert_eq!(report["disagreements"], json!([]));
    // The roll begins with 1.json, which comes last here; 2.json cannot come after that.
    assert_eq!(report["order"], json!({ "broken_at": 2 + RECORDS }));
}

#[test]
fn a_doubled_line_is_named() {
    let desk = Desk::with_roll();
    desk.alter(|lines| lines.insert(20, lines[7].clone()));
    let report = desk.refuted("sent");
    assert_eq!(counts(&report), [0, 1, 0]);
    let both = json!(["all_users.json:9", "all_users.json:22"]);
    assert_eq!(places(&report, "doubled"), [&json!(["sent/1.json:8"]), &both]);
    assert_eq!(report["disagreements"], json!(["sha256", "records", "bytes"]));
}

#[test]
fn a_removed_line_is_named_by_its_file_and_line() {
    let desk = Desk::with_roll();
    desk.alter(|lines| drop(lines.remove(RECORDS + 2)));
    let report = desk.refuted("sent --in-order");
    assert_eq!(counts(&report), [1, 0, 0]);
    assert_eq!(places(&report, "missing"), [&json!(["sent/2.json:3"]), &json!([])]);
    assert_eq!(report["order"], json!("unknown"));
}

#[test]
fn an_altered_line_is_missing_and_foreign() {
    let desk = Desk::with_roll();
    desk.alter(|lines| lines[4] = lines[4].replace("\"id\":5,", "\"id\":6,"));
    let report = desk.refuted("sent");
    assert_eq!(counts(&report), [1, 0, 1]);
    assert_eq!(places(&report, "missing"), [&json!(["sent/1.json:5"]), &json!([])]);
    assert_eq!(places(&report, "foreign"), [&json!([]), &json!(["all_users.json:6"])]);
}

#[test]
fn swapped_lines_are_found_by_the_manifest_and_by_their_order() {
    let desk = Desk::with_roll();
    desk.alter(|lines| lines.swap(10, 11));
    assert_eq!(desk.refuted("sent")["disagreements"], json!(["sha256"]));
    desk.forget_manifest();
    desk.enter("verify sent").expect_code(0);
    let report = desk.refuted("sent --in-order");
    assert_eq!(report["order"], json!({ "broken_at": 13 }));
    let text = desk.enter("verify sent --in-order").expect_code(3).stdout;
    assert!(text.contains("order     broken at all_users.json:13:"), "{text}");
}

#[test]
fn records_of_another_file_are_foreign_and_those_of_a_file_too_many_are_missing() {
    let desk = Desk::with_roll();
    let report = desk.refuted("sent/1.json");
    assert_eq!(counts(&report), [0, 0, 500]);
    assert_eq!(places(&report, "foreign"), [&json!([]), &json!(["all_users.json:502"])]);
    assert_eq!(report["foreign"]["first"].as_array().map(Vec::len), Some(20));
    let text = desk.enter("verify sent/1.json").expect_code(3).stdout;
    assert!(text.contains("and 480 more"), "{text}");

    desk.put("3.json", users(3));
    let report = desk.refuted("sent 3.json");
    assert_eq!(counts(&report), [500, 0, 0]);
    assert_eq!(places(&report, "missing"), [&json!(["3.json:1"]), &json!([])]);
}

#[test]
fn equal_records_are_counted() {
    let desk = Desk::new();
    desk.enter("run sent sent/1.json").expect_code(0);
    desk.enter("verify sent sent/1.json --in-order").expect_code(0);
    assert_eq!(counts(&desk.refuted("sent")), [0, 500, 0]);
    assert_eq!(counts(&desk.refuted("sent sent")), [500, 0, 0]);
}

#[test]
fn the_dead_letters_of_the_samples_are_asked_for_and_complete_the_proof() {
    let desk = Desk::new();
    let samples = examples::folder();
    let samples = samples.to_str().expect("the folder's path is text");
    desk.enter(&format!("run {samples}")).expect_code(3);

    let finished = desk.enter(&format!("verify {samples}")).expect_code(3);
    let asked = "the manifest counts 1 dead letter: give the --store, or --dead FILE";
    assert!(finished.stdout.contains(asked), "{finished}");
    assert!(finished.stdout.contains(&format!("{}:17", examples::NOT_AN_EMAIL)), "{finished}");
    for unread in [examples::WRONG_TYPE, examples::TRUNCATED] {
        let line = format!("unread    {samples}/{unread}:");
        assert!(finished.stdout.contains(&line), "{finished}");
    }
    let skipped = format!("skipped   1 entry of folders ({samples}/README.md)");
    assert!(finished.stdout.contains(&skipped), "{finished}");

    desk.put_letters("dead.ndjson", &[dead_in_samples()]);
    let complete = format!("{samples} --dead dead.ndjson");
    let finished = desk.enter(&format!("verify {complete} --in-order"));
    is_proven_as_read(&finished);
    let report = desk.refuted(&complete);
    assert_eq!(counts(&report), [0, 0, 0]);
    // A record of a wrong type, one that is cut off, and the array that is cut off with it.
    assert_eq!(report["unread"]["stretches"], json!(3));

    // The twins: a letter twice, and a letter of another record.
    let report = desk.refuted(&format!("{complete} --dead dead.ndjson"));
    assert_eq!(counts(&report), [0, 1, 0]);
    let letter = "dead.ndjson:1 (record 0 of batch b-1: no address)";
    assert_eq!(places(&report, "doubled")[1], &json!([letter, letter]));
    desk.put_letters("other.ndjson", &users(99)[..1]);
    let report = desk.refuted(&format!("{samples} --dead other.ndjson"));
    assert_eq!(counts(&report), [1, 0, 1]);
    assert_eq!(report["letters_wanted"], Value::Null);
}

/// The samples are proven but for what of them cannot be read.
#[track_caller]
fn is_proven_as_read(finished: &Finished) {
    assert_eq!(finished.code(), Some(3), "{finished}");
    assert!(finished.stdout.contains("295 records in the roll, 1 dead letter"), "{finished}");
    let last = finished.stdout.lines().last().expect("a report has lines");
    assert!(last.starts_with("proven    for 296 records; "), "{finished}");
    assert!(last.contains(" bytes could not be read as records ("), "{finished}");
}

/// Sends the samples as a batch that stays out of the roll, as it has a dead letter.
fn send_and_hold(stack: &Stack, batch: &str) {
    let server = format!("http://127.0.0.1:{}", stack.grpc_port());
    let client = |words: &str| {
        let mut command = programs::command("muster-client");
        command.args(words.split(' ')).args(["--server", &server]);
        command
    };
    let mut send = client(&format!("send --policy fail --batch {batch}"));
    Process::start("muster-client send", send.arg(examples::folder())).wait(SEND).expect_code(3);
    let export = || {
        let mut export = client(&format!("dead export --batch {batch}"));
        Process::start("muster-client dead", &mut export).wait(LIMIT).expect_code(0)
    };
    wait::until(
        LIMIT,
        || (export().stdout.lines().count() == 1).then_some(()),
        || format!("batch {batch} has one dead letter: {}", export()),
    );
}

#[test]
fn the_dead_letters_in_redis_complete_the_proof() {
    let stack = Stack::start(Memory, 5);
    let mut send = stack.client(&examples::folder());
    send.args(["--batch", "monday"]);
    Process::start("muster-client", &mut send).wait(SEND).expect_code(3);
    let url = stack.redis.url();
    let verify = |words: &str| {
        let mut command = programs::command("muster");
        command.arg("verify").arg(examples::folder()).arg("--roll").arg(stack.roll());
        command.args(words.split(' '));
        Process::start("muster verify", &mut command).wait(LIMIT)
    };
    is_proven_as_read(&verify(&format!("--in-order --store {url}")));
    let asked = "the manifest counts 1 dead letter: give the --store, or --dead FILE";
    let unproven = verify("--in-order").expect_code(3);
    assert!(unproven.stdout.contains(asked), "{unproven}");

    // A letter of another batch is one too many, unless it is left out.
    send_and_hold(&stack, "held");
    let refuted = verify(&format!("--json --store {url}")).expect_code(3);
    let report: Value = serde_json::from_str(&refuted.stdout).unwrap();
    assert_eq!(counts(&report), [0, 1, 0]);
    let letters = &report["doubled"]["first"][0]["found"]["first"];
    for (batch, letter) in ["held", "monday"].iter().zip(letters.as_array().unwrap()) {
        let letter = letter.as_str().unwrap();
        let place = letter.strip_prefix(&format!("{url} (record ")).unwrap();
        assert!(place.contains(&format!(" of batch {batch}: `email` is no address")), "{letter}");
    }
    is_proven_as_read(&verify(&format!("--store {url} --batch monday")));
    let other = verify(&format!("--store {url} --batch tuesday")).expect_code(1);
    assert!(other.stderr.contains("no batch tuesday"), "{other}");

    let file = stack.roll().with_file_name("store");
    fs::write(&file, format!("{url}\n")).expect("a new file can be made");
    is_proven_as_read(&verify(&format!("--store-file {} --batch monday", file.display())));

    let nobody = format!("redis://127.0.0.1:{}", free_port());
    let away = verify(&format!("--store {nobody}")).expect_code(1);
    assert!(away.stderr.contains(&format!("the store at {nobody} is unavailable")), "{away}");
}

#[test]
fn the_dead_letters_in_a_file_are_read_when_nobody_has_it_open() {
    let desk = Desk::new();
    let grpc = format!("127.0.0.1:{}", free_port());
    let mut up = programs::command("muster");
    up.args(["up", "--listen", &grpc, "--http", "127.0.0.1:0"]).current_dir(desk.folder.path());
    let up = Process::start("muster up", &mut up);
    let mut send = programs::command("muster-client");
    send.arg("send").arg(examples::folder()).args([
        "--wait",
        "--server",
        &format!("http://{grpc}"),
    ]);
    Process::start("muster-client", &mut send).wait(SEND).expect_code(3);

    let samples = examples::folder();
    let verify = format!("verify {} --store file:muster.redb", samples.display());
    let refused = desk.enter(&verify).expect_code(1);
    assert!(refused.stderr.contains("the file is in use by another process"), "{refused}");
    up.terminate();
    up.wait(LIMIT).expect_code(0);
    is_proven_as_read(&desk.enter(&verify));
}

#[test]
fn a_record_in_the_roll_that_is_a_dead_letter_too_is_doubled() {
    let desk = Desk::with_roll();
    desk.put_letters("dead.ndjson", &users(2)[3..4]);
    let report = desk.refuted("sent --dead dead.ndjson");
    assert_eq!(counts(&report), [0, 1, 0]);
    let both = json!(["all_users.json:505", "dead.ndjson:1 (record 0 of batch b-1: no address)"]);
    assert_eq!(places(&report, "doubled"), [&json!(["sent/2.json:4"]), &both]);
}

#[test]
fn records_that_workers_tidied_up_are_proven_when_that_is_said() {
    let desk = Desk::new();
    let mut untidy = users(1);
    untidy[2].email = untidy[2].email.replace('@', "@WWW.");
    desk.put("sent/1.json", untidy);
    fs::write(desk.path("muster.toml"), "[worker]\nnormalise = true\n").unwrap();
    desk.enter("run sent --config muster.toml").expect_code(0);
    desk.enter("verify sent --normalise --in-order").expect_code(0);
    assert_eq!(counts(&desk.refuted("sent")), [1, 0, 1]);
}

#[test]
fn a_roll_that_is_none_cannot_be_verified() {
    let desk = Desk::with_roll();
    let path = desk.path("all_users.json");
    let whole = fs::read_to_string(&path).unwrap();
    for (roll, problem) in [
        (format!("{whole}{{}}"), "all_users.json is no roll: trailing characters at line 1003"),
        (whole[..whole.len() - 3].to_owned(), "is no roll: EOF while parsing a list at line 1001"),
        (whole.replacen("\"email\"", "\"mail\"", 1), "is no roll: unknown field `mail`"),
    ] {
        fs::write(&path, roll).unwrap();
        let finished = desk.enter("verify sent").expect_code(1);
        assert!(finished.stderr.contains(problem), "{finished}");
        assert_eq!(finished.stdout, "");
    }
}

#[test]
fn what_cannot_be_done_is_said_with_its_code() {
    let desk = Desk::with_roll();
    for (words, code, problem) in [
        ("verify sent --roll nowhere.json", 1, "nowhere.json cannot be read"),
        ("verify sent --dead nowhere.ndjson", 1, "nowhere.ndjson cannot be read"),
        ("verify sent --dead sent/1.json", 1, "sent/1.json:1: this line is no dead letter"),
        ("verify sent --store file:nowhere.redb", 1, "nowhere.redb cannot be read"),
        ("verify sent --store nowhere", 2, "--store: a store is redis://"),
        ("verify sent --store-file nowhere", 2, "nowhere cannot be read"),
        ("verify sent --store file:a --store-file b", 2, "cannot be used with"),
        ("verify sent --batch monday", 2, "--store <URL>"),
        ("verify nowhere.json", 2, "nowhere.json cannot be read"),
        ("verify sent --records users", 2, "a pointer begins with /"),
        ("verify -", 2, "cannot be read twice"),
        ("verify all_users.json", 2, "is both input and roll"),
        ("verify", 2, "<INPUT>"),
    ] {
        let finished = desk.enter(words).expect_code(code);
        assert!(finished.stderr.contains(problem), "{finished}");
    }
    assert!(!desk.path("nowhere.redb").exists());
}

#[test]
fn roll_without_an_array_of_the_input_is_refuted() {
    // As if the client's reader had dropped the second of two arrays.
    let desk = Desk::new();
    desk.enter("run sent/1.json").expect_code(0);
    desk.enter("verify sent/1.json").expect_code(0);
    let [one, two] = ["sent/1.json", "sent/2.json"].map(|name| fs::read(desk.path(name)).unwrap());
    fs::write(desk.path("both.json"), [one, two].concat()).unwrap();
    let report = desk.refuted("both.json");
    assert_eq!(counts(&report), [500, 0, 0]);
    assert_eq!(places(&report, "missing"), [&json!(["both.json:501"]), &json!([])]);
    assert_eq!(report["unread"]["stretches"], json!(0));
}

#[test]
fn folders_inside_folders_and_wrapped_records_are_read_when_that_is_asked_for() {
    let desk = Desk::new();
    desk.enter("run sent").expect_code(0);
    fs::create_dir(desk.path("all")).unwrap();
    fs::rename(desk.path("sent"), desk.path("all/sent")).unwrap();
    desk.enter("verify all --recursive").expect_code(0);
    let refused = desk.enter("verify all").expect_code(2);
    assert!(refused.stderr.contains("is a folder without inputs"), "{refused}");

    for name in ["1.json", "2.json"] {
        let array = fs::read_to_string(desk.path("all/sent").join(name)).unwrap();
        fs::write(desk.path("all").join(name), format!("{{\"users\":{array}}}")).unwrap();
    }
    desk.enter("verify all --records /users/* --in-order").expect_code(0);
    let report = desk.refuted("all");
    assert_eq!(counts(&report), [0, 0, 1000]);
    assert_eq!(report["skipped"]["entries"], json!(1));
    assert_eq!(report["unread"]["stretches"], json!(2));
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let desk = Desk::with_roll();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = programs::command("muster");
    command.args(["verify", "sent"]).current_dir(desk.folder.path());
    command.stdout(writer).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(0));
}
