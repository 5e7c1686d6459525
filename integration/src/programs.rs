//! Where the built programs are.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Variables that would reach into a program from the developer's shell.
const FOREIGN: &[&str] = &[
    "REDIS_HOST",
    "REDIS_PORT",
    "LOG_LEVEL",
    "TRACEPARENT",
    "RUST_LOG",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "CREDENTIALS_DIRECTORY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// A command that runs a built program of this workspace, with no configuration in its environment.
///
/// # Panics
///
/// When the program is not built.
pub fn command(name: &str) -> Command {
    clean(profile_folder().join(name))
}

/// The same for an example of this workspace.
///
/// # Panics
///
/// When the example is not built.
pub fn example(name: &str) -> Command {
    clean(profile_folder().join("examples").join(name))
}

fn clean(path: PathBuf) -> Command {
    let path = path.with_extension(env::consts::EXE_EXTENSION);
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build --workspace --bins --examples` (and `--release`, if \
         this runs so) first",
        path.display()
    );
    let mut command = Command::new(path);
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("MUSTER_") || name.starts_with("OTEL_") || FOREIGN.contains(&&*name) {
            command.env_remove(variable);
        }
    }
    command
}

/// The folder that Cargo builds into (`target`).
///
/// # Panics
///
/// When the test does not run from there.
pub fn target_folder() -> PathBuf {
    profile_folder().parent().expect("a profile's folder lies in the target folder").to_owned()
}

/// The folder of the built programs, `target/<profile>`. A test runs from its `deps`.
///
/// # Panics
///
/// When the program does not run from there.
pub fn profile_folder() -> PathBuf {
    let program = env::current_exe().expect("a program knows its own executable");
    let folder = program.parent().expect("an executable lies in a folder");
    let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    folder.expect("`deps` lies in target/<profile>").to_owned()
}

/// The program of the store: what `MUSTER_STORE_PROGRAM` names, or `redis-server`.
pub fn store_program() -> String {
    env::var("MUSTER_STORE_PROGRAM").unwrap_or_else(|_| "redis-server".to_owned())
}
