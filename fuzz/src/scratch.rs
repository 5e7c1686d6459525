//! Files that live as long as one input.

use std::path::Path;

use tempfile::TempDir;

/// Where files cost no disk, if there is such a place.
const MEMORY: &str = "/dev/shm";

/// A folder that is gone when it is dropped.
pub(crate) fn folder() -> TempDir {
    let folder =
        if Path::new(MEMORY).is_dir() { tempfile::tempdir_in(MEMORY) } else { tempfile::tempdir() };
    folder.expect("there is room for files")
}
