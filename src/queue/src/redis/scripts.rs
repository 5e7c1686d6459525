//! The Lua scripts: each step of the queue is one, and so atomic.

use super::RETENTION_SECONDS;
use super::keys::GROUP;
use super::script::Script;

const BATCH: &str = include_str!("scripts/shared/batch.lua");
const CHUNK: &str = include_str!("scripts/shared/chunk.lua");
const CLOCK: &str = include_str!("scripts/shared/clock.lua");
const CONTENT: &str = include_str!("scripts/shared/content.lua");
const CONTROLS: &str = include_str!("scripts/shared/controls.lua");
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
const STATES: &str = include_str!("scripts/shared/states.lua");
const STREAMS: &str = include_str!("scripts/shared/streams.lua");
const TOTALS: &str = include_str!("scripts/shared/totals.lua");

/// Every script of the store; each file says what it takes and returns.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) abort: Script,
    pub(super) append: Script,
    pub(super) commit: Script,
    pub(super) dead_in_group: Script,
    pub(super) dead_letters: Script,
    pub(super) drop_letters: Script,
    pub(super) end_overdue: Script,
    pub(super) extend: Script,
    pub(super) forget: Script,
    pub(super) heartbeat: Script,
    pub(super) lease: Script,
    pub(super) lease_isolated: Script,
    pub(super) list: Script,
    pub(super) mark_written: Script,
    pub(super) next_complete: Script,
    pub(super) open: Script,
    pub(super) release: Script,
    pub(super) replay: Script,
    pub(super) results: Script,
    pub(super) retire: Script,
    pub(super) seal: Script,
    pub(super) set_control: Script,
    pub(super) set_roll: Script,
    pub(super) show: Script,
    pub(super) stats: Script,
    pub(super) take_over: Script,
    pub(super) workers: Script,
}

impl Scripts {
    /// Makes all scripts. `edit` is given each one's name and text, and returns the text to run.
    pub(super) fn new(edit: impl Fn(&str, &str) -> String) -> Self {
        /// The script of a name, behind the shared parts that it uses, each behind those that it
        /// uses itself.
        macro_rules! script {
            ($name:literal $(, $part:ident)*) => {{
                let itself = include_str!(concat!("scripts/", $name, ".lua"));
                Script::new(edit($name, &joined(&[$($part,)* itself])))
            }};
        }
        Self {
            abort: script!("abort", CLOCK, STATES, BATCH, LETTERS, DISCARD, SNAPSHOT),
            append: script!("append", CLOCK, CHUNK, CONTENT, DEPTH, TOTALS),
            commit: script!("commit", CLOCK, STATES, BATCH, CHUNK, DEPTH, TOTALS, LETTERS),
            dead_in_group: script!("dead_in_group", LETTERS),
            dead_letters: script!("dead_letters"),
            drop_letters: script!("drop_letters", CLOCK, STATES, BATCH, LETTERS),
            end_overdue: script!(
                "end_overdue",
                CLOCK,
                STATES,
                BATCH,
                LETTERS,
                DISCARD,
                SEAL,
                SNAPSHOT
            ),
            extend: script!("extend", OWNER),
            forget: script!("forget", STREAMS),
            heartbeat: script!("heartbeat", CLOCK, CONTROLS),
            lease: script!("lease", CLOCK, STREAMS, RETRIES, CONTROLS),
            lease_isolated: script!("lease_isolated", STREAMS, CONTROLS),
            list: script!("list", CLOCK, STATES, SNAPSHOT),
            mark_written: script!("mark_written", CLOCK, STATES, BATCH),
            next_complete: script!("next_complete", SNAPSHOT),
            open: script!("open", CLOCK, STATES, NEW_BATCH, SNAPSHOT),
            release: script!("release", OWNER, STREAMS),
            replay: script!("replay", CLOCK, STATES, BATCH, NEW_BATCH, CHUNK, DEPTH, LETTERS),
            results: script!("results"),
            retire: script!("retire"),
            seal: script!("seal", CLOCK, STATES, BATCH, CONTENT, SEAL, SNAPSHOT),
            set_control: script!("set_control"),
            set_roll: script!("set_roll"),
            show: script!("show", SNAPSHOT),
            stats: script!("stats", CLOCK, CONTROLS),
            take_over: script!("take_over", CLOCK, STREAMS, RETRIES, FOLLOW_CLOCK, CONTROLS),
            workers: script!("workers", CLOCK),
        }
    }
}

/// Joins the shared parts and the script itself: Redis scripts cannot include each other. All of
/// them know the names `GROUP` and `RETENTION_SECONDS`, and how keys are made.
fn joined(parts: &[&str]) -> String {
    let names = format!("local GROUP, RETENTION_SECONDS = '{GROUP}', {RETENTION_SECONDS}\n{KEYS}");
    names + &parts.concat()
}
