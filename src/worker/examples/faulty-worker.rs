//! A worker with a processor of its own, which does to each record what its `agent` asks for: the
//! tests use it to see what a failing, panicking or crashing processor costs.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use muster_proto::user::User;
use muster_worker::processor::{Processor, Verdict};

#[derive(Debug)]
struct Faulty;

impl Processor for Faulty {
    fn process(&self, record: &User<'_>) -> Verdict {
        match record.agent {
            "reject" => Verdict::Reject("rejected, as it asked for".to_owned()),
            "fail" => Verdict::Fail("failed, as it asked for".to_owned()),
            "panic" => panic!("as it asked for"),
            "abort" => std::process::abort(),
            agent => match agent.strip_prefix("slow ").and_then(|seconds| seconds.parse().ok()) {
                Some(seconds) => wait(seconds),
                None => Verdict::Keep,
            },
        }
    }
}

fn wait(seconds: u64) -> Verdict {
    tracing::info!(seconds, "slow, as it asked for");
    thread::sleep(Duration::from_secs(seconds));
    Verdict::Keep
}

fn main() -> ExitCode {
    muster_worker::cli::main("faulty-worker", |_| Arc::new(Faulty))
}
