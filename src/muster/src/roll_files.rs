//! The files of a roll: itself, and its manifest beside it.

use std::path::{Path, PathBuf};

use muster_client::input::Sources;
use muster_roll::manifest_of;

/// The roll or its manifest, if it is one of the sources.
pub(crate) fn among(sources: &Sources, roll: &Path) -> Option<PathBuf> {
    [roll.to_owned(), manifest_of(roll)].into_iter().find(|file| sources.contains(file))
}
