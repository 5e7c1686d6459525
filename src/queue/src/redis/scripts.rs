//! The Lua scripts: each step of the queue is one, and so atomic.

use redis::Script;

use super::RETENTION_SECONDS;
use super::keys::GROUP;

const BATCH: &str = include_str!("scripts/shared/batch.lua");
const CLOCK: &str = include_str!("scripts/shared/clock.lua");
const DEPTH: &str = include_str!("scripts/shared/depth.lua");
const DISCARD: &str = include_str!("scripts/shared/discard.lua");
const FOLLOW_CLOCK: &str = include_str!("scripts/shared/follow_clock.lua");
const KEYS: &str = include_str!("scripts/shared/keys.lua");
const LETTERS: &str = include_str!("scripts/shared/letters.lua");
const NEW_BATCH: &str = include_str!("scripts/shared/new_batch.lua");
const OWNER: &str = include_str!("scripts/shared/owner.lua");
const RETRIES: &str = include_str!("scripts/shared/retries.lua");
const SEAL: &str = include_str!("scripts/shared/seal_batch.lua");
const SNAPSHOT: &str = include_str!("scripts/shared/snapshot.lua");
const STREAMS: &str = include_str!("scripts/shared/streams.lua");

/// Every script of the store; each file says what it takes and returns.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) abort: Script,
    pub(super) append: Script,
    pub(super) backlog: Script,
    pub(super) commit: Script,
    pub(super) dead_in_group: Script,
    pub(super) dead_letters: Script,
    pub(super) drop_letters: Script,
    pub(super) end_overdue: Script,
    pub(super) extend: Script,
    pub(super) forget: Script,
    pub(super) lease: Script,
    pub(super) lease_isolated: Script,
    pub(super) mark_written: Script,
    pub(super) next_complete: Script,
    pub(super) open: Script,
    pub(super) release: Script,
    pub(super) replay: Script,
    pub(super) results: Script,
    pub(super) seal: Script,
    pub(super) show: Script,
    pub(super) take_over: Script,
}

impl Scripts {
    /// Makes all scripts. `edit` is given each one's name and text, and returns the text to run.
    pub(super) fn new(edit: impl Fn(&str, &str) -> String) -> Self {
        let script = |name: &str, parts: &[&str]| Script::new(&edit(name, &joined(parts)));
        Self {
            abort: script(
                "abort",
                &[BATCH, LETTERS, DISCARD, SNAPSHOT, include_str!("scripts/abort.lua")],
            ),
            append: script("append", &[CLOCK, DEPTH, include_str!("scripts/append.lua")]),
            backlog: script("backlog", &[CLOCK, include_str!("scripts/backlog.lua")]),
            commit: script(
                "commit",
                &[CLOCK, DEPTH, BATCH, LETTERS, include_str!("scripts/commit.lua")],
            ),
            dead_in_group: script(
                "dead_in_group",
                &[LETTERS, include_str!("scripts/dead_in_group.lua")],
            ),
            dead_letters: script("dead_letters", &[include_str!("scripts/dead_letters.lua")]),
            drop_letters: script(
                "drop_letters",
                &[BATCH, LETTERS, include_str!("scripts/drop_letters.lua")],
            ),
            end_overdue: script(
                "end_overdue",
                &[
                    CLOCK,
                    BATCH,
                    LETTERS,
                    DISCARD,
                    SEAL,
                    SNAPSHOT,
                    include_str!("scripts/end_overdue.lua"),
                ],
            ),
            extend: script("extend", &[OWNER, include_str!("scripts/extend.lua")]),
            forget: script("forget", &[STREAMS, include_str!("scripts/forget.lua")]),
            lease: script("lease", &[CLOCK, STREAMS, RETRIES, include_str!("scripts/lease.lua")]),
            lease_isolated: script(
                "lease_isolated",
                &[STREAMS, include_str!("scripts/lease_isolated.lua")],
            ),
            mark_written: script(
                "mark_written",
                &[BATCH, include_str!("scripts/mark_written.lua")],
            ),
            next_complete: script(
                "next_complete",
                &[SNAPSHOT, include_str!("scripts/next_complete.lua")],
            ),
            open: script("open", &[CLOCK, NEW_BATCH, SNAPSHOT, include_str!("scripts/open.lua")]),
            release: script("release", &[OWNER, STREAMS, include_str!("scripts/release.lua")]),
            replay: script(
                "replay",
                &[DEPTH, BATCH, NEW_BATCH, LETTERS, include_str!("scripts/replay.lua")],
            ),
            results: script("results", &[include_str!("scripts/results.lua")]),
            seal: script("seal", &[BATCH, SEAL, SNAPSHOT, include_str!("scripts/seal.lua")]),
            show: script("show", &[SNAPSHOT, include_str!("scripts/show.lua")]),
            take_over: script(
                "take_over",
                &[CLOCK, STREAMS, RETRIES, FOLLOW_CLOCK, include_str!("scripts/take_over.lua")],
            ),
        }
    }
}

/// Joins the shared parts and the script itself: Redis scripts cannot include each other. All of
/// them know the names `GROUP` and `RETENTION_SECONDS`, and how keys are made.
fn joined(parts: &[&str]) -> String {
    let names = format!("local GROUP, RETENTION_SECONDS = '{GROUP}', {RETENTION_SECONDS}\n{KEYS}");
    names + &parts.concat()
}
