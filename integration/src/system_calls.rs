//! System calls that fail or hang for one path, as on a file system that lacks them: by `strace`.

use std::path::Path;
use std::process::Command;

use crate::skip::skip;

const STRACE: &str = "strace";

/// The same command, in whose process every `call` for this path does what `injected` says, in the words
/// of `strace --inject`: for example `error=EINVAL`. Nothing, and the reason printed, without `strace`.
pub fn inject(command: &Command, call: &str, path: &Path, injected: &str) -> Option<Command> {
    if Command::new(STRACE).arg("--version").output().is_err() {
        skip("a system call that fails: there is no strace");
        return None;
    }
    let mut traced = Command::new(STRACE);
    // The program is the child, as it is without it: who kills it reaches it.
    traced.args(["--daemonize", "--follow-forks", "--quiet=all", "--output=/dev/null"]);
    traced.arg("--trace-path").arg(path);
    traced.arg(format!("--trace={call}")).arg(format!("--inject={call}:{injected}"));
    traced.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        traced.current_dir(folder);
    }
    Some(traced)
}
