//! `health`: a program asks the one that runs with the same flags whether it is ready.

use std::net::TcpListener;

use muster_integration::ports::free_port;
use muster_integration::process::Finished;
use muster_integration::{http, wait};

use crate::{Desk, LIMIT};

/// To be reached by others, in words.
const OPEN: &str = "--plain-text --anonymous --listen 127.0.0.1:0";

/// A server and a worker whose probes are on this port, and whose store is this one.
fn server_and_worker(port: u16, store: &str) -> [String; 2] {
    [
        format!("muster-server {OPEN} --http 0.0.0.0:{port} --store {store}"),
        format!("muster-worker --http 0.0.0.0:{port} --store {store}"),
    ]
}

fn health(desk: &Desk, line: &str) -> Finished {
    desk.enter(&format!("{line} health"))
}

fn wait_for_readiness(port: u16) {
    let ready = || (http::status(port, "/readyz") == Some(200)).then_some(());
    wait::until(LIMIT, ready, || format!("nothing on port {port} is ready"));
}

#[test]
fn a_program_that_is_ready_says_so() {
    let port = free_port();
    let up = format!("muster up {OPEN} --http 0.0.0.0:{port}");
    for line in server_and_worker(port, "file:queue").into_iter().chain([up]) {
        let desk = Desk::new();
        let _program = desk.start(&line);
        wait_for_readiness(port);
        assert_eq!(http::status(port, "/livez"), Some(200), "{line}");
        let finished = health(&desk, &line).expect_code(0);
        assert_eq!((finished.stdout.trim_end(), &*finished.stderr), ("ready", ""), "{line}");
    }
}

#[test]
fn the_settings_say_where_to_ask() {
    let (desk, port) = (Desk::new(), free_port());
    let settings = format!("store = \"file:queue\"\n[worker]\nhttp = \"127.0.0.1:{port}\"\n");
    desk.put("muster.toml", &settings);
    let _program = desk.start("muster-worker --config muster.toml");
    wait_for_readiness(port);
    health(&desk, "muster-worker --config muster.toml").expect_code(0);
    let address = format!("127.0.0.1:{port}");
    desk.enter_with("muster-worker health", &[("MUSTER_WORKER_HTTP", &address)]).expect_code(0);
}

#[test]
fn workers_on_one_machine_need_an_address_each() {
    let (desk, port, own) = (Desk::new(), free_port(), free_port());
    let store = format!("redis://127.0.0.1:{}", free_port());
    let settings = format!("store = \"{store}\"\n[worker]\nhttp = \"127.0.0.1:{port}\"\n");
    desk.put("muster.toml", &settings);
    let is_alive = |port| (http::status(port, "/livez") == Some(200)).then_some(());
    let line = "muster-worker --config muster.toml";
    let _first = desk.start(line);
    wait::until(LIMIT, || is_alive(port), || "the first worker is not there".to_owned());
    let second = desk.enter(line).expect_code(1);
    let told = format!(
        "cannot listen on 127.0.0.1:{port} (`http`, --http): Address already in use (os error 98); \
         another process listens there; each process on a machine needs an address of its own, and \
         with port 0 the system chooses a free port"
    );
    assert!(second.stderr.contains(&told), "{second}");
    let _second = desk.start_with(line, &[("MUSTER_WORKER_HTTP", &format!("127.0.0.1:{own}"))]);
    wait::until(LIMIT, || is_alive(own), || "the second worker is not there".to_owned());
}

#[test]
fn a_program_whose_store_is_away_says_why() {
    let (port, store) = (free_port(), free_port());
    for line in server_and_worker(port, &format!("redis://127.0.0.1:{store}")) {
        let desk = Desk::new();
        let program = line.split(' ').next().expect("a program");
        let _program = desk.start(&line);
        let is_away = format!("{program}: waiting for the store: ");
        let away = wait::until(
            LIMIT,
            || {
                let finished = health(&desk, &line).expect_code(1);
                (finished.stderr.starts_with(&is_away)
                    && !finished.stderr.contains("has not answered yet"))
                .then_some(finished)
            },
            || format!("{line} does not say that its store is away"),
        );
        assert!(away.stderr.contains("Connection refused"), "{away}");
        assert_eq!(away.stdout, "", "reasons go to standard error");
        assert_eq!(http::status(port, "/readyz"), Some(503), "{line}");
        assert_eq!(http::status(port, "/livez"), Some(200), "{line} is alive");
    }
}

#[test]
fn a_program_that_does_not_run_is_named_by_its_address() {
    let port = free_port();
    for line in server_and_worker(port, "file:queue") {
        let finished = health(&Desk::new(), &line).expect_code(1);
        assert_eq!(finished.stdout, "", "{line}");
        let refused = format!("no answer from 127.0.0.1:{port} (`http`): Connection refused");
        assert!(finished.stderr.contains(&refused), "{finished}");
    }
}

#[test]
fn a_program_that_does_not_answer_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = silent.local_addr().expect("a listener has an address");
    let finished = health(&Desk::new(), &format!("muster-server --http {address}")).expect_code(1);
    let late = format!("muster-server: no answer from {address} (`http`) within 2s");
    assert_eq!(finished.stderr.trim_end(), late);
}

#[test]
fn a_worker_without_probes_cannot_be_asked() {
    let finished = health(&Desk::new(), "muster-worker").expect_code(2);
    assert_eq!(finished.stdout, "");
    insta::assert_snapshot!(finished.stderr, @"muster-worker: `worker.http` is not set: there is nowhere to ask");
}
