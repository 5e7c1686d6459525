//! The deliberate bugs of [`mutants`](super::mutants), in the Lua scripts of the store on Redis.

use std::sync::Arc;

use muster_queue::redis::RedisQueue;

use super::mutants::CASES;
use super::run::OPTIONS;
use super::session::{Home, Session};
use crate::support::RedisServer;
use crate::{find_failure, runtime};

/// A change to a script.
struct Patch {
    script: &'static str,
    right: &'static str,
    wrong: &'static str,
}

/// Chunks that are appended together are all at the place of the first.
const APPENDS_ALL_AT_ONE_PLACE: [Patch; 1] = [Patch {
    script: "append",
    right: "string.format('%.0f', received + records)",
    wrong: "string.format('%.0f', received)",
}];

/// A chunk is nobody's once it is leased, and a commit does not ask for it to be.
const ACKNOWLEDGES_WHEN_LEASED: [Patch; 3] = [
    Patch { script: "lease", right: "'COUNT', count, ", wrong: "'COUNT', count, 'NOACK', " },
    Patch {
        script: "lease_isolated",
        right: "'COUNT', count, ",
        wrong: "'COUNT', count, 'NOACK', ",
    },
    Patch {
        script: "commit",
        right: "if not found or redis.call('XACK', stream, GROUP, entry) == 0 then",
        wrong: "if not found then",
    },
];

const COMPLETES_IN_SEAL_ALONE: [Patch; 1] =
    [Patch { script: "commit", right: "\ncomplete_if_done(batch)\n", wrong: "\n" }];

const RELEASES_FOR_ANYBODY: [Patch; 1] =
    [Patch { script: "release", right: "if holder == worker then", wrong: "if holder then" }];

const GIVES_CHUNKS_WHILE_PAUSED: [Patch; 1] =
    [Patch { script: "lease", right: "paused and ROLLS or LEASED", wrong: "LEASED" }];

const KEEPS_NO_LIST: [Patch; 1] = [Patch {
    script: "seal",
    right: "redis.call('ZADD', key('batches:' .. state), 0, member)",
    wrong: "",
}];

#[test]
fn an_append_that_stores_all_at_one_place_is_found() {
    assert_found(&APPENDS_ALL_AT_ONE_PLACE);
}

#[test]
fn a_chunk_that_leaves_the_queue_when_it_is_leased_is_found() {
    assert_found(&ACKNOWLEDGES_WHEN_LEASED);
}

#[test]
fn a_commit_that_never_completes_a_batch_is_found() {
    assert_found(&COMPLETES_IN_SEAL_ALONE);
}

#[test]
fn a_release_by_one_who_does_not_hold_it_is_found() {
    assert_found(&RELEASES_FOR_ANYBODY);
}

#[test]
fn a_chunk_that_is_given_while_the_queue_is_paused_is_found() {
    assert_found(&GIVES_CHUNKS_WHILE_PAUSED);
}

#[test]
fn a_list_that_lacks_a_batch_is_found() {
    assert_found(&KEEPS_NO_LIST);
}

/// Asserts that a store with these patches is found to be wrong.
#[expect(clippy::print_stdout, reason = "the shortest case that finds it is worth a look")]
fn assert_found(patches: &[Patch]) {
    let edit = |name: &str, text: &str| {
        let of_script = patches.iter().filter(|patch| patch.script == name);
        of_script.fold(text.to_owned(), |text, Patch { script, right, wrong }| {
            assert_eq!(text.matches(right).count(), 1, "{script}.lua has `{right}` once:\n{text}");
            text.replace(right, wrong)
        })
    };
    let (runtime, server) = (runtime(), Arc::new(RedisServer::start()));
    let url = server.url();
    let connect = async || RedisQueue::connect_with(&url, &OPTIONS, edit).await;
    // A patch that does not fit is no bug that is found.
    runtime.block_on(connect()).expect("the scripts are patched");
    let failure = find_failure(&runtime, CASES, async || {
        let home = Home::Redis(Arc::clone(&server));
        home.empty().await;
        Ok(Session { queue: Arc::new(connect().await?), home })
    });
    println!("{}: {}", patches[0].script, failure.expect("the bug is found"));
}
