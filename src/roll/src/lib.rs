//! The roll's files: what those who write it and those who read it have to agree on.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `manifest` | what the roll holds, in a file beside it |
//! | `reader` | the roll and its manifest, as they belong together |

mod manifest;
mod reader;

use std::path::{Path, PathBuf};

pub use manifest::{Entry, FORGETTING, FORMAT, Manifest, Resume, Unreadable};
pub use reader::{NotOpened, OpenRoll, open};

/// The roll's file name in its folder.
pub const FILE_NAME: &str = "all_users.json";
/// The manifest's, beside it.
pub const MANIFEST_NAME: &str = "all_users.manifest.json";

/// Where the manifest of a roll is: of `users.json`, `users.manifest.json` in the same folder.
pub fn manifest_of(roll: &Path) -> PathBuf {
    roll.with_extension("manifest.json")
}
