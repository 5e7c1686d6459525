//! `muster-client` as a process, against a server that gives canned answers.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic; its helpers too")]

mod batch;
mod dead;
mod double;
mod proxy;
mod queue;
mod roll;
mod schema;
mod send;
mod stats;
mod terminal;
mod tls;
mod workers;

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use double::Double;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a command left behind.
#[derive(Debug, PartialEq)]
struct Finished {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `muster-client` with these words, separated by blanks, against the double.
fn enter(double: &Double, line: &str) -> Finished {
    enter_words(double, &line.split(' ').collect::<Vec<_>>())
}

/// The same, with words that may have blanks in them.
fn enter_words(double: &Double, words: &[&str]) -> Finished {
    let child = command(double, words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    finish(double, child.expect("the program is built"))
}

/// `muster-client` with these words, with nothing to read, that knows the double.
fn command(double: &Double, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster-client"));
    command.args(words).stdin(Stdio::null());
    command
        .env_clear()
        .env("MUSTER_CLIENT_SERVER", double.url())
        .env("MUSTER_CLIENT_RETRY_FOR", "1s");
    command
}

/// Waits for a command's end.
fn finish(double: &Double, child: Child) -> Finished {
    let (finished, end) = mpsc::channel();
    thread::spawn(move || finished.send(child.wait_with_output()));
    let output = end.recv_timeout(LIMIT).expect("the command ends").expect("it can be waited for");
    let text = |bytes| String::from_utf8(bytes).unwrap().replace(&double.url(), "[server]");
    Finished {
        code: output.status.code().expect("the command is not killed"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// What a command prints that ends with 0, and complains of nothing.
fn printed(double: &Double, line: &str) -> String {
    let finished = enter(double, line);
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{line}");
    finished.stdout
}

/// The message of a command that ends with this code, and prints nothing else.
fn refused(double: &Double, line: &str, code: i32) -> String {
    let finished = enter(double, line);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (code, ""),
        "{line}: {}",
        finished.stderr
    );
    finished.stderr
}
