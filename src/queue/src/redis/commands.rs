//! The commands that a server must have. One that is only similar to Redis may lack some, and
//! `rename-command` takes them away.

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind};
use tokio::try_join;

use super::checks::Unfit;
use super::link::Link;
use super::script::Script;

/// The commands that the scripts run, and those that are sent outside of scripts. `CONFIG`, `MEMORY`, `WAIT`
/// and `WAITAOF` are not among them: not every store needs them.
const NEEDED: &str = "APPEND DEL EXISTS EXPIRE GET GETBIT GETRANGE HDEL HEXISTS HGET HGETALL HINCRBY HMGET \
    HSCAN HSET HSTRLEN PEXPIRE PING SADD SCARD SET SREM TIME UNLINK XACK XADD XCLAIM XDEL XGROUP XINFO \
    XPENDING XRANGE XREADGROUP ZADD ZCARD ZINCRBY ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREM \
    ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX";

/// Checks that the server, or every master of a cluster, can run scripts and has the commands that they
/// run, in one round trip.
pub(super) async fn check(link: &Link) -> Result<(), Unfit> {
    let script = Script::new(include_str!("scripts/lacks.lua").to_owned());
    let mut probe = script.key(&[]);
    probe.arg(NEEDED.split(' ').collect::<Vec<_>>());
    let ask = async |name: &str, command: Cmd| match link.clone().ask_masters(&command).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            Ok(Vec::new())
        }
        answers => answers.map_err(|error| unfit(name, error)),
    };
    let (by_text, _) =
        try_join!(ask("EVAL", probe.by_text()), ask("EVALSHA", probe.by_hash().clone()))?;
    let mut lacks = Vec::new();
    for answer in by_text {
        let names: Vec<String> = redis::from_redis_value(answer).map_err(RedisError::from)?;
        lacks.extend(names);
    }
    lacks.sort_unstable();
    lacks.dedup();
    if lacks.is_empty() { Ok(()) } else { Err(lacking(&lacks.join(", "))) }
}

/// Why a server that answers a command with this error is not used.
pub(super) fn unfit(command: &str, error: RedisError) -> Unfit {
    let is_unknown = |text: &str| text.to_ascii_lowercase().contains("unknown command");
    if error.detail().is_some_and(is_unknown) { lacking(command) } else { error.into() }
}

fn lacking(commands: &str) -> Unfit {
    Unfit::Misconfigured(format!(
        "it cannot be Muster's store: it lacks {commands}; use Redis 6.2 or later, or Valkey, with none \
         of its commands renamed"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::scripts::Scripts;
    use super::*;

    #[test]
    fn commands_of_all_scripts_are_looked_for() {
        let needed: Vec<&str> = NEEDED.split(' ').collect();
        let _scripts = Scripts::new(|name, text| {
            let calls: Vec<&str> = text.split("call('").skip(1).collect();
            assert!(!calls.is_empty(), "{name} runs no command");
            for call in calls {
                let command = call.split('\'').next().unwrap();
                assert!(needed.contains(&command), "{name} runs {command}");
            }
            text.to_owned()
        });
    }
}
