//! Both sides as multisets of digests: what was sent, and what was found.

use muster_proto::users::UserRequest;
use prost::Message as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::difference::{Differences, Kind};

/// Stands for a record: the first 128 bits of the SHA-256 of what it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest([u8; 16]);

impl Digest {
    pub(super) fn of(record: &UserRequest) -> Self {
        let whole = Sha256::digest(record.encode_to_vec());
        Self(*whole.first_chunk().expect("a SHA-256 has 32 bytes"))
    }
}

/// The records of both sides, as they come.
#[derive(Debug, Default)]
pub(super) struct Tally {
    inputs: Vec<Digest>,
    found: Vec<Digest>,
}

impl Tally {
    /// Counts a record of the inputs.
    pub(super) fn expect(&mut self, record: &UserRequest) {
        self.inputs.push(Digest::of(record));
    }

    /// Counts a record of the roll, or a dead letter.
    pub(super) fn find(&mut self, record: &UserRequest) {
        self.found.push(Digest::of(record));
    }

    /// Has both sides sorted, once all is counted.
    pub(super) fn compare(mut self) -> Comparison {
        self.inputs.sort_unstable();
        self.found.sort_unstable();
        Comparison { inputs: self.inputs, found: self.found }
    }
}

/// The records of both sides, sorted.
#[derive(Debug)]
pub(super) struct Comparison {
    inputs: Vec<Digest>,
    found: Vec<Digest>,
}

/// How often a record is on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) inputs: u64,
    pub(super) found: u64,
}

/// The SHA-256 of each side's sorted digests: equal if the sides are, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Digests {
    pub(super) inputs: String,
    pub(super) found: String,
}

impl Comparison {
    /// How often a record is on each side.
    pub(super) fn times(&self, digest: Digest) -> Times {
        Times { inputs: count(&self.inputs, digest), found: count(&self.found, digest) }
    }

    /// How many records are missing, doubled and foreign.
    pub(super) fn differences(&self) -> Differences {
        let mut differences = Differences::default();
        let of_inputs = self.inputs.chunk_by(Digest::eq);
        let foreign = |run: &&[Digest]| count(&self.inputs, run[0]) == 0;
        let of_others = self.found.chunk_by(Digest::eq).filter(foreign);
        for run in of_inputs.chain(of_others) {
            let times = self.times(run[0]);
            if let Some(kind) = Kind::of(times) {
                differences.section(kind).add(times);
            }
        }
        differences
    }

    pub(super) fn digests(&self) -> Digests {
        Digests { inputs: digest_of(&self.inputs), found: digest_of(&self.found) }
    }
}

/// How often a digest is in a sorted list.
fn count(sorted: &[Digest], digest: Digest) -> u64 {
    let begin = sorted.partition_point(|other| *other < digest);
    let run = sorted[begin..].partition_point(|other| *other == digest);
    run as u64
}

fn digest_of(sorted: &[Digest]) -> String {
    let mut whole = Sha256::new();
    sorted.iter().for_each(|Digest(digest)| whole.update(digest));
    hexadecimal(&whole.finalize())
}

/// A digest as people write it.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides of these ids.
    fn comparison(inputs: &[i32], found: &[i32]) -> Comparison {
        let mut tally = Tally::default();
        inputs.iter().for_each(|id| tally.expect(&user(*id)));
        found.iter().for_each(|id| tally.find(&user(*id)));
        tally.compare()
    }

    fn user(id: i32) -> UserRequest {
        UserRequest { id, ..UserRequest::default() }
    }

    /// How many records are missing, doubled, foreign.
    fn differing(inputs: &[i32], found: &[i32]) -> [u64; 3] {
        let Differences { missing, doubled, foreign, .. } = comparison(inputs, found).differences();
        [missing.records, doubled.records, foreign.records]
    }

    #[test]
    fn equal_sides_do_not_differ_whatever_their_order() {
        for side in [&[][..], &[1], &[1, 2, 3], &[2, 2, 1]] {
            let mut other = side.to_vec();
            other.reverse();
            assert_eq!(differing(side, &other), [0, 0, 0], "{side:?}");
            let digests = comparison(side, &other).digests();
            assert_eq!(digests.inputs, digests.found);
        }
    }

    #[test]
    fn what_differs_is_missing_doubled_or_foreign() {
        for (inputs, found, differs) in [
            (&[1, 2, 3][..], &[1, 3][..], [1, 0, 0]),
            (&[1, 2, 2], &[1, 2], [1, 0, 0]),
            (&[1, 2], &[1, 2, 2], [0, 1, 0]),
            (&[1, 2, 2], &[1, 2, 2, 2, 2], [0, 2, 0]),
            (&[1, 2], &[1, 2, 3, 3], [0, 0, 2]),
            (&[], &[1], [0, 0, 1]),
            (&[1], &[], [1, 0, 0]),
            (&[1, 2, 3], &[2, 2, 3, 4], [1, 1, 1]),
        ] {
            assert_eq!(differing(inputs, found), differs, "{inputs:?} {found:?}");
            let digests = comparison(inputs, found).digests();
            assert_ne!(digests.inputs, digests.found, "{inputs:?} {found:?}");
        }
    }

    #[test]
    fn a_digest_tells_in_which_field_a_value_is() {
        let first = UserRequest { first_name: "a".to_owned(), ..UserRequest::default() };
        let last = UserRequest { last_name: "a".to_owned(), ..UserRequest::default() };
        assert_ne!(Digest::of(&first), Digest::of(&last));
        assert_eq!(Digest::of(&first), Digest::of(&first.clone()));
    }

    #[test]
    fn a_record_takes_16_bytes_on_its_side() {
        assert_eq!(size_of::<Digest>(), 16);
    }
}
