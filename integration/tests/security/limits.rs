//! Too much, too long, too slow, too often: cut off, while others are served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use muster_integration::process::Process;
use muster_integration::wait;

use crate::raw::{PREFACE, connect, frame, get, wait_for_end};
use crate::site::{LIMIT, Site, new_token};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
/// `:method: POST`, `:scheme: http`, `:path: /Users/SendUserInfo`, `:authority: a` and
/// `content-type: application/grpc`, in HPACK.
const CALL: &[u8] = b"\x83\x86\x04\x13/Users/SendUserInfo\x01\x01a\x0f\x10\x10application/grpc";

/// The headers of a call to this method, with a token.
fn call_with(token: &str, path: &str) -> Vec<u8> {
    let literal = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let mut headers = [b"\x83\x86\x04", &literal(path)[..], b"\x01\x01a"].concat();
    for (name, value) in [
        ("authorization", format!("Bearer {token}").as_str()),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        headers.extend([b"\0", &literal(name)[..], &literal(value)].concat());
    }
    headers
}

/// Waits until these bytes are among those that came.
fn wait_for(stream: &mut TcpStream, bytes: &[u8]) {
    let mut answer = vec![0; 4096];
    let mut said: Vec<u8> = Vec::new();
    while !said.windows(bytes.len()).any(|window| window == bytes) {
        let len = stream.read(&mut answer).expect("an answer comes");
        assert!(len > 0, "the connection ended without a word: {said:?}");
        said.extend(&answer[..len]);
    }
}

/// Waits for headers that end the first call: the status is among them.
fn wait_for_status(stream: &mut TcpStream) {
    wait_for(stream, &frame(HEADERS, 5, 1, &[])[3..]);
}

/// What is inside is served all the while.
fn assert_serves(site: &Site) {
    site.send(3).expect_code(0);
    assert_eq!(get(site.stack.http_port(), "/readyz", None).0, 200);
}

#[test]
fn who_says_nothing_says_it_slowly_or_says_no_more_is_cut_off() {
    let site = Site::open(&[("MUSTER_SERVER_ARRIVAL_MAX", "1s"), ("MUSTER_SERVER_IDLE_MAX", "1s")]);
    let grpc = site.stack.grpc_port();
    let http = site.stack.http_port();
    let begun = Instant::now();
    // Nothing; half a preface; a preface and no call; a call whose record does not come.
    let headers = frame(HEADERS, 4, 1, CALL);
    for said in [&b""[..], &PREFACE[..10], PREFACE, &[PREFACE, &headers].concat()] {
        let mut stream = connect(grpc);
        stream.write_all(said).unwrap();
        wait_for_end(&mut stream, LIMIT);
    }
    // Headers byte by byte.
    let mut stream = connect(http);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
    wait_for_end(&mut stream, LIMIT);
    let mut stream = connect(http);
    wait_for_end(&mut stream, LIMIT);
    // One that was served, and asks nothing more.
    let mut stream = connect(http);
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(wait_for_end(&mut stream, LIMIT).starts_with(b"HTTP/1.1 200"));
    assert!(begun.elapsed() < LIMIT);
    assert_serves(&site);
}

#[test]
fn who_takes_nothing_of_a_download_is_cut_off() {
    let site = Site::open(&[("MUSTER_SERVER_WRITE_MAX", "1s")]);
    // More than sockets hold.
    site.send(100_000).expect_code(0);
    let mut stream = connect(site.stack.http_port());
    let head = format!(
        "GET /roll/all_users.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        site.reader
    );
    stream.write_all(head.as_bytes()).unwrap();
    let open = || {
        let (_, metrics) = get(site.stack.http_port(), "/metrics", Some(&site.reader));
        metrics.contains("muster_connections_refused_total{reason=\"late\"} 1").then_some(())
    };
    wait::until(LIMIT, open, || "it is still open".to_owned());
    let mut taken = Vec::new();
    let whole = stream.read_to_end(&mut taken).is_ok();
    assert!(!whole || taken.len() < 20_000_000, "the rest was not sent");
}

#[test]
fn headers_without_end_are_refused() {
    let site = Site::open(&[]);
    let mut stream = connect(site.stack.grpc_port());
    stream.write_all(PREFACE).unwrap();
    stream.write_all(&frame(HEADERS, 0, 1, CALL)).unwrap();
    // A literal header of 8 KiB, again and again: `x: aaa…`.
    let mut header = b"\x00\x01x\x7f\x81\x3f".to_vec();
    header.extend([b'a'; 127 + 8065]);
    let more = frame(CONTINUATION, 0, 1, &header);
    let sent = (0..100_000).take_while(|_| stream.write_all(&more).is_ok()).count();
    assert!(sent < 10_000, "{sent} frames of headers were taken");
    assert_serves(&site);
}

#[test]
fn calls_that_are_begun_and_taken_back_end_the_connection() {
    let site = Site::open(&[]);
    let mut stream = connect(site.stack.grpc_port());
    stream.write_all(PREFACE).unwrap();
    let begun = (0..1_000_000_u32).map(|i| 2 * i + 1).take_while(|id| {
        let call = [frame(HEADERS, 4, *id, CALL), frame(RST_STREAM, 0, *id, &[0, 0, 0, 8])];
        stream.write_all(&call.concat()).is_ok()
    });
    let begun = begun.count();
    assert!(begun < 1_000_000, "all calls were taken");
    assert_serves(&site);
}

#[test]
fn a_message_that_is_too_long_ends_its_call_and_no_other() {
    let site = Site::open(&[]);
    let mut stream = connect(site.stack.grpc_port());
    stream.write_all(PREFACE).unwrap();
    let call = call_with(&site.sender, "/Users/SendUserInfo");
    stream.write_all(&frame(HEADERS, 4, 1, &call)).unwrap();
    // A message that says it has 4 GiB.
    stream.write_all(&frame(DATA, 0, 1, b"\x00\xff\xff\xff\xff")).unwrap();
    wait_for_status(&mut stream);
    assert_serves(&site);
}

#[test]
fn a_call_that_is_not_over_in_time_is_ended() {
    let site = Site::open(&[("MUSTER_SERVER_CALL_MAX", "1s")]);
    let mut stream = connect(site.stack.grpc_port());
    stream.write_all(PREFACE).unwrap();
    let call = call_with(&site.sender, "/Users/SendUserInfo");
    stream.write_all(&frame(HEADERS, 4, 1, &call)).unwrap();
    wait_for_status(&mut stream);
    let (_, metrics) = get(site.stack.http_port(), "/metrics", Some(&site.reader));
    let counted = "_count{method=\"Users/SendUserInfo\",code=\"DeadlineExceeded\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert_serves(&site);
}

/// Asks for something, and lets none of the answer come.
fn ask_and_take_nothing(site: &Site) -> TcpStream {
    let mut stream = connect(site.stack.grpc_port());
    // With a window of no bytes.
    let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let call = frame(HEADERS, 4, 1, &call_with(&site.reader, "/muster.v1.Queue/GetStats"));
    let asked = [&PREFACE[..24], &settings, &call, &frame(DATA, 1, 1, &[0; 5])].concat();
    stream.write_all(&asked).unwrap();
    stream
}

#[test]
fn an_answer_that_is_not_taken_keeps_its_seat_and_not_for_long() {
    let site = Site::open(&[("MUSTER_SERVER_CALLS_PER_ADDRESS_MAX", "1")]);
    let mut stream = ask_and_take_nothing(&site);
    // It is answered: what follows is behind it.
    stream.read_exact(&mut [0; 64]).unwrap();
    // Health checks take no seats of others, and others none of theirs.
    let mut check = connect(site.stack.grpc_port());
    let call = frame(HEADERS, 4, 1, &call_with("", "/grpc.health.v1.Health/Check"));
    check.write_all(&[PREFACE, &call, &frame(DATA, 1, 1, &[0; 5])].concat()).unwrap();
    wait_for(&mut check, b"\0\0\0\0\x02\x08\x01");
    let mut command = site.client(&["stats", "--log", "debug"], Some(&site.reader));
    let mut waiting = Process::start("muster-client", &mut command);
    waiting.wait_for_line("too many calls at once", LIMIT);
    drop(stream);
    waiting.wait(LIMIT).expect_code(0);

    let site = Site::open(&[("MUSTER_SERVER_CALL_MAX", "1s")]);
    wait_for_end(&mut ask_and_take_nothing(&site), LIMIT);
    assert_serves(&site);
}

#[test]
fn a_stream_too_many_has_no_seat_until_another_ends() {
    let site = Site::open(&[("MUSTER_SERVER_STREAMS_PER_ADDRESS_MAX", "1")]);
    let (silent, _silence) = site.begin_stream("silent", &site.sender);
    let file = site.records(3).display().to_string();
    let mut command = site.client(&["send", &file, "--log", "debug"], Some(&site.sender));
    let mut waiting = Process::start("muster-client", &mut command);
    waiting.wait_for_line("too many streams at once", LIMIT);
    drop(silent);
    waiting.wait(LIMIT).expect_code(0);
    assert_serves(&site);
}

#[test]
fn a_stream_that_brings_nothing_gives_its_seat_back() {
    let site = Site::open(&[
        ("MUSTER_SERVER_STREAMS_PER_ADDRESS_MAX", "1"),
        ("MUSTER_SERVER_STREAM_IDLE_MAX", "1s"),
    ]);
    let (mut silent, _silence) = site.begin_stream("silent", &site.sender);
    let file = site.records(3).display().to_string();
    let served =
        || (site.run(&["send", &file], Some(&site.sender)).code() == Some(0)).then_some(());
    wait::until(LIMIT, served, || "the seat is still taken".to_owned());
    assert!(silent.is_running(), "it goes on when it has something to send");
}

#[test]
fn nobody_sends_faster_than_they_may() {
    let site = Site::open(&[]);
    let slow =
        new_token(&site.access(), &["slow", "--role", "send", "--records-per-second", "100"]);
    let file = site.records(500).display().to_string();
    let known = || (site.run(&["send", &file], Some(&slow)).code() == Some(0)).then_some(());
    wait::until(LIMIT, known, || "the list was not read again".to_owned());
    for mode in ["stream", "unary"] {
        let begun = Instant::now();
        let mut command = site.client(&["send", &file, "--mode", mode], Some(&slow));
        command.env("MUSTER_CLIENT_RETRY_FOR", "60s");
        let sent = Process::start("muster-client", &mut command);
        sent.wait(LIMIT).expect_code(0);
        // A second's worth may go at once.
        assert!(begun.elapsed() > Duration::from_secs(3), "{mode}: {:?}", begun.elapsed());
    }
}
