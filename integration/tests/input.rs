//! What other tools write, read by `muster run`: every record that is complete, and a word on
//! everything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A folder with input, and with the roll that comes of it.
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is room for a folder") }
    }

    /// A folder with one file of input.
    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.put(name, content);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
        fs::write(path, content).expect("there is room");
    }

    /// Does the whole job with these arguments.
    fn run(&self, arguments: &str) -> Finished {
        let mut command = programs::command("muster");
        command.arg("run").args(arguments.split(' ')).args(["--output", "out/all_users.json"]);
        fs::create_dir_all(self.path("out")).expect("there is room");
        Process::start("muster run", command.current_dir(self.folder.path())).wait(LIMIT)
    }

    /// The records of the roll.
    fn roll(&self) -> Vec<Value> {
        let roll = fs::read(self.path("out/all_users.json")).expect("there is a roll");
        serde_json::from_slice(&roll).expect("a roll is JSON")
    }

    fn ids(&self) -> Vec<i64> {
        self.roll().iter().map(|record| record["id"].as_i64().expect("an id is a number")).collect()
    }
}

/// A record with this id.
fn record(id: u32) -> String {
    format!(r#"{{"id":{id},"email":"user{id}@example.org","user_name":"user{id}"}}"#)
}

/// Runs on one file of input. Returns the ids in the roll, and the program's end.
#[track_caller]
fn read(content: impl AsRef<[u8]>, code: i32) -> (Vec<i64>, Finished) {
    let folder = Folder::with("users.json", content);
    let finished = folder.run("users.json").expect_code(code);
    (folder.ids(), finished)
}

#[track_caller]
fn assert_says(finished: &Finished, text: &str) {
    let all = format!("{}{}", finished.stderr, finished.stdout);
    assert!(all.contains(text), "nothing says `{text}`: {finished}");
}

// I1
#[test]
fn names_of_protobufs_json_are_those_of_the_fields() {
    let folder = Folder::with(
        "users.json",
        r#"{"id":1,"email":"a@example.org","userName":"u","firstName":"F","lastName":"L","ipAddress":"192.0.2.1"}"#,
    );
    folder.run("users.json").expect_code(0);
    let expected = json!({"id": 1, "email": "a@example.org", "user_name": "u", "first_name": "F",
        "last_name": "L", "ip_address": "192.0.2.1", "gender": "", "country": "", "agent": ""});
    assert_eq!(folder.roll(), [expected]);
}

#[test]
fn record_with_both_names_of_a_field_is_rejected() {
    let (ids, finished) =
        read(format!("{{\"id\":1,\"userName\":\"u\",\"user_name\":\"u\"}}\n{}", record(2)), 3);
    assert_eq!(ids, [2]);
    assert_says(&finished, "field `user_name` appears twice");
}

// I2
#[test]
fn arrays_one_after_another_are_all_read() {
    let text = format!("[{},{}]\n[{}]\n{}\n", record(1), record(2), record(3), record(4));
    assert_eq!(read(text, 0).0, [1, 2, 3, 4]);
}

// I3
#[test]
fn object_inside_a_damaged_record_does_not_become_a_record() {
    let (ids, finished) = read(
        "{\"id\":1,\"email\":\"a@example.org\",\"manager\":\n{\"id\":2,\"email\":\"boss@example.org\"}\n\
         ,\"x\":[1}\n{\"id\":3,\"email\":\"c@example.org\"}",
        3,
    );
    assert_eq!(ids, [3]);
    assert_says(&finished, "found } on line 3, which closes nothing that is open");
    assert_says(&finished, "bytes were not read");
}

#[test]
fn nested_records_of_a_file_that_is_cut_off_do_not_become_records() {
    let text = format!(
        "[{}, \n {{\"id\":2,\"email\":\"b@example.org\",\"reports\":[{}, \n {}, \n {{\"id\":23,\"em",
        record(1),
        record(21),
        record(22)
    );
    assert_eq!(read(text, 3).0, [1]);
}

#[test]
fn records_inside_a_record_that_is_too_long_do_not_become_records() {
    let inner = vec![record(9); 20_000].join(",\n");
    let text = format!("{{\"id\":1,\"x\":[\n{inner}\n]}}\n{}", record(2));
    assert_eq!(read(text, 3).0, [2]);
}

// I4
#[test]
fn invalid_word_in_a_file_of_one_line_costs_itself() {
    for word in ["NaN", "undefined", "}", "null"] {
        let text = format!("[{},{word},{},{}]", record(1), record(2), record(3));
        let (ids, finished) = read(text, 3);
        assert_eq!(ids, [1, 2, 3], "{word}");
        assert_says(&finished, "read      1 file, 1 record rejected");
    }
}

// I5
#[test]
fn line_of_a_tool_before_the_array_is_noted() {
    let (ids, finished) = read(format!("Warning: x\n[{},\n{}]", record(1), record(2)), 0);
    assert_eq!(ids, [1, 2]);
    assert_says(
        &finished,
        "users.json:1: note: `Warning: x` stands before the first bracket; 10 bytes were not read",
    );
}

// I6
#[test]
fn wrapper_is_rejected_with_the_flag_that_reads_it_whatever_its_size() {
    for count in [2, 20_000] {
        let records: Vec<_> = (1..=count).map(record).collect();
        let folder =
            Folder::with("users.json", format!("{{\"users\":[\n{}\n]}}", records.join(",\n")));
        let finished = folder.run("users.json").expect_code(3);
        assert_says(
            &finished,
            "users.json:1 (record 1): this object is not a record, but `users` in it holds records: \
             read them with --records '/users/*'",
        );
        assert!(!folder.path("out/all_users.json").exists());
        folder.run("users.json --records /users/*").expect_code(0);
        assert_eq!(folder.ids(), (1..=i64::from(count)).collect::<Vec<_>>());
    }
}

#[test]
fn envelope_is_rejected_with_the_flag_that_reads_it() {
    for key in ["_source", "payload", "after", "fields", "attributes", "Item"] {
        let text = format!("{{\"{key}\":{}}}\n{{\"{key}\":{}}}\n", record(1), record(2));
        let folder = Folder::with("users.json", text);
        let finished = folder.run("users.json").expect_code(3);
        assert_says(&finished, &format!("read them with --records '/{key}'"));
        folder.run(&format!("users.json --records /{key}")).expect_code(0);
        assert_eq!(folder.ids(), [1, 2], "{key}");
    }
}

#[test]
fn damaged_record_in_a_wrapper_costs_itself() {
    let text = format!(
        "{{\"took\":1,\"hits\":{{\"hits\":[\n{{\"_id\":\"1\",\"_source\":{}}},\n\
         {{\"_id\":\"2\",\"_source\":{{\"id\":2,\"email\":\"x}}}},\n\
         {{\"_id\":\"3\",\"_source\":{}}}\n]}}}}\n",
        record(1),
        record(3)
    );
    let folder = Folder::with("users.json", text);
    folder.run("users.json --records /hits/hits/*/_source").expect_code(3);
    assert_eq!(folder.ids(), [1, 3]);
}

// I7
#[test]
fn record_whose_member_holds_records_is_rejected() {
    let text = format!(
        "{{\"id\":7,\"email\":\"owner@example.org\",\"users\":[{},{}]}}\n{}",
        record(1),
        record(2),
        record(3)
    );
    let (ids, finished) = read(text, 3);
    assert_eq!(ids, [3]);
    assert_says(&finished, "`users` in it holds records");
}

#[test]
fn object_without_a_known_field_is_rejected_where_it_is_read() {
    let (ids, finished) = read(format!("{{\"name\":\"x\",\"uid\":5}}\n{}", record(1)), 3);
    assert_eq!(ids, [1]);
    assert_says(
        &finished,
        "users.json:1 (record 1): this object has no field of a record; it has `name`, `uid`",
    );
}

// I8
#[test]
fn compressed_files_of_a_folder_are_read_and_others_are_named() {
    let folder = Folder::new();
    folder.put("users/1.json", record(1));
    folder.put("users/2.json", record(2));
    folder.put("users/3.ndjson", record(3));
    folder.put("users/sub/4.json", record(4));
    folder.put("users/part-00000", record(5));
    compress(&folder.path("users/2.json"), "gzip");
    let finished = folder.run("users").expect_code(0);
    assert_eq!(folder.ids(), [1, 2, 3]);
    assert_says(
        &finished,
        "users/: 2 entries were skipped: part-00000, sub (a folder: use --recursive)",
    );
    folder.run("users --recursive").expect_code(0);
    assert_eq!(folder.ids(), [1, 2, 3, 4]);
}

/// Compresses a file in its place.
fn compress(path: &Path, program: &str) {
    let status = Command::new(program).arg("-f").arg(path).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} works");
}

#[test]
fn compressed_standard_input_is_read() {
    let folder = Folder::with("users.json", format!("{}\n{}", record(1), record(2)));
    compress(&folder.path("users.json"), "gzip");
    let mut command = programs::command("muster");
    command.args(["run", "-", "--output"]).arg(folder.path("out.json"));
    let input = fs::File::open(folder.path("users.json.gz")).expect("there is a file");
    let finished = Process::start_with_input("muster run", &mut command, input.into()).wait(LIMIT);
    assert_says(&finished.expect_code(0), "in roll   2 records, 0 dead letters");
}

// I9
#[test]
fn utf_16_with_a_mark_is_read() {
    let text = format!("\u{feff}[{},\r\n{}]\r\n", record(1), record(2));
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(little, 0).0, [1, 2]);
    assert_eq!(read(big, 0).0, [1, 2]);
}

#[test]
fn csv_with_a_header_is_read() {
    for (name, text) in [
        (
            "users.csv",
            "id,email,first_name\n1,a@example.org,\"F, \"\"G\"\"\"\n2.0,b@example.org,H\n",
        ),
        (
            "users.tsv",
            "id\temail\tfirst_name\n1\ta@example.org\t\"F, \"\"G\"\"\"\n2\tb@example.org\tH\n",
        ),
        (
            "users.txt",
            "\"email\";\"id\";\"firstName\"\r\na@example.org;1;\"F, \"\"G\"\"\"\r\nb@example.org;2;H\r\n",
        ),
    ] {
        let folder = Folder::with(name, text);
        folder.run(name).expect_code(0);
        assert_eq!(folder.ids(), [1, 2], "{name}");
        assert_eq!(folder.roll()[0]["first_name"], "F, \"G\"", "{name}");
    }
}

#[test]
fn row_of_csv_that_is_not_a_record_costs_itself() {
    let text = "id,email,plan\n1,a@example.org,x\ntwo,b@example.org,x\n3,c@example.org\n4,d@example.org,x\n";
    let folder = Folder::with("users.csv", text);
    let finished = folder.run("users.csv").expect_code(3);
    assert_eq!(folder.ids(), [1, 4]);
    assert_says(
        &finished,
        "users.csv:3 (record 2): field `id`: expected a whole number, found a text",
    );
    assert_says(&finished, "users.csv:4 (record 3): this row has 2 cells, and the header has 3");
    assert_says(&finished, "ignored   `plan` in 2 records");
}

#[test]
fn file_of_another_type_is_named_with_the_command_that_helps() {
    for (name, head, words) in [
        ("users.parquet", &b"PAR1\x15\x04"[..], "is a Parquet file"),
        ("users.json", b"SQLite format 3\0", "is an SQLite database"),
        ("users.json", b"PK\x03\x04\x14\0", "is a zip archive"),
        ("users.json", b"\xfd7zXZ\0", "is an xz file"),
        ("users.xml", b"<?xml version=\"1.0\"?><users/>", "is an XML file"),
        ("users.yaml", b"- id: 1\n  email: a@example.org\n", "is a YAML file"),
    ] {
        let folder = Folder::with(name, head);
        let finished = folder.run(name).expect_code(2);
        assert_says(&finished, &format!("{name} {words}, which Muster does not read: "));
        assert_says(&finished, name);
    }
}

// I10
#[test]
fn whole_numbers_are_ids_however_they_are_written() {
    let (ids, finished) = read(r#"[{"id":1.0},{"id":1e3},{"id":12.5e1},{"id":1.5},{"id":3e9}]"#, 3);
    assert_eq!(ids, Vec::<i64>::new(), "records without an email are dead letters");
    assert_says(&finished, "accepted  3 records");
    assert_says(&finished, "field `id`: expected a whole number, found 1.5");
    assert_says(&finished, "field `id`: 3e9 is not between -2147483648 and 2147483647");
}

// I11
#[test]
fn rejections_for_one_reason_are_grouped() {
    let text = "{\"id\":\"1\",\"email\":\"a@example.org\"}\n".repeat(2_000) + &record(1);
    let folder = Folder::with("users.json", text);
    let finished = folder.run("users.json --rejects rejects.ndjson").expect_code(3);
    let reason = "field `id`: expected a whole number, found a string: write ids without quotes";
    assert_eq!(finished.stderr.lines().filter(|line| line.ends_with(reason)).count(), 6);
    assert_says(&finished, "users.json:5 (record 5): field `id`");
    assert_says(&finished, &format!("… and 1,995 more: {reason}"));
}

#[test]
fn rejected_records_can_be_corrected_and_read_again() {
    let folder = Folder::with(
        "users.json",
        format!("{}\n{{\"id\":\"2\",\"email\":\"b@example.org\"}}\n{}", record(1), record(3)),
    );
    folder.run("users.json --rejects rejects.ndjson").expect_code(3);
    let line = fs::read_to_string(folder.path("rejects.ndjson")).expect("there are rejects");
    let reject: Value = serde_json::from_str(&line).expect("there is one line of JSON");
    assert_eq!(reject["file"], "users.json");
    let (position, offset) = (["line", "record"], record(1).len() + 1);
    assert_eq!(position.map(|name| reject[name].as_u64()), [Some(2), Some(2)]);
    assert_eq!(reject["offset"].as_u64(), Some(offset as u64));
    assert_eq!(reject["bytes"].as_u64(), Some(34));
    let corrected = reject["text"].as_str().expect("it has a text").replace("\"2\"", "2");
    folder.put("corrected.json", corrected);
    folder.run("corrected.json").expect_code(0);
    assert_eq!(folder.ids(), [2]);
}

// I12
#[test]
fn rejection_in_a_file_of_one_line_has_the_number_of_its_record() {
    let (_, finished) = read(format!("[{},{{\"id\":true}},{}]", record(1), record(3)), 3);
    assert_says(
        &finished,
        "users.json:1 (record 2): field `id`: expected a whole number, found true",
    );
}

// I13
#[test]
fn run_that_accepts_nothing_leaves_the_roll_as_it_was() {
    let folder = Folder::with("good.json", record(1));
    folder.put("bad.json", "{\"id\":\"x\"}");
    folder.put("empty.json", "[]");
    folder.run("good.json").expect_code(0);
    let finished = folder.run("bad.json").expect_code(3);
    assert_says(&finished, "nothing was accepted: out/all_users.json is left as it was");
    assert_eq!(folder.ids(), [1]);
    folder.run("empty.json").expect_code(0);
    assert_eq!(folder.ids(), Vec::<i64>::new(), "an empty array is an empty roll");
}

// I14
#[test]
fn trailing_comma_is_noted() {
    let (ids, finished) = read(format!("[{},]", record(1)), 0);
    assert_eq!(ids, [1]);
    assert_says(&finished, "users.json:1: note: a comma stands before the closing ]");
}

// I15
#[test]
fn empty_file_is_noted() {
    for content in ["", " \n\n"] {
        let (ids, finished) = read(content, 0);
        assert_eq!(ids, Vec::<i64>::new());
        assert_says(&finished, "users.json:1: note: this file is empty");
    }
}

// I16
#[test]
fn field_that_is_ignored_is_reported_with_the_one_that_it_may_be() {
    for (name, nearest) in [
        ("user-name", "user_name"),
        ("username", "user_name"),
        ("nickname", "user_name"),
        ("user_id", "id"),
        ("Email", "email"),
    ] {
        let text = format!(
            "{{\"email\":\"a@example.org\",\"{name}\":\"x\"}}\n{{\"email\":\"b@example.org\",\"{name}\":\"y\"}}"
        );
        let (_, finished) = read(text, 0);
        assert_says(
            &finished,
            &format!("ignored   `{name}` in 2 records: did you mean `{nearest}`?"),
        );
    }
}

#[test]
fn names_in_an_object_are_reported() {
    let text = r#"{"id":1,"email":"a@example.org","name":{"first_name":"F","last_name":"L"}}"#;
    assert_says(&read(text, 0).1, "ignored   `name` in 1 record");
}

#[test]
fn text_that_may_be_a_null_stays_a_text_and_is_reported() {
    let folder = Folder::with(
        "users.json",
        r#"{"id":1,"email":"a@example.org","gender":"null","country":"NA"}"#,
    );
    let finished = folder.run("users.json").expect_code(0);
    assert_eq!([&folder.roll()[0]["gender"], &folder.roll()[0]["country"]], ["null", "NA"]);
    for field in ["gender", "country"] {
        let said =
            format!("kept      `{field}` is a text such as \"null\" in 1 record: is it a NULL?");
        assert_says(&finished, &said);
    }
}

#[test]
fn folder_whose_name_has_a_field_is_reported() {
    let folder = Folder::with("users/gender=F/part-0.json", record(1));
    let finished = folder.run("users --recursive").expect_code(0);
    assert_says(&finished, "ignored   the folder's name `gender=F`, of 1 record");
}

#[test]
fn layout_that_is_not_rows_is_named_with_the_option_that_fixes_it() {
    for (text, layout) in [
        (r#"{"id":{"0":1,"1":2},"email":{"0":"a","1":"b"}}"#, "written by columns"),
        (r#"{"columns":["id"],"index":[0],"data":[[1]]}"#, "orient=\"split\""),
        (r#"[[1,"a@example.org"],[2,"b@example.org"]]"#, "to_json(orient=\"records\")"),
        (r#"{"id":{"N":"1"},"email":{"S":"a"}}"#, "DynamoDB"),
        (r#"{"id":"1","email":"a"}"#, "write ids without quotes"),
    ] {
        let folder = Folder::with("users.json", text);
        assert_says(&folder.run("users.json").expect_code(3), layout);
    }
}

#[test]
fn send_without_waiting_ends_with_3_for_what_the_reader_rejects() {
    let folder = Folder::with(
        "users.json",
        format!(
            "{{\"id\":7,\"email\":\"owner@example.org\",\"users\":[{}]}}\n{}",
            record(1),
            record(2)
        ),
    );
    let [grpc, http] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let store = format!("file:{}", folder.path("queue.redb").display());
    let mut up = programs::command("muster");
    up.args(["up", "--listen", &grpc, "--http", &http, "--store", &store, "--roll"]);
    let up = Process::start("muster up", up.arg(folder.path("roll")));
    let mut send = programs::command("muster-client");
    send.arg("send").arg(folder.path("users.json")).args(["--server", &format!("http://{grpc}")]);
    let sent = Process::start("muster-client send", &mut send).wait(LIMIT).expect_code(3);
    assert_says(&sent, "accepted  1 record");
    up.kill();
}
