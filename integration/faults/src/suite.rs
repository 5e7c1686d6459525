//! Many schedules, several at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::run::{self, Outcome, Settings};
use crate::schedule::{Family, Schedule, Topology};

/// Runs the schedules of these families and seeds, `jobs` of them at once, and says each and what came
/// of it. Without a topology each seed has its own. Returns the outcomes by their families and seeds.
pub fn run(
    families: &[Family],
    seeds: &[u64],
    topology: Option<Topology>,
    settings: &Settings,
    jobs: usize,
    say: &(dyn Fn(&str) + Sync),
) -> Vec<Outcome> {
    let all = families.iter().flat_map(|family| seeds.iter().map(|seed| (*family, *seed)));
    let all = Mutex::new(all);
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some((family, seed)) = lock(&all).next() else { break };
            let topology = topology.unwrap_or_else(|| Topology::of_seed(seed));
            let schedule = Schedule::of_seed(family, seed, topology);
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
    outcomes.sort_by_key(|outcome: &Outcome| (outcome.schedule.family, outcome.schedule.seed));
    outcomes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
