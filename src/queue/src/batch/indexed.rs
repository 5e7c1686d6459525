//! Records that each have their own index.

use muster_content::ContentDigest;

/// How many records of a batch each came with their own index, and their digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    records: u64,
    digest: ContentDigest,
}

impl Indexed {
    /// Counts the record at an index: not that of one before. Its hash is the
    /// [short one](muster_content::RecordHash::short).
    pub fn add(&mut self, index: u64, short_hash: u64) {
        self.records += 1;
        self.digest = self.digest.with(index, short_hash);
    }

    /// How many records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Their digest ([`ContentDigest::with`]).
    pub fn digest(&self) -> ContentDigest {
        self.digest
    }
}
