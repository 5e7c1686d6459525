//! A test that this machine cannot do, for want of a program or a privilege.

use std::env;

/// The variable that makes such a test fail. It is set to anything but an empty text.
pub const NO_SKIPS: &str = "MUSTER_NO_SKIPS";

/// Prints what the test leaves out, and why.
///
/// # Panics
///
/// When [`NO_SKIPS`] is set.
#[expect(clippy::print_stderr, reason = "who reads of a test that passed wants to know")]
pub fn skip(what: &str) {
    let is_failure = env::var_os(NO_SKIPS).is_some_and(|value| !value.is_empty());
    assert!(!is_failure, "cannot be skipped, because {NO_SKIPS} is set: {what}");
    eprintln!("skipped: {what}");
}
