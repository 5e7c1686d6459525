//! Indices and digests of made-up records: the same index always has the same record.

use muster_content::{ContentDigest, RecordHash};
use muster_queue::Places;

/// `count` records that follow one another, from the index `first` on.
pub(crate) fn from(first: u64, count: u32) -> Places {
    let after = digest(first + u64::from(count));
    Places::From { first, before: digest(first), after }
}

/// A digest for this many records.
pub(crate) fn digest(records: u64) -> ContentDigest {
    match records {
        0 => ContentDigest::EMPTY,
        _ => ContentDigest::EMPTY.then(RecordHash::of(&records.to_be_bytes())),
    }
}
