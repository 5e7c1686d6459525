//! Steps that are as durable as asked before they are answered.
//!
//! A settled step is three commands that go to the server together, on a connection that nobody
//! else uses meanwhile:
//!
//! 1. the step's script, behind the commands that the step has before it, if any;
//! 2. a small write of its own, beside the keys of the script;
//! 3. `WAIT` (replicas) or `WAITAOF` (disk), which answer when all that *this connection* has
//!    written is where it is to be.
//!
//! What that covers: a server's replicas and its AOF hold writes in the order in which it took
//! them. Whatever the script wrote *or saw* was written before (2), and is where (2) is. So a step
//! that is repeated because its first settling failed, and now finds itself taken, is settled all
//! the same; that is what (2) is for, since a script that writes nothing leaves (3) with nothing
//! to wait for.
//!
//! What happens when the master changes: a step and its `WAIT` cannot meet two masters. They are
//! on one connection, to one server; a cluster that has moved the keys refuses (1), and the three
//! are sent again, together. A master that is demoted refuses (3) from then on, and sends those
//! away who are waiting in it. If the answer does not come, or says too few, the step fails with
//! [`Error::Unavailable`](crate::Error::Unavailable): it may have been taken, and is to be
//! repeated. A barrier on another connection than the step's could not tell that another server
//! had become the master in between, without the step.
//!
//! Many may wait at the same server at once: it syncs, and asks its replicas, for all of them
//! together.

use std::num::NonZeroU8;
use std::time::Duration;

use redis::aio::ConnectionLike as _;
use redis::{Pipeline, RedisResult, Value};

use super::link::Link;
use super::script::Invocation;

/// How long settling may take.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// How long the key stays that is written to, in milliseconds.
const KEY_STAYS_MS: u32 = 24 * 60 * 60 * 1000;

/// Writes without taking memory where the key is there already: then a server without memory
/// lets it pass.
const TOUCH: &str = "if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then \
    redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end";

/// What a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barrier {
    /// That the server has synced its AOF.
    Disk,
    /// That so many replicas have it.
    Replicas(NonZeroU8),
}

/// How a step that was to be settled went.
pub(super) enum Settled {
    /// The script's answer: what it wrote and saw is settled.
    Yes(Value),
    /// The script was run, but its effects are not where they should be; why.
    Late(String),
}

/// How long to wait for the answer of [`run`]: as long as it may take twice, since a server that
/// does not know the script says so after the wait, and somewhat longer.
pub(super) const ANSWER_MAX: Duration = SETTLE_MAX.saturating_mul(3);

/// Runs the script of a step, behind `before`, and waits until it is settled. `link` must be nobody
/// else's meanwhile; `keys` are those of the script.
pub(super) async fn run(
    link: &mut Link,
    before: Pipeline,
    script: &Invocation<'_>,
    keys: &[String; 2],
    barrier: Barrier,
) -> RedisResult<Settled> {
    let [tag, whole] = keys;
    let limit = SETTLE_MAX.as_millis().to_string();
    let mut steps = before;
    let script_at = steps.len();
    steps.add_command(script.by_hash().clone());
    // Where the script is refused because the keys move, so is this.
    steps.cmd("EVAL").arg(TOUCH).arg(2).arg(format!("{tag}:settled")).arg(whole).arg(KEY_STAYS_MS);
    match barrier {
        Barrier::Disk => steps.cmd("WAITAOF").arg(1).arg(0).arg(limit),
        Barrier::Replicas(wanted) => steps.cmd("WAIT").arg(wanted.get()).arg(limit),
    };
    let mut answers = send(link, &steps, script, script_at).await?.into_iter().skip(script_at);
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (answer, _, waited) = (next(), next(), next());
    Ok(match late(barrier, waited)? {
        None => Settled::Yes(answer),
        Some(why) => Settled::Late(why),
    })
}

/// Sends commands, of which one runs a script by its hash. If the server does not know the script, sends
/// all of them again, with its text. An error of any is the answer.
pub(super) async fn send(
    link: &mut Link,
    commands: &Pipeline,
    script: &Invocation<'_>,
    script_at: usize,
) -> RedisResult<Vec<Value>> {
    let mut answers = link.req_packed_commands(commands, 0, commands.len()).await?;
    if answers.get(script_at).is_some_and(is_unknown_script) {
        let mut again = Pipeline::with_capacity(commands.len());
        for (at, command) in commands.cmd_iter().enumerate() {
            again.add_command(if at == script_at { script.by_text() } else { command.clone() });
        }
        answers = link.req_packed_commands(&again, 0, again.len()).await?;
    }
    answers.into_iter().map(Value::extract_error).collect()
}

/// Why it is not settled, by the answer of `WAIT` or `WAITAOF`.
fn late(barrier: Barrier, answer: Value) -> RedisResult<Option<String>> {
    let within = SETTLE_MAX.as_secs();
    Ok(match barrier {
        Barrier::Disk => {
            let (synced, _): (u64, u64) = redis::from_redis_value(answer)?;
            (synced == 0).then(|| format!("accepted, but not on its disk within {within} s"))
        }
        Barrier::Replicas(wanted) => {
            let got: u64 = redis::from_redis_value(answer)?;
            (got < wanted.get().into())
                .then(|| format!("accepted, but on {got} of {wanted} replicas within {within} s"))
        }
    })
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}
