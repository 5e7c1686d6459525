#!/usr/bin/env bash
# Guess: flow control alone decides how much a client may send. A server that does not read makes the client
#   wait when its window is full, whatever the length of the DATA frames.
# Version: h2 0.4.20 (crates.io), the HTTP/2 of hyper and tonic
# Behaviour: frames below 256 bytes that wait to be read also use up a budget: 256 bytes less the length of
#   each, up to half of the connection's window. A gRPC client that sends each record of 25 bytes in a frame
#   of its own loses its connection, and all calls on it, while more than half of the stream's window is free.
#   With the largest connection window the same client waits.
# Seen: with a stream window of 1 MiB and a connection window of 4 MiB: ended by GO_AWAY (ENHANCE_YOUR_CALM)
#   when the client has sent 409590 bytes. With a connection window of 2^31 - 1: it waits after 1048560 bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "small-frames"
version = "0.0.0"
edition = "2021"

[dependencies]
bytes = "=1.12.2"
h2 = "=0.4.20"
http = "=1.5.0"
tokio = { version = "=1.54.1", features = ["io-util", "macros", "rt", "time"] }

[workspace]
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

const FRAME: Bytes = Bytes::from_static(&[0; 30]);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for connection_window in [4 << 20, i32::MAX as u32] {
        let (client, server) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let mut builder = h2::server::Builder::new();
            builder.initial_window_size(1 << 20).initial_connection_window_size(connection_window);
            let mut connection = builder.handshake::<_, Bytes>(server).await.unwrap();
            let mut unread = Vec::new();
            while let Some(Ok(call)) = connection.accept().await {
                unread.push(call);
            }
        });
        let (mut calls, connection) = h2::client::handshake(client).await.unwrap();
        let ended = tokio::spawn(connection);
        // The server's settings arrive with the answer to the client's.
        calls = calls.ready().await.unwrap();
        let request = http::Request::post("http://localhost/").body(()).unwrap();
        let (_response, mut messages) = calls.send_request(request, false).unwrap();
        let mut sent = 0;
        let end = loop {
            messages.reserve_capacity(FRAME.len());
            let capacity = poll_fn(|context| messages.poll_capacity(context));
            match timeout(Duration::from_secs(2), capacity).await {
                Err(_) => break "waits".to_owned(),
                Ok(Some(Ok(_))) if messages.capacity() < FRAME.len() => {}
                Ok(Some(Ok(_))) => {
                    messages.send_data(FRAME, false).unwrap();
                    sent += FRAME.len();
                }
                Ok(_) => {
                    let error = ended.await.unwrap().unwrap_err();
                    break format!("GO_AWAY {:?}", error.reason().unwrap());
                }
            }
        };
        println!("{connection_window}: {end} after {sent} bytes");
    }
}
RUST
found=$(cargo run --quiet --release --manifest-path "$folder/Cargo.toml")
echo "$found"
grep -q '^4194304: GO_AWAY ENHANCE_YOUR_CALM after [2-4][0-9]\{5\} bytes$' <<<"$found"
grep -q '^2147483647: waits after 1048[0-9]\{3\} bytes$' <<<"$found"
