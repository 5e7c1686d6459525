//! Each store goes through random steps beside a model, and must answer as the model does.
//!
//! A failure names its seed. `PROPTEST_RNG_SEED=<seed>` makes the same steps again.

mod state_machine {
    pub(crate) mod compare;
    pub(crate) mod desk;
    pub(crate) mod drain;
    pub(crate) mod letters;
    pub(crate) mod model;
    pub(crate) mod mutant;
    pub(crate) mod mutants;
    pub(crate) mod redis_mutants;
    pub(crate) mod run;
    pub(crate) mod session;
    pub(crate) mod step;
    pub(crate) mod work;
}
mod support;

use std::sync::Arc;

use muster_queue::Result;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::runtime::Runtime;

use state_machine::run::{OPTIONS, Run};
use state_machine::session::{Home, Session};

/// Steps in one sequence, at most.
const STEPS_MAX: usize = 150;

/// Sequences for each store: as many as take some seconds.
const CASES_IN_MEMORY: u32 = 500;
const CASES_EMBEDDED: u32 = 50;
const CASES_ON_REDIS: u32 = 150;

#[test]
fn memory_answers_as_the_model_does() {
    hold(&runtime(), CASES_IN_MEMORY, async || {
        let (queue, ()) = support::memory(OPTIONS).await?;
        Ok(Session { queue, home: Home::Memory })
    });
}

#[test]
fn embedded_answers_as_the_model_does() {
    hold(&runtime(), CASES_EMBEDDED, async || {
        let (queue, folder) = support::embedded(OPTIONS).await?;
        Ok(Session { queue, home: Home::Embedded(folder) })
    });
}

#[test]
fn redis_answers_as_the_model_does() {
    let runtime = runtime();
    let (_, server) = runtime.block_on(support::redis(OPTIONS)).expect("a store on Redis");
    let server = Arc::new(server);
    hold(&runtime, CASES_ON_REDIS, async || {
        let home = Home::Redis(Arc::clone(&server));
        home.empty().await;
        let queue = support::connect_redis(&server, OPTIONS).await?;
        Ok(Session { queue, home })
    });
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// Asserts that a store answers as the model does, in this many sequences of steps.
fn hold(runtime: &Runtime, cases: u32, open: impl AsyncFn() -> Result<Session>) {
    if let Some(failure) = find_failure(runtime, cases, open) {
        panic!("{failure}");
    }
}

/// Goes through this many sequences of steps, each in a store that `open` made anew. Returns the
/// shortest that fails, if there is any.
fn find_failure(
    runtime: &Runtime,
    cases: u32,
    open: impl AsyncFn() -> Result<Session>,
) -> Option<String> {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => rand::random(),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let held = TestRunner::new(config).run(&state_machine::step::steps(STEPS_MAX), |steps| {
        runtime.block_on(async {
            let session = open().await.expect("the store opens");
            Run::new(session).go(steps).await.expect("the store answers");
        });
        Ok(())
    });
    held.err().map(|failure| format!("with PROPTEST_RNG_SEED={seed}: {failure}"))
}
