//! What programs print, whether or not anyone still reads it.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use crate::printable;

/// Prints a result on standard output. A reader that has gone away has had what it wanted.
///
/// # Errors
///
/// The result cannot be written, because the disk is full for example.
pub fn print(result: &str) -> io::Result<()> {
    offer(result.as_bytes()).map(|_| ())
}

/// Writes a part of a result to standard output, and says whether anyone still reads it: if not,
/// the rest need not be made.
///
/// # Errors
///
/// The part cannot be written, because the disk is full for example.
pub fn offer(part: &[u8]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(part).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("the result cannot be written to standard output: {error}"),
        )),
    }
}

/// Says on standard error what is wrong, as one line, in which nothing is obeyed by a terminal: it
/// may name files and keys that others chose. Nobody may be listening.
pub fn complain(complaint: &dyn Display) {
    let _ = writeln!(io::stderr(), "{}", printable::text(&complaint.to_string()));
}
