//! Connections that one caller at a time has for its own, kept open while nobody has them.

use std::sync::{Mutex, PoisonError};

use super::link::Link;

/// How many are kept open while nobody has them.
const IDLE_MAX: usize = 64;

/// The connections that nobody has.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    /// How often the pool was emptied.
    generation: u64,
    links: Vec<Link>,
}

/// A connection of one's own.
pub(super) struct Own {
    pub(super) link: Link,
    generation: u64,
}

impl Own {
    /// A new connection. `generation` is the pool's from before it was opened.
    pub(super) fn new(link: Link, generation: u64) -> Self {
        Self { link, generation }
    }
}

impl Pool {
    /// One that nobody has.
    pub(super) fn take(&self) -> Option<Own> {
        let mut idle = self.lock();
        let generation = idle.generation;
        idle.links.pop().map(|link| Own { link, generation })
    }

    /// How often the pool was emptied.
    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Takes one back that works, unless the pool was emptied since it was opened.
    pub(super) fn put_back(&self, own: Own) {
        let mut idle = self.lock();
        if own.generation == idle.generation && idle.links.len() < IDLE_MAX {
            idle.links.push(own.link);
        }
    }

    /// Closes all, those in use when they come back: they are likely lost with the one that was.
    pub(super) fn empty(&self) {
        let mut idle = self.lock();
        idle.generation += 1;
        idle.links.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
