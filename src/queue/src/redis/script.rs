//! A Lua script, and how a server runs it.
//!
//! A server that has run a script knows it by its hash. Any other server (it has restarted, or has just
//! joined its cluster) answers `NOSCRIPT`, and is sent the text. A cluster takes the text to the node that
//! has the keys, as it does with the hash. `SCRIPT LOAD` would reach only the nodes that this process knows.

use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, ToRedisArgs};

/// A Lua script.
#[derive(Debug)]
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    pub(super) fn new(text: String) -> Self {
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// The script with these keys, and no arguments yet.
    pub(super) fn key(&self, keys: &[String]) -> Invocation<'_> {
        let by_hash = Cmd::new().arg("EVALSHA").arg(&self.hash).arg(keys.len()).arg(keys).take();
        Invocation { script: self, by_hash }
    }
}

/// A script with its keys and arguments.
pub(super) struct Invocation<'a> {
    script: &'a Script,
    by_hash: Cmd,
}

impl Invocation<'_> {
    /// Adds an argument, `ARGV[i]` in the script.
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.by_hash.arg(argument);
        self
    }

    /// The command for a server that knows the script.
    pub(super) fn by_hash(&self) -> &Cmd {
        &self.by_hash
    }

    /// The command for any server.
    pub(super) fn by_text(&self) -> Cmd {
        let mut command = Cmd::new();
        command.arg("EVAL").arg(&self.script.text);
        // Behind the name of the command and the hash.
        for argument in self.by_hash.args_iter().skip(2) {
            if let Arg::Simple(argument) = argument {
                command.arg(argument);
            }
        }
        command
    }

    /// Runs the script.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        link: &mut impl ConnectionLike,
    ) -> RedisResult<T> {
        match self.by_hash.query_async(link).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.by_text().query_async(link).await
            }
            answer => answer,
        }
    }
}
