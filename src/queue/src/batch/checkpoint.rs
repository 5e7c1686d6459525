//! What a batch had received at some point.

use muster_content::ContentDigest;

/// The least number of records between two checkpoints. There are more, by less than a chunk, since a
/// checkpoint is at the end of a chunk.
pub const CHECKPOINT_RECORDS: u64 = 1024;

/// How many records a batch had received at the end of a chunk, and their digest. When records are sent
/// again, it shows early, and roughly where, that they are different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many records.
    pub records: u64,
    /// The first 64 bits of their digest ([`ContentDigest::short`]).
    pub digest: u64,
}

impl Checkpoint {
    /// A checkpoint behind this many records, if it is due: `last` records were received up to the
    /// checkpoint before it.
    pub(crate) fn due(last: u64, records: u64, digest: ContentDigest) -> Option<Self> {
        (records - last >= CHECKPOINT_RECORDS).then(|| Self { records, digest: digest.short() })
    }
}
