//! The exit codes, the same for every program.

use std::process::ExitCode;

use crate::output;

/// Everything that was asked for is done.
pub const OK: u8 = 0;
/// It could not be done; the message says why.
pub const FAILURE: u8 = 1;
/// The command line, the settings, or the input's path are wrong; nothing was begun.
pub const USAGE: u8 = 2;
/// The job finished, but some input was rejected or is a dead letter, or a roll is not proven; the
/// report says which.
pub const INCOMPLETE: u8 = 3;
/// The first of two numbers that add up to the exit code after a second signal: 128 + the signal.
pub const SIGNALLED: u8 = 128;

/// What a `main` does with its result: prints the error with its causes, and ends with its code.
pub fn report<E: std::fmt::Display>(program: &str, result: Result<u8, (u8, E)>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err((code, error)) => {
            output::complain(&format_args!("{program}: {error:#}"));
            ExitCode::from(code)
        }
    }
}
