//! The records of a roll, with the lines on which they begin, and its SHA-256.
//!
//! A roll is one JSON array of records and nothing else. It is read as a stream: memory does not
//! grow with it.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use muster_program::daemon::Failure;
use muster_proto::users::UserRequest;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer as _, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use super::{record, tally, unreadable};

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// What a roll is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Roll {
    pub(super) file: String,
    pub(super) records: u64,
    /// Its length, in bytes.
    pub(super) bytes: u64,
    /// In hexadecimal.
    pub(super) sha256: String,
}

/// Goes through all records of the roll, each with the line on which it begins, from 1.
///
/// # Errors
///
/// The roll cannot be read, or is not one JSON array of records with all their fields.
pub(super) fn read(path: &Path, each: impl FnMut(&UserRequest, u64)) -> Result<Roll, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let mut content = Digested { reader: file, digest: Sha256::new(), bytes: 0 };
    let records = records_of(&mut content, each).map_err(|error| {
        if error.is_io() {
            unreadable(path, error)
        } else {
            format!("{} is no roll: {error}", path.display()).into()
        }
    })?;
    Ok(Roll {
        file: path.display().to_string(),
        records,
        bytes: content.bytes,
        sha256: tally::hexadecimal(&content.digest.finalize()),
    })
}

/// Reads to the very end, and counts the records.
fn records_of(content: impl Read, each: impl FnMut(&UserRequest, u64)) -> serde_json::Result<u64> {
    let line = Cell::new(1);
    let content = BufReader::with_capacity(BUFFER_BYTES, content);
    let content = CountedLines { reader: content, line: &line };
    let mut array = serde_json::Deserializer::from_reader(content);
    let records = array.deserialize_seq(ArrayVisitor { line: &line, each })?;
    array.end()?;
    Ok(records)
}

struct ArrayVisitor<'a, F> {
    line: &'a Cell<u64>,
    each: F,
}

impl<'de, F: FnMut(&UserRequest, u64)> Visitor<'de> for ArrayVisitor<'_, F> {
    /// How many records there are.
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<u64, A::Error> {
        let mut records = 0;
        while let Some((record, line)) = array.next_element_seed(Element { line: self.line })? {
            (self.each)(&record, line);
            records += 1;
        }
        Ok(records)
    }
}

/// A record, and the line on which it begins.
struct Element<'a> {
    line: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (UserRequest, u64);

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        let mut line = 0;
        let record = record::deserialize(deserializer, || line = self.line.get())?;
        Ok((record, line))
    }
}

/// Counts the lines of what passes. serde_json takes one byte at a time, and none too early.
struct CountedLines<'a, R> {
    reader: R,
    line: &'a Cell<u64>,
}

impl<R: Read> Read for CountedLines<'_, R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        let ends = buffer[..len].iter().filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + ends as u64);
        Ok(len)
    }
}

/// Takes the digest of what passes.
struct Digested<R> {
    reader: R,
    digest: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        self.digest.update(&buffer[..len]);
        self.bytes += len as u64;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: &str = r#""user_name":"","email":"","first_name":"","last_name":"",
        "ip_address":"","gender":"","country":"","agent":"""#;

    /// A record with this id, on two lines.
    fn record(id: i32) -> String {
        format!("{{\"id\":{id},{NINE}}}")
    }

    /// The ids in a roll, each with its line.
    fn read(content: &str) -> Result<Vec<(i32, u64)>, String> {
        let mut ids = Vec::new();
        let records = records_of(content.as_bytes(), |record, line| ids.push((record.id, line)));
        let records = records.map_err(|error| error.to_string())?;
        assert_eq!(records, ids.len() as u64);
        Ok(ids)
    }

    #[test]
    fn records_come_with_the_lines_on_which_they_begin() {
        let (one, two) = (record(1), record(2));
        assert_eq!(read(&format!("[\n{one},\n{two}\n]\n")), Ok(vec![(1, 2), (2, 4)]));
        assert_eq!(read(&format!("[{one},{two}]")), Ok(vec![(1, 1), (2, 2)]));
        assert_eq!(read(&format!("\n\n[ {one}\n\n,\n\n{two}\n]")), Ok(vec![(1, 3), (2, 8)]));
        assert_eq!(read("[\n]\n"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_roll_is_refused_with_its_line() {
        let one = record(1);
        let array = "[1,\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]";
        for (content, problem) in [
            (String::new(), "EOF while parsing a value at line 1"),
            (one.clone(), "expected an array of records at line 1"),
            (format!("[\n{one}"), "EOF while parsing a list at line 3"),
            (format!("[\n{one},\n]"), "trailing comma at line 4"),
            (format!("[\n{one}\n]\n[]"), "trailing characters at line 5"),
            (format!("[{array}]"), "expected a record: an object with its nine fields at line 1"),
            ("[null]".to_owned(), "expected a record: an object with its nine fields at line 1"),
            ("[\n{\"id\":1}]".to_owned(), "missing field `user_name` at line 2"),
            (one.replace("{", "[{\"tags\":[],"), "unknown field `tags`"),
            (one.replace("{", "[{\"id\":1,"), "duplicate field `id`"),
            (
                one.replace("{\"id\":1", "[{\"id\":\"1\""),
                "invalid type: string \"1\", expected i32",
            ),
            (one.replace("{\"id\":1", "[{\"id\":2147483648"), "expected i32"),
            (one.replacen("\"\"", "null", 1).replace('{', "[{"), "invalid type: null"),
        ] {
            let error = read(&content).unwrap_err();
            assert!(error.contains(problem), "{content:?}: {error}");
        }
    }

    #[test]
    fn the_length_and_the_digest_are_those_of_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all_users.json");
        let content = format!("[\n{}\n]\n  \n", record(1));
        std::fs::write(&path, &content).unwrap();
        let roll = super::read(&path, |_, _| ()).unwrap();
        assert_eq!(roll.bytes, content.len() as u64);
        assert_eq!(roll.sha256, tally::hexadecimal(&Sha256::digest(&content)));
        assert_eq!(roll.records, 1);
    }

    #[test]
    fn a_roll_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("nowhere.json")] {
            let error = super::read(&path, |_, _| ()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{} cannot be read: ", path.display())), "{error}");
        }
    }
}
