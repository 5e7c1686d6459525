//! What the system lets the process have: no core dumps, and as many open files as there may be.

use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What could not be limited, until the log can say it.
static FAILED: OnceLock<Vec<(&str, Errno)>> = OnceLock::new();

/// Allows no core dumps, which would have the secrets of the process in them, and as many open
/// files as may be allowed: a connection is one.
///
/// Belongs at the start of a program. Where it fails the program goes on, and a line of the log at
/// level `debug` says so.
pub fn limit() {
    let of_files = getrlimit(Resource::Nofile);
    let limits = [
        ("core dumps", Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }),
        ("open files", Resource::Nofile, Rlimit { current: of_files.maximum, ..of_files }),
    ];
    let set = |(name, resource, limit)| setrlimit(resource, limit).err().map(|error| (name, error));
    FAILED.get_or_init(|| limits.into_iter().filter_map(set).collect());
}

/// Says in the log what could not be limited.
pub(crate) fn log() {
    for (limit, error) in FAILED.get().into_iter().flatten() {
        tracing::debug!(limit, %error, "a limit stays as it was");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_core_dumps_and_all_files_that_there_may_be() {
        let may_be = getrlimit(Resource::Nofile).maximum;
        limit();
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        assert_eq!(getrlimit(Resource::Core), none);
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: may_be, maximum: may_be });
    }
}
