//! What programs print, whether or not anyone still reads it.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

/// Prints a result on standard output. A reader that has gone away has had what it wanted.
///
/// # Errors
///
/// The result cannot be written, because the disk is full for example.
pub fn print(result: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(result.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(io::Error::new(
            error.kind(),
            format!("the result cannot be written to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Says on standard error what is wrong, as one line. Nobody may be listening.
pub fn complain(complaint: &dyn Display) {
    let _ = writeln!(io::stderr(), "{complaint}");
}
