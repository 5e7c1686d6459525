//! What `--json` prints, and what lies beside a roll.

use std::path::Path;

use serde::Deserialize;

use crate::process::Finished;

/// The one object that `muster run --json` and `muster-client send --json` print.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    /// Files read.
    pub files: u64,
    /// Records that the server has accepted.
    pub accepted: u64,
    /// Records that the client could not read.
    pub rejected: u64,
    /// Records that became dead letters; unknown to a client that did not wait.
    pub dead: Option<u64>,
    /// Records in the roll; unknown to a client that did not wait.
    pub records: Option<u64>,
    /// SHA-256 of the roll, in hexadecimal; unknown to a client that did not wait.
    pub sha256: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Summary {
    /// Reads what the program printed.
    ///
    /// # Panics
    ///
    /// When it is anything but one summary.
    pub fn of(program: &Finished) -> Self {
        serde_json::from_str(&program.stdout)
            .unwrap_or_else(|error| panic!("no summary on standard output: {error}\n{program}"))
    }
}

/// What the manifest beside a roll says of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// Records in the roll.
    pub records: u64,
    /// SHA-256 of the roll, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of this roll: `all_users.manifest.json` for `all_users.json`.
    ///
    /// # Panics
    ///
    /// When it is not there or not a manifest.
    pub fn of(roll: &Path) -> Self {
        let path = roll.with_extension("manifest.json");
        let written = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
        serde_json::from_str(&written)
            .unwrap_or_else(|error| panic!("{} is no manifest: {error}", path.display()))
    }
}
