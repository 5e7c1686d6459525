//! The Lua scripts: each step of the queue is one, and so atomic.

use redis::Script;

use super::keys::{BATCH, GROUP};

const CLOCK: &str = include_str!("scripts/clock.lua");
const COMPLETE: &str = include_str!("scripts/complete.lua");
const OWNER: &str = include_str!("scripts/owner.lua");
const SNAPSHOT: &str = include_str!("scripts/snapshot.lua");

/// Every script of the store; each file says what it takes and returns.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) append: Script,
    pub(super) commit: Script,
    pub(super) extend: Script,
    pub(super) forget: Script,
    pub(super) lease: Script,
    pub(super) mark_written: Script,
    pub(super) next_complete: Script,
    pub(super) open: Script,
    pub(super) release: Script,
    pub(super) results: Script,
    pub(super) seal: Script,
    pub(super) seal_overdue: Script,
    pub(super) show: Script,
    pub(super) take_over: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            append: script(&[CLOCK, include_str!("scripts/append.lua")]),
            commit: script(&[COMPLETE, include_str!("scripts/commit.lua")]),
            extend: script(&[OWNER, include_str!("scripts/extend.lua")]),
            forget: script(&[include_str!("scripts/forget.lua")]),
            lease: script(&[include_str!("scripts/lease.lua")]),
            mark_written: script(&[include_str!("scripts/mark_written.lua")]),
            next_complete: script(&[SNAPSHOT, include_str!("scripts/next_complete.lua")]),
            open: script(&[CLOCK, SNAPSHOT, include_str!("scripts/open.lua")]),
            release: script(&[OWNER, include_str!("scripts/release.lua")]),
            results: script(&[include_str!("scripts/results.lua")]),
            seal: script(&[COMPLETE, SNAPSHOT, include_str!("scripts/seal.lua")]),
            seal_overdue: script(&[CLOCK, COMPLETE, include_str!("scripts/seal_overdue.lua")]),
            show: script(&[SNAPSHOT, include_str!("scripts/show.lua")]),
            take_over: script(&[include_str!("scripts/take_over.lua")]),
        }
    }
}

/// Joins the shared parts and the script itself: Redis scripts cannot include each other. All of
/// them know the names `GROUP` and `BATCH`.
fn script(parts: &[&str]) -> Script {
    let names = format!("local GROUP, BATCH = '{GROUP}', '{BATCH}'\n");
    Script::new(&(names + &parts.concat()))
}
