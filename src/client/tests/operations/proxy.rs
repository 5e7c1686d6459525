//! What a proxy answers in place of the server.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

/// A frame of HTTP/2: its type, its flags, its stream, its payload (RFC 9113).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Answers every call on a connection with this status and a page of HTML.
fn answer(mut connection: TcpStream, status: &str) -> io::Result<()> {
    let mut preface = [0; 24];
    connection.read_exact(&mut preface)?;
    connection.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        connection.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & ACK == 0 => connection.write_all(&frame(SETTINGS, ACK, 0, &[]))?,
            HEADERS => {
                let stream = u32::from_be_bytes(stream);
                // Literals without indexing: `:status` is name 8, and `content-type` 31 (RFC 7541).
                let mut headers = vec![0x08, 3];
                headers.extend(status.as_bytes());
                headers.extend([0x0f, 0x10, 9]);
                headers.extend(b"text/html");
                connection.write_all(&frame(HEADERS, END_HEADERS, stream, &headers))?;
                let page = b"<html>something</html>";
                connection.write_all(&frame(DATA, END_STREAM, stream, page))?;
            }
            _ => {}
        }
    }
}

/// What the client says of a proxy that answers with this status.
fn said(status: &'static str, words: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            thread::spawn(move || answer(connection, status));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.json"), r#"[{"id":1}]"#).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster-client"));
    command.args(words).env_clear().current_dir(folder.path()).stdin(Stdio::null());
    command.env("MUSTER_CLIENT_SERVER", &url).env("MUSTER_CLIENT_RETRY_FOR", "1s");
    let finished = command.output().unwrap();
    assert_eq!(finished.status.code(), Some(1));
    String::from_utf8(finished.stderr).unwrap().replace(&url, "[server]")
}

#[test]
fn a_proxy_that_refuses_is_named() {
    for words in [["stats"].as_slice(), &["send", "users.json", "--batch", "b"]] {
        let said = said("413", words);
        assert!(
            said.contains("[server]: a proxy answered 413 Payload Too Large (Unknown)"),
            "{said}"
        );
    }
    let unary = said("413", &["send", "users.json", "--mode", "unary"]);
    assert!(unary.contains("a proxy answered 413 Payload Too Large"), "{unary}");
    let page = said("200", &["stats"]);
    let expected = "a proxy answered 200 OK with text/html in place of gRPC";
    assert!(page.contains(expected), "{page}");
    let missing = said("404", &["stats"]);
    assert!(missing.contains("a proxy answered 404 Not Found (Unimplemented)"), "{missing}");
}
