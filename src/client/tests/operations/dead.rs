//! `dead list`, `show`, `export`, `replay`, `drop`.

use std::fs;

use muster_proto::v1::{Batch, BatchState};
use serde_json::Value;

use crate::double::Double;
use crate::{enter, enter_words, printed, refused};

/// Five letters in two groups: three pages.
fn double() -> Double {
    let written = Batch { state: BatchState::Written.into(), kept: 295, ..Batch::default() };
    let letters = [
        (6, "no address"),
        (7, "panic: \x1b[2J"),
        (8, "no address"),
        (21, "no address"),
        (900, "no address"),
    ];
    Double::start().with_batch([written]).with_letters(letters)
}

fn places(ndjson: &str) -> Vec<u64> {
    let lines = ndjson.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|letter| letter["place"].as_u64().unwrap()).collect()
}

#[test]
fn list_shows_the_groups() {
    insta::assert_snapshot!(printed(&double(), "dead list"), @r"
    letters  group
    4        no address
    1        panic: \u{1b}[2J
    ");
    insta::assert_snapshot!(printed(&double(), "dead list --json"), @r#"
    {"group":"no address","letters":4}
    {"group":"panic: \u001b[2J","letters":1}
    "#);
    assert_eq!(printed(&Double::start(), "dead list"), "no dead letters\n");
    assert_eq!(printed(&Double::start(), "dead list --json"), "");
}

#[test]
fn list_shows_the_letters_of_all_pages() {
    insta::assert_snapshot!(printed(&double(), "dead list --batch b-1"), @r"
    batch  place    id       attempts  crashes  last                      reason
    b-1    6        106      3         0        2023-11-14T22:14:20.250Z  no address
    b-1    7        107      3         0        2023-11-14T22:14:20.250Z  panic: \u{1b}[2J
    b-1    8        108      3         0        2023-11-14T22:14:20.250Z  no address
    b-1    21       121      3         0        2023-11-14T22:14:20.250Z  no address
    b-1    900      1000     3         0        2023-11-14T22:14:20.250Z  no address
    ");
    assert_eq!(places(&printed(&double(), "dead list --batch b-1 --json")), [6, 7, 8, 21, 900]);
}

#[test]
fn list_shows_the_letters_of_a_group() {
    let listed = enter_words(&double(), &["dead", "list", "--json", "--group", "no address"]);
    assert_eq!(places(&listed.stdout), [6, 8, 21, 900]);
    assert_eq!(printed(&double(), "dead list --group other"), "no dead letters\n");
}

#[test]
fn show_shows_one_letter_whole() {
    insta::assert_snapshot!(printed(&double(), "dead show b-1 7"), @r#"
    batch     b-1
    place     7
    reason    panic: \u{1b}[2J
    group     panic: \u{1b}[2J
    attempts  3
    crashes   0
    first     2023-11-14T22:13:20.250Z
    last      2023-11-14T22:14:20.250Z
    record    {
      "id": 107,
      "user_name": "",
      "email": "a\u202eb",
      "first_name": "",
      "last_name": "",
      "ip_address": "",
      "gender": "",
      "country": "",
      "agent": ""
    }
    "#);
}

#[test]
fn what_is_not_there_is_named() {
    insta::assert_snapshot!(refused(&double(), "dead show b-1 5", 1), @r"
    muster-client: [server] has no dead letter at place 5 of batch b-1: it may have been replayed or dropped
    ");
    insta::assert_snapshot!(refused(&double(), "dead list --batch b-2", 1), @r"
    muster-client: [server] has no batch b-2: check its id; a written batch is forgotten after seven days
    ");
    insta::assert_snapshot!(refused(&double(), "dead replay --group other", 1), @r"
    muster-client: [server] has no dead letters of the group `other`: see muster-client dead list
    ");
    insta::assert_snapshot!(refused(&Double::start(), "dead drop --all --yes", 1), @r"
    muster-client: [server] has no dead letters
    ");
}

#[test]
fn export_writes_all_letters_to_standard_output() {
    let exported = printed(&double(), "dead export");
    assert_eq!(places(&exported), [6, 8, 21, 900, 7], "group by group");
    insta::assert_snapshot!(exported.lines().last().unwrap(), @r#"
    {"batch":"b-1","place":7,"record_id":107,"reason":"panic: \u001b[2J","group":"panic: \u001b[2J","attempts":3,"crashes":0,"first":"2023-11-14T22:13:20.250Z","last":"2023-11-14T22:14:20.250Z","trace":null,"record":{"id":107,"user_name":"","email":"a\u202eb","first_name":"","last_name":"","ip_address":"","gender":"","country":"","agent":""}}
    "#);
}

#[test]
fn export_writes_a_batch_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.ndjson");
    let line = format!("dead export --batch b-1 --output {}", path.display());
    let said = printed(&double(), &line);
    assert_eq!(said, format!("exported  5 dead letters to {}\n", path.display()));
    assert_eq!(places(&fs::read_to_string(path).unwrap()), [6, 7, 8, 21, 900]);
}

#[test]
fn replay_says_how_many_and_where_they_are() {
    let double = double();
    insta::assert_snapshot!(printed(&double, "dead replay --batch b-1"), @r"
    replayed  5 dead letters
    in batch  b-1
    ");
    insta::assert_snapshot!(printed(&double, "dead replay --all --json"), @r#"
    {"replayed":5,"batches":["b-1"]}
    "#);
    insta::assert_snapshot!(printed(&double, "dead replay b-1 7 --wait"), @r"
    replayed  1 dead letter
    in batch  b-1
    settled   b-1: written (295 records, 0 dead letters)
    ");
    assert_eq!(
        double.changes(),
        [
            "replay batch b-1, email None",
            "replay all, email None",
            "replay letter b-1 7, email None"
        ]
    );
}

#[test]
fn replay_waits_and_ends_with_3_if_some_are_dead_again() {
    let sealed = Batch { state: BatchState::Sealed.into(), ..Batch::default() };
    let written = Batch { state: BatchState::Written.into(), dead: 1, kept: 4, ..Batch::default() };
    let double = Double::start().with_batch([sealed, written]).with_letters([(1, "no address")]);
    let finished = enter(&double, "dead replay --all --wait");
    assert_eq!(finished.code, 3);
    insta::assert_snapshot!(finished.stdout, @r"
    replayed  1 dead letter
    in batch  b-1
    settled   b-1: written (4 records, 1 dead letter)
    ");
}

#[test]
fn a_replay_says_where_the_records_are_even_if_waiting_fails() {
    let aborted = Batch { state: BatchState::Aborted.into(), ..Batch::default() };
    let double = Double::start().with_batch([aborted]).with_letters([(1, "no address")]);
    let finished = enter(&double, "dead replay --all --wait --json");
    assert_eq!(finished.code, 1);
    assert_eq!(finished.stdout, "{\"replayed\":1,\"batches\":[\"b-1\"]}\n");
    assert!(finished.stderr.contains("batch b-1 is aborted"), "{finished:?}");
}

#[test]
fn replay_takes_another_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    let double = double();
    let line = format!("dead replay b-1 7 --record {}", path.display());

    fs::write(&path, r#"{"id": 7, "email": "a@example.org"}"#).unwrap();
    printed(&double, &line);
    assert_eq!(double.changes(), [r#"replay letter b-1 7, email Some("a@example.org")"#]);

    for (content, said) in [
        (r#"{"id": 7, "#, "the file ends inside this record"),
        (r#"{"id": 7}{"id": 8}"#, "more than one record"),
        (r#"{"id": 7, "emial": ""}"#, "a field that a record does not have"),
        ("", "has no record"),
    ] {
        fs::write(&path, content).unwrap();
        let message = refused(&double, &line, 2);
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(double.changes().len(), 1);
}

#[test]
fn exactly_one_selector_is_needed() {
    for command in ["dead replay", "dead drop --yes"] {
        for selectors in
            ["", " b-1", " b-1 7 --all", " --batch b-1 --group g", " --all --batch b-1"]
        {
            let double = double();
            refused(&double, &format!("{command}{selectors}"), 2);
            assert!(double.changes().is_empty(), "{command}{selectors}");
        }
    }
    refused(&double(), "dead replay --all --record record.json", 2);
}

#[test]
fn drop_needs_a_yes() {
    let double = double();
    let message = refused(&double, "dead drop --all", 2);
    assert!(message.contains("say --yes"), "{message}");
    assert!(double.changes().is_empty());
    assert_eq!(printed(&double, "dead drop --all --yes"), "dropped   5 dead letters\n");
    assert_eq!(
        printed(&double, "dead drop b-1 7 --yes --json"),
        "{\"dropped\":1,\"export\":null}\n"
    );
    assert_eq!(double.changes(), ["drop all", "drop letter b-1 7"]);
}

#[test]
fn what_is_dropped_is_in_a_file_before() {
    let double = double();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let exported = printed(&double, &format!("dead export --output {}", file("all").display()));
    assert!(exported.starts_with("exported  5 dead letters to "), "{exported}");
    let all = std::fs::read_to_string(file("all")).unwrap();
    for (name, which, dropped) in
        [("one", "b-1 7", vec![7]), ("batch", "--batch b-1", vec![6, 7, 8, 21, 900])]
    {
        let before = double.changes().len();
        let path = file(name);
        let shown =
            printed(&double, &format!("dead drop {which} --yes --export {}", path.display()));
        let letters = dropped.len();
        assert!(shown.starts_with(&format!("exported  {letters} dead letter")), "{shown}");
        let lines = std::fs::read_to_string(&path).unwrap();
        assert_eq!(places(&lines).len(), letters);
        assert!(lines.lines().all(|line| all.lines().any(|letter| letter == line)));
        let changes = double.changes()[before..].join(" ").replace("drop letters", "");
        let mut places: Vec<u64> = changes
            .replace("b-1", "")
            .split_whitespace()
            .map(|place| place.parse().unwrap())
            .collect();
        places.sort_unstable();
        assert_eq!(places, dropped, "only what is in the file is dropped");
    }
    let before = double.changes().len();
    let command = format!("dead drop --all --yes --export {}", file("one").display());
    let message = refused(&double, &command, 2);
    assert!(message.contains("File exists"), "{message}");
    assert_eq!(double.changes().len(), before, "nothing is dropped");
}
