//! Each store goes through random steps beside a model, and must answer as the model does.
//!
//! A failure names its seed. `PROPTEST_RNG_SEED=<seed>` makes the same steps again.

mod state_machine {
    pub(crate) mod desk;
    pub(crate) mod drain;
    pub(crate) mod model;
    pub(crate) mod run;
    pub(crate) mod session;
    pub(crate) mod step;
}
mod support;

use std::sync::Arc;

use muster_queue::Result;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::ReferenceStateMachine;
use tokio::runtime::Runtime;

use state_machine::model::Model;
use state_machine::run::Run;
use state_machine::session::{Home, Session};

/// Steps in one sequence.
const STEPS: std::ops::Range<usize> = 1..150;

#[test]
fn memory_answers_as_the_model_does() {
    hold(&runtime(), 300, async || {
        let (queue, ()) = support::memory().await?;
        Ok(Session { queue, home: Home::Memory })
    });
}

#[test]
fn embedded_answers_as_the_model_does() {
    hold(&runtime(), 50, async || {
        let (queue, folder) = support::embedded().await?;
        Ok(Session { queue, home: Home::Embedded(folder) })
    });
}

#[test]
fn redis_answers_as_the_model_does() {
    let runtime = runtime();
    let (_, server) = runtime.block_on(support::redis()).expect("a store on Redis");
    let server = Arc::new(server);
    hold(&runtime, 150, async || {
        let home = Home::Redis(Arc::clone(&server));
        home.empty().await;
        let queue = support::connect_redis(&server).await?;
        Ok(Session { queue, home })
    });
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// Goes through this many sequences of steps, each in a store that `open` made anew.
fn hold(runtime: &Runtime, cases: u32, open: impl AsyncFn() -> Result<Session>) {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => rand::random(),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let sequences = Model::sequential_strategy(STEPS);
    let held = TestRunner::new(config).run(&sequences, |(model, steps, seen)| {
        runtime.block_on(async {
            let session = open().await.expect("the store opens");
            Run::new(model, session).go(steps, seen).await;
        });
        Ok(())
    });
    if let Err(failure) = held {
        panic!("with PROPTEST_RNG_SEED={seed}: {failure}");
    }
}
