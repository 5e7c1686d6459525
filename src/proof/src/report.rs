//! What came out of a file.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Doubt;

/// What came out of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InputFile {
    /// The file's path.
    pub file: String,
    /// How many records it has.
    pub records: u64,
    /// How many bytes of the decoded file are neither records nor separators.
    pub unread_bytes: u64,
    /// How many stretches these bytes are in, and those at which something is missing.
    pub unread: u64,
    /// How many records have each ignored name; bounded.
    #[serde(serialize_with = "as_object")]
    pub ignored: Vec<(String, u64)>,
    /// What is doubtful about the records; bounded.
    pub doubts: Vec<Doubt>,
}

/// A stretch of a file that is neither a record nor separators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file's path.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Where it begins in the decoded text, in bytes.
    pub offset: u64,
    /// Its length; 0 if something is missing.
    pub bytes: u64,
    /// Why it could not be read, in a short sentence.
    pub reason: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, bytes, reason, .. } = self;
        write!(f, "{file}:{line}: ")?;
        match bytes {
            0 => (),
            1 => write!(f, "1 byte: ")?,
            _ => write!(f, "{} bytes: ", grouped(*bytes))?,
        }
        f.write_str(reason)
    }
}

fn as_object<S: Serializer>(pairs: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, records)| (name, records)))
}

/// A number with its digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_stretch_is_described_with_its_place_and_size() {
        let text = |bytes| {
            let (file, reason) = ("a.json".to_owned(), "it is not JSON".to_owned());
            Unread { file, line: 3, offset: 9, bytes, reason }.to_string()
        };
        assert_eq!(text(0), "a.json:3: it is not JSON");
        assert_eq!(text(1), "a.json:3: 1 byte: it is not JSON");
        let rest = "bytes: it is not JSON";
        for (bytes, number) in [(999, "999"), (12345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(text(bytes), format!("a.json:3: {number} {rest}"));
        }
    }
}
