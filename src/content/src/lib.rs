//! What identifies the content of a record and of a batch.
//!
//! Clients and servers compute the same values, so both can tell whether two sends under one batch
//! id have the same records. The hash is XXH3, 128 bits, without a seed
//! (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>). It detects accidents; it is not
//! a defence against a sender who constructs records with equal hashes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// The hash of one record: XXH3, 128 bits, of its bytes on the wire (an encoded `UserRequest`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordHash(u128);

impl RecordHash {
    /// The hash of the record with these bytes.
    pub fn of(wire: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(wire))
    }

    /// The last 64 bits, which a store keeps for a record that has its own index. Never 0.
    pub fn short(self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.0.to_be_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1)
    }
}

/// The digest of the records of a batch. The digest of no records is 0.
///
/// Of records in order, as a stream brings them: the digest of one record more is XXH3, 128 bits, of the
/// digest before it and the hash of the record, 16 bytes each, big-endian. It does not depend on how the
/// records were grouped on their way, and the digest of some records is enough to go on with the records
/// after them.
///
/// Of records that each have their own index: XXH3, 128 bits, of the index and the short hash of each
/// record, 8 bytes each, big-endian, all of them combined by exclusive or. It does not depend on the order
/// in which they came.
///
/// As text it is 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentDigest(u128);

impl ContentDigest {
    /// The digest of no records.
    pub const EMPTY: Self = Self(0);

    /// The digest of these records and one more.
    #[must_use]
    pub fn then(self, record: RecordHash) -> Self {
        let mut both = [0; 32];
        both[..16].copy_from_slice(&self.0.to_be_bytes());
        both[16..].copy_from_slice(&record.0.to_be_bytes());
        Self(XxHash3_128::oneshot(&both))
    }

    /// The digest of these records and one more, which has its own index: not that of one of them.
    #[must_use]
    pub fn with(self, index: u64, short_hash: u64) -> Self {
        let mut both = [0; 16];
        both[..8].copy_from_slice(&index.to_be_bytes());
        both[8..].copy_from_slice(&short_hash.to_be_bytes());
        Self(self.0 ^ XxHash3_128::oneshot(&both))
    }

    /// The first 64 bits.
    pub fn short(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0.to_be_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for ContentDigest {
    type Err = InvalidContentDigest;

    fn from_str(text: &str) -> Result<Self, InvalidContentDigest> {
        if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidContentDigest);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidContentDigest)
    }
}

impl TryFrom<String> for ContentDigest {
    type Error = InvalidContentDigest;

    fn try_from(text: String) -> Result<Self, InvalidContentDigest> {
        text.parse()
    }
}

impl From<ContentDigest> for String {
    fn from(digest: ContentDigest) -> Self {
        digest.to_string()
    }
}

/// A text that is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 32 hexadecimal digits")]
pub struct InvalidContentDigest;

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(records: &[&str]) -> ContentDigest {
        let hashes = records.iter().map(|record| RecordHash::of(record.as_bytes()));
        hashes.fold(ContentDigest::EMPTY, ContentDigest::then)
    }

    // Stores keep these values, so they must never change. They are those of xxHash 0.8.4.
    #[test]
    fn hashes_and_digests_stay_the_same() {
        assert_eq!(RecordHash::of(b"").0, 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
        assert_eq!(digest(&[]).to_string(), "0".repeat(32));
        assert_eq!(digest(&["a"]).to_string(), "5f8a24a0e0785c46bf9089cc17b33ed4");
        assert_eq!(digest(&["a", "bc"]).to_string(), "82ccbbda5f65465f59eb964f0fafb99c");
    }

    #[test]
    fn digests_tell_records_apart_by_content_order_and_bounds() {
        let all = [
            digest(&["a", "bc"]),
            digest(&["bc", "a"]),
            digest(&["ab", "c"]),
            digest(&["abc"]),
            digest(&["a", "bc", ""]),
            digest(&["", "a", "bc"]),
            digest(&[""]),
            digest(&[]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}: {one}");
        }
    }

    #[test]
    fn digest_of_records_with_indices_does_not_depend_on_their_order() {
        let digest = |records: &[(u64, u64)]| {
            records.iter().fold(ContentDigest::EMPTY, |all, (index, hash)| all.with(*index, *hash))
        };
        assert_eq!(digest(&[(0, 5), (1, 6)]), digest(&[(1, 6), (0, 5)]));
        let others = [&[(0, 6), (1, 5)][..], &[(0, 5)], &[(0, 5), (1, 6), (2, 7)], &[]];
        for other in others {
            assert_ne!(digest(&[(0, 5), (1, 6)]), digest(other));
        }
    }

    #[test]
    fn digest_is_read_as_it_is_written() {
        let digest = digest(&["a"]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for invalid in ["", "+0", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32)] {
            assert_eq!(invalid.parse::<ContentDigest>(), Err(InvalidContentDigest), "{invalid}");
        }
    }

    #[test]
    fn short_hash_of_a_record_is_never_zero() {
        assert_eq!(RecordHash(1 << 64).short(), 1);
        assert_eq!(RecordHash(2).short(), 2);
    }
}
