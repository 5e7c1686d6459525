//! The files of a roll: itself, and its manifest beside it.

use std::path::{Path, PathBuf};

use muster_client::input::{Source, Sources};

/// Where the manifest of this roll is.
pub(crate) fn manifest_of(roll: &Path) -> PathBuf {
    roll.with_extension("manifest.json")
}

/// The source that is this roll or its manifest, if one is.
pub(crate) fn among<'a>(sources: &'a Sources, roll: &Path) -> Option<&'a Path> {
    let files = [roll.to_owned(), manifest_of(roll)].map(|path| path.canonicalize().ok());
    sources.list.iter().find_map(|source| match source.as_ref() {
        Source::File(path) => {
            let read = path.canonicalize().ok()?;
            files.contains(&Some(read)).then_some(path.as_path())
        }
        Source::Stdin => None,
    })
}
