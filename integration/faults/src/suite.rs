//! Many schedules, several at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::run::{self, Outcome, Settings};
use crate::schedule::{Schedule, Topology};

/// Runs the schedules of these seeds, `jobs` of them at once, and says each and what came of it.
/// Without a topology each seed has its own. Returns the outcomes by their seeds.
pub fn run(
    seeds: Vec<u64>,
    topology: Option<Topology>,
    settings: &Settings,
    jobs: usize,
    say: &(dyn Fn(&str) + Sync),
) -> Vec<Outcome> {
    let seeds = Mutex::new(seeds.into_iter());
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(seed) = lock(&seeds).next() else { break };
            let topology = topology.unwrap_or_else(|| Topology::of_seed(seed));
            let schedule = Schedule::of_seed(seed, topology);
            say(&schedule.to_string());
            let outcome = run::run(&schedule, settings);
            say(&outcome.to_string());
            lock(&outcomes).push(outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome: &Outcome| outcome.schedule.seed);
    outcomes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
