//! Where the benchmark keeps what it makes: `target/bench`, or where it was told to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context as _;
use muster_integration::programs;
use tempfile::TempDir;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Chooses the folder, before it is used. If none is said, it is the default one; that of a trial is
/// another one, so that what was measured stays.
pub(crate) fn choose(folder: Option<&Path>, is_trial: bool) -> anyhow::Result<()> {
    let folder = match folder {
        Some(folder) => std::path::absolute(folder)?,
        None if is_trial => programs::target_folder().join("bench-quick"),
        None => programs::target_folder().join("bench"),
    };
    FOLDER.set(folder).ok().context("the folder is chosen once")
}

/// The folder, which is made if it is not there.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    sub("")
}

/// A folder in it.
pub(crate) fn sub(name: &str) -> anyhow::Result<PathBuf> {
    let folder = FOLDER.get().context("the folder is chosen")?.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("the folder {}", folder.display()))?;
    Ok(folder)
}

/// A folder in it that goes when it is dropped. Redis and the roll are on this disk, and never in
/// a file system in memory, in which a sync costs nothing.
pub(crate) fn scratch() -> anyhow::Result<TempDir> {
    TempDir::with_prefix_in("run-", folder()?).context("a folder for a run")
}

/// Where a program says what nobody waits for.
pub(crate) fn log(name: &str) -> anyhow::Result<PathBuf> {
    Ok(sub("log")?.join(name).with_extension("log"))
}
