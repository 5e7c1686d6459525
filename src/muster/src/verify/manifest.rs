//! What the manifest beside a roll says, and whether it is so.

use std::io::ErrorKind;
use std::path::Path;

use muster_program::daemon::Failure;
use serde::Deserialize;

use super::roll::Roll;
use super::unreadable;

/// What a manifest says, as far as it can be proven here.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    records: u64,
    bytes: u64,
    sha256: String,
    /// Dead letters of the batches in the roll.
    pub(super) dead: u64,
}

impl Manifest {
    /// Reads the manifest beside this roll, if there is one.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is none.
    pub(super) fn beside(roll: &Path) -> Result<Option<Self>, Failure> {
        let path = muster_roll::manifest_of(roll);
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|error| format!("{} is no manifest: {error}", path.display()).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// What the manifest says otherwise than the roll is.
    pub(super) fn disagreements(&self, roll: &Roll) -> Vec<&'static str> {
        let compared = [
            ("sha256", self.sha256 == roll.sha256),
            ("records", self.records == roll.records),
            ("bytes", self.bytes == roll.bytes),
        ];
        compared.into_iter().filter(|(_, agrees)| !agrees).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_held_against_the_roll_point_by_point() {
        let roll = Roll { records: 2, bytes: 9, sha256: "5ha".to_owned(), ..Roll::default() };
        let manifest = |records, bytes, sha256: &str| {
            let dead = 0;
            Manifest { records, bytes, sha256: sha256.to_owned(), dead }.disagreements(&roll)
        };
        assert!(manifest(2, 9, "5ha").is_empty());
        assert_eq!(manifest(3, 9, "5ha"), ["records"]);
        assert_eq!(manifest(2, 8, "other"), ["sha256", "bytes"]);
    }

    #[test]
    fn a_missing_manifest_is_none_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("all_users.json");
        assert!(Manifest::beside(&roll).unwrap().is_none());
        let path = folder.path().join("all_users.manifest.json");
        std::fs::write(&path, "{\"records\":1}").unwrap();
        let error = Manifest::beside(&roll).unwrap_err().to_string();
        let problem = format!("{} is no manifest: missing field", path.display());
        assert!(error.starts_with(&problem), "{error}");
    }
}
