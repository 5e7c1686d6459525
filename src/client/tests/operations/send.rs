//! `send`: its policy, how its waiting ends, and a server that is full.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use muster_proto::v1::{Batch, BatchState};
use tempfile::TempDir;

use crate::double::Double;
use crate::{command, enter, finish, printed, refused};

fn input() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    fs::write(&path, r#"[{"id":1},{"id":2},{"id":3}]"#).unwrap();
    (folder, path)
}

fn batch(state: BatchState) -> Batch {
    Batch { state: state.into(), received: 3, ..Batch::default() }
}

#[test]
fn the_policy_goes_with_the_records() {
    let (_folder, path) = input();
    let double = Double::start();
    printed(&double, &format!("send {} --policy fail", path.display()));
    printed(&double, &format!("send {}", path.display()));
    assert_eq!(double.changes(), [r#"send 3, policy Some("fail")"#, "send 3, policy None"]);
    refused(&double, &format!("send {} --policy maybe", path.display()), 2);
}

#[test]
fn waiting_ends_when_the_batch_is_held() {
    let (_folder, path) = input();
    let held = Batch { kept: 2, dead: 1, held: true, ..batch(BatchState::Sealed) };
    let double = Double::start().with_batch([batch(BatchState::Sealed), held]);
    let double = double.with_letters([(1, "no \x1b[2J address")]);
    let finished =
        enter(&double, &format!("send {} --batch b-1 --policy fail --wait", path.display()));
    assert_eq!(finished.code, 3);
    let line = finished.stdout.lines().last().unwrap();
    insta::assert_snapshot!(line, @r"
    in roll   nothing yet: 1 dead letter must be replayed or dropped (muster-client dead list --batch b-1)
    ");
    let complaint = finished.stderr.replace(path.to_str().unwrap(), "users.json");
    insta::assert_snapshot!(complaint, @r"
    users.json:1: dead letter: no \u{1b}[2J address
    ");
}

#[test]
fn waiting_fails_when_the_batch_is_aborted() {
    let (_folder, path) = input();
    let double =
        Double::start().with_batch([batch(BatchState::Sealed), batch(BatchState::Aborted)]);
    let line = format!("send {} --batch b-1 --wait", path.display());
    insta::assert_snapshot!(refused(&double, &line, 1), @r"
    muster-client: [server]: batch b-1 is aborted: somebody discarded it. None of it is in the roll; send it as a new batch if it is still wanted
    ");
}

#[test]
fn a_server_that_is_full_is_waited_for() {
    let (_folder, path) = input();
    // Longer than `retry_for`, which is for a server that is silent.
    let double = Double::start().with_batch([batch(BatchState::Open)]);
    let double = double.full_for(Duration::from_secs(3));
    printed(&double, &format!("send {} --batch b-1 --mode unary --in-flight 1", path.display()));
    assert_eq!(double.changes(), ["seal 3"]);
}

#[test]
fn a_stream_that_is_not_read_for_a_while_is_not_given_up() {
    let (_folder, path) = input();
    // More than a connection takes that nobody reads: 3 MB of records.
    let record = format!("{{\"agent\":\"{}\"}}\n", "a".repeat(1000));
    fs::write(&path, record.repeat(3000)).unwrap();
    // Longer than `retry_for`, which is for a server that is silent.
    let double = Double::start().stalled_for(Duration::from_secs(3));
    printed(&double, &format!("send {}", path.display()));
    assert_eq!(double.changes(), ["send 3000, policy None"]);
}

#[test]
fn a_stream_begins_again_if_the_store_still_has_all_that_was_confirmed() {
    let (_folder, path) = input();
    let open = Batch { received: 0, ..batch(BatchState::Open) };
    let double = Double::start().with_batch([open]).behind();
    printed(&double, &format!("send {} --batch b-1", path.display()));
    assert_eq!(double.changes(), ["send 3, policy None"]);
}

#[test]
fn sender_gives_up_when_the_server_is_away() {
    let (_folder, path) = input();
    let double = Double::start();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut send = command(&double, &["send", path.to_str().unwrap()]);
    send.env("MUSTER_CLIENT_SERVER", format!("http://{unused}"));
    let child = send.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let finished = finish(&double, child);
    assert_eq!((finished.code, finished.stdout.as_str()), (1, ""), "{}", finished.stderr);
}
