//! `muster-flaky-worker`: `muster-worker`, but for a processor that fails at times. So records wait for a
//! retry whenever a fault begins.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use muster_proto::user::User;
use muster_worker::processor::{Pipeline, Processor, Verdict};

/// One record of this many fails, from the first on.
const FAILS_ONE_OF: i32 = 64;

/// Fails the first attempt at some records in this process, and does what `muster-worker` does otherwise.
#[derive(Debug)]
struct Flaky {
    usual: Pipeline,
    /// The emails of the records that have failed.
    failed: Mutex<HashSet<String>>,
}

impl Processor for Flaky {
    fn process(&self, record: &User<'_>) -> Verdict {
        let is_flaky = record.id % FAILS_ONE_OF == 1;
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if is_flaky && failed.insert(record.email.to_owned()) {
            return Verdict::Fail("the first attempt fails".to_owned());
        }
        drop(failed);
        self.usual.process(record)
    }
}

fn main() -> ExitCode {
    muster_worker::cli::main("muster-flaky-worker", |config| {
        Arc::new(Flaky { usual: config.pipeline(), failed: Mutex::default() })
    })
}
