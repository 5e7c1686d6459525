//! Where the built programs are.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Variables that would reach into a program's configuration from the developer's shell.
const FOREIGN: &[&str] = &["REDIS_HOST", "REDIS_PORT", "LOG_LEVEL", "RUST_LOG"];

/// A command that runs a built program of this workspace, with no configuration in its environment.
///
/// # Panics
///
/// When the program is not built.
pub fn command(name: &str) -> Command {
    let path = profile_folder().join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        path.is_file(),
        "{} is missing: run `script/test`, or `cargo build --workspace --bins` first",
        path.display()
    );
    let mut command = Command::new(path);
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("MUSTER_") || FOREIGN.contains(&&*name) {
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

/// The folder of the built programs, `target/<profile>`: a test runs from its `deps`.
///
/// # Panics
///
/// When the test does not run from there.
pub fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own executable");
    test.ancestors().nth(2).expect("a test lies in target/<profile>/deps").to_owned()
}
