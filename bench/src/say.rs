//! How far a run is, for who waits for it.

use std::io::Write as _;

/// Says a line on standard error.
pub(crate) fn say(line: &str) {
    // Nobody has to listen.
    let _ = writeln!(std::io::stderr(), "{line}");
}
