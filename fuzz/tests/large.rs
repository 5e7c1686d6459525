//! Fields of 1 MiB, and what is made of many small pieces: too much for a file in the corpus.

use muster_fuzz::{chunk, config, dashboard, json, metadata, printable, record, server, store_url};
use muster_proto::users::UserRequest;
use prost::Message as _;

const MIB: usize = 1 << 20;

/// A text of 1 MiB of what is shown otherwise than it is.
fn text() -> String {
    "\u{1b}<b>\u{202e}\0\"".repeat(MIB / 9)
}

fn wire() -> Vec<u8> {
    UserRequest { email: text(), agent: text(), ..UserRequest::default() }.encode_to_vec()
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn a_record() {
    record(&wire());
    record(&[0x53].repeat(MIB));
}

#[test]
fn a_chunk() {
    let records = [0, 255].iter().copied().chain(std::iter::repeat_n(7, 100_000));
    chunk(&records.collect::<Vec<u8>>());
    // What it claims to hold is 255 times as long as it is.
    let len = 16 << 10;
    let mut bomb = vec![1, 0x80, 0x80, 0xff, 0x01, 0x80, 0x80, 0x01, 0x1f, 0, 1, 0];
    bomb.resize(len, 0xff);
    chunk(&bomb);
}

#[test]
fn an_input() {
    let field = serde_json::json!({"id": 1, "email": text()}).to_string();
    json(field.as_bytes());
    json(format!("[{{\"id\":1}},\n{{\"x\":\"{}\"}},\n{{\"id\":2}}]", "x".repeat(MIB)).as_bytes());
    json("[".repeat(MIB).as_bytes());
    json("{\"a\":".repeat(MIB / 5).as_bytes());
    json(format!("{{\"id\":{}}}", "9".repeat(MIB / 2)).as_bytes());
    json("{\n".repeat(20_000).as_bytes());
}

#[test]
fn settings() {
    config(&joined(&[
        b"log = \"",
        "x".repeat(MIB).as_bytes(),
        b"\"\n--\nMUSTER_LOG=",
        &[b'y'; MIB],
    ]));
    config(&joined(&["[".repeat(MIB / 16).as_bytes(), b"\n--\n\n--\nredis://a:\n--\n@b"]));
    config(&joined(&[b"\"", "k".repeat(MIB / 16).as_bytes(), b"\" = 1"]));
}

#[test]
fn a_store_s_url_metadata_and_a_line() {
    store_url(&joined(&[b"redis://", text().as_bytes(), b":s3cret@localhost"]));
    store_url(&joined(&[b"file:", &[b'x'; MIB]]));
    metadata(&joined(&[b"muster-batch: ", &[b'x'; MIB]]));
    printable(text().as_bytes());
}

/// A call, as an input of `server` and `dashboard` has it.
fn call(what: &str, message: &[u8]) -> Vec<u8> {
    joined(&[what.as_bytes(), b"\n\n", message])
}

/// A message with one text.
fn message(field: u8, text: &str) -> Vec<u8> {
    let mut message = vec![field << 3 | 2];
    prost::encoding::encode_varint(text.len() as u64, &mut message);
    message.extend_from_slice(text.as_bytes());
    message
}

#[test]
fn calls() {
    let half = UserRequest { email: "\u{1b}<b>".repeat(MIB / 8), ..UserRequest::default() };
    let calls = [
        call("Users/SendUserInfo\nmuster-batch: b\nmuster-place: 0", &wire()),
        call("Users/SendUserInfo\nmuster-batch: b\nmuster-place: 1", &half.encode_to_vec()),
        call("bury", text().as_bytes()),
        call("muster.v1.DeadLetters/ListDeadLetters", &message(1, "b")),
        call("muster.v1.DeadLetters/ListDeadLetters", &message(2, &text())),
        call("muster.v1.Batches/GetBatch", &message(1, &text())),
        call("muster.v1.Queue/SetLogFilter", &message(1, &text())),
        call("muster.v1.Queue/SetLogFilter", &message(1, &"a=info,".repeat(MIB / 7))),
    ];
    server(&calls.join(&b"\n--\n"[..]));
}

#[test]
fn pages() {
    let record = UserRequest { email: "\u{1b}<b>".repeat(MIB / 8), ..UserRequest::default() };
    let calls = [
        call("Users/SendUserInfo\nmuster-batch: b\nmuster-place: 1", &record.encode_to_vec()),
        call("bury", text().as_bytes()),
        call("GET /dead/letter/b/0", b""),
        call("GET /dead/batch/b", b""),
        call(&format!("GET /dead?q={}", "%3Cb%3E".repeat(8000)), b""),
        call("POST /queue/log", &joined(&[b"filter=", &[b'x'; MIB]])),
    ];
    dashboard(&calls.join(&b"\n--\n"[..]));
}
