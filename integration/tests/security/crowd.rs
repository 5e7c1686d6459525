//! A crowd that only opens connections, and somebody among it who works.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use std::io::Write as _;

use muster_integration::wait;

use crate::raw::PREFACE;
use crate::site::{LIMIT, Site};

/// How many connections are held open against the server at once.
const CROWD: usize = 5000;
/// How often each fifth of it opens up to 50 for those that were cut off.
const PACE: Duration = Duration::from_millis(100);
/// How many records somebody sends meanwhile.
const RECORDS: usize = 100_000;
/// How often it is tried without the crowd, and among it.
const ROUNDS: usize = 3;
/// What the server may need at the most, in MiB.
const PEAK_MIB_MAX: u64 = 300;

/// Holds connections open, each of which speaks half of the protocol, and opens others for those
/// that are cut off, until `done`. Returns how many it has opened.
fn crowd(port: u16, count: usize, done: &AtomicBool, opened: &AtomicUsize) {
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let mut held: Vec<TcpStream> = Vec::new();
    while !done.load(Ordering::Relaxed) {
        held.retain(|stream| {
            // Whatever can be read, or is over.
            let mut byte = [0];
            !matches!(stream.peek(&mut byte), Ok(0))
                && stream.take_error().is_ok_and(|error| error.is_none())
        });
        let missing = count - held.len();
        // The crowd is on the same machine: it must not take the processors by itself.
        thread::sleep(PACE);
        for i in 0..missing.min(50) {
            if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
                stream.set_nonblocking(true).unwrap();
                let said = [&b""[..], &PREFACE[..7], PREFACE][i % 3];
                let _ = stream.write_all(said);
                held.push(stream);
                opened.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[test]
fn among_a_crowd_of_strangers_who_has_a_token_gets_through() {
    let (_, hard) =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let site = Site::open(&[]);
    let timed = || {
        let begun = Instant::now();
        site.send(RECORDS).expect_code(0);
        RECORDS as f64 / begun.elapsed().as_secs_f64()
    };
    let opened = AtomicUsize::new(0);
    let timed_among = || {
        let (done, before) = (AtomicBool::new(false), opened.load(Ordering::Relaxed));
        thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| crowd(site.stack.grpc_port(), CROWD / 5, &done, &opened));
            }
            let is_there = || (opened.load(Ordering::Relaxed) - before >= CROWD).then_some(());
            wait::until(LIMIT, is_there, || "the crowd is not there".to_owned());
            let among = timed();
            done.store(true, Ordering::Relaxed);
            among
        })
    };
    // In turn, and the best of each: whatever else the machine does makes either slower.
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (timed(), timed_among())).collect();
    let alone = rounds.iter().map(|(alone, _)| *alone).fold(0.0, f64::max);
    let among = rounds.iter().map(|(_, among)| *among).fold(0.0, f64::max);
    let peak = site.stack.server.as_ref().unwrap().peak_memory() >> 20;
    let opened = opened.load(Ordering::Relaxed);
    println!(
        "{among:.0} records/s among a crowd of {CROWD}, {alone:.0} alone ({:.2}); \
         {opened} connections were opened; the server had {peak} MiB at most",
        among / alone
    );
    assert!(opened >= CROWD);
    assert!(among > alone / 2.0, "{among:.0} records/s in place of {alone:.0}");
    assert!(peak < PEAK_MIB_MAX, "{peak} MiB");
}

#[test]
fn ten_thousand_connections_one_after_another_leave_nothing_behind() {
    let site = Site::open(&[]);
    let server = site.stack.server.as_ref().unwrap();
    let files = || fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    site.send(3).expect_code(0);
    let mut held = Vec::new();
    for port in [site.stack.grpc_port(), site.stack.http_port()] {
        for _ in 0..10_000 {
            held.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap());
            if held.len() > 700 {
                held.remove(0);
            }
        }
    }
    site.send(3).expect_code(0);
    drop(held);
    wait::until(
        LIMIT,
        || (files() < 100).then_some(()),
        || format!("{} files are still open", files()),
    );
    let peak = server.peak_memory() >> 20;
    assert!(peak < PEAK_MIB_MAX, "{peak} MiB");
}
