//! What is in a roll, whatever its order: enough to see that something is missing, or there twice.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

/// A count of records, and a sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    /// How many they are.
    pub(crate) records: u64,
    hashes: u64,
}

impl Digest {
    /// One record, as a line of the roll.
    pub(crate) fn of_line(line: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(line);
        Self { records: 1, hashes: hasher.finish() }
    }

    /// Adds what another one has.
    pub(crate) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.hashes = self.hashes.wrapping_add(other.hashes);
    }

    /// What is in a roll.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn of_roll(path: &Path) -> io::Result<Self> {
        let mut roll = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut digest = Self::default();
        let mut line = Vec::new();
        while roll.read_until(b'\n', &mut line)? > 0 {
            let record = line.strip_suffix(b"\n").unwrap_or(&line);
            let record = record.strip_suffix(b",").unwrap_or(record);
            if record != b"[" && record != b"]" {
                digest.add(Self::of_line(record));
            }
            line.clear();
        }
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records;

    fn roll(of: &[&str]) -> Digest {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roll");
        std::fs::write(&path, of.concat()).unwrap();
        Digest::of_roll(&path).unwrap()
    }

    #[test]
    fn the_order_does_not_matter_and_the_number_does() {
        let one = roll(&["[\n", "{\"id\":1},\n", "{\"id\":2}\n", "]\n"]);
        assert_eq!(one, roll(&["[\n", "{\"id\":2},\n", "{\"id\":1}\n", "]\n"]));
        assert_ne!(one, roll(&["[\n", "{\"id\":1},\n", "{\"id\":1}\n", "]\n"]));
        assert_ne!(one, roll(&["[\n", "{\"id\":1}\n", "]\n"]));
        assert_eq!(roll(&["[\n", "]\n"]), Digest::default());
    }

    #[test]
    fn records_that_are_sent_twice_count_twice() {
        let (mut ten, five) = (records::digest(5, None), records::digest(5, None));
        ten.add(five);
        assert_eq!(ten.records, 10);
        assert_ne!(ten, records::digest(10, None));
    }
}
