//! Dead letters: in a file, one JSON object a line, or in the store ([`stored`]).

pub(super) mod stored;

use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use muster_program::daemon::Failure;
use muster_proto::users::UserRequest;
use serde::Deserialize;
use serde::de::Deserializer;

use super::{record, unreadable};

/// A dead letter. Its `Display` is where it is, and what it is.
pub(super) struct Letter {
    /// The record, as sent.
    pub(super) record: UserRequest,
    /// The file and line, or the store.
    origin: String,
    batch: String,
    place: u64,
    reason: String,
}

/// A line of the file. What else is in it is of no use here.
#[derive(Deserialize)]
struct Line {
    batch: String,
    place: u64,
    reason: String,
    #[serde(deserialize_with = "strictly")]
    record: UserRequest,
}

fn strictly<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserRequest, D::Error> {
    record::deserialize(deserializer, || ())
}

/// Goes through all letters of a file.
///
/// # Errors
///
/// The file cannot be read, or a line of it is no dead letter.
pub(super) fn read(path: &Path, mut each: impl FnMut(Letter)) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    for (text, number) in BufReader::new(file).lines().zip(1_u64..) {
        let text = text.map_err(|error| unreadable(path, error))?;
        let origin = format!("{}:{number}", path.display());
        let line: Line = serde_json::from_str(&text)
            .map_err(|error| format!("{origin}: this line is no dead letter: {error}"))?;
        let Line { batch, place, reason, record } = line;
        each(Letter { record, origin, batch, place, reason });
    }
    Ok(())
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, batch, place, reason, .. } = self;
        write!(f, "{origin} (record {place} of batch {batch}: {reason})")
    }
}

#[cfg(test)]
mod tests {
    const RECORD: &str = r#"{"id":7,"user_name":"","email":"x","first_name":"","last_name":"","ip_address":"","gender":"","country":"","agent":""}"#;

    /// The letters in a file, as they are shown, with `letters` for its path.
    fn read(content: &str) -> Result<Vec<(i32, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead.ndjson");
        std::fs::write(&path, content).unwrap();
        let name = |text: String| text.replace(&path.display().to_string(), "letters");
        let mut letters = Vec::new();
        super::read(&path, |letter| letters.push((letter.record.id, name(letter.to_string()))))
            .map(|()| letters)
            .map_err(|error| name(error.to_string()))
    }

    fn letter(rest: &str) -> String {
        format!("{{\"batch\":\"b-1\",\"place\":12,\"reason\":\"no address\"{rest}}}\n")
    }

    #[test]
    fn a_letter_says_where_it_is_and_what_it_is() {
        let short = letter(&format!(",\"record\":{RECORD}"));
        let more = ",\"attempts\":1,\"first\":\"2020\",\"last\":\"2021\",\"trace\":null";
        let long = letter(&format!("{more},\"record\":{RECORD}"));
        let shown = |line| format!("letters:{line} (record 12 of batch b-1: no address)");
        assert_eq!(read(&format!("{short}{long}")), Ok(vec![(7, shown(1)), (7, shown(2))]));
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_no_letter_is_named() {
        let good = letter(&format!(",\"record\":{RECORD}"));
        for (line, problem) in [
            (letter(""), "missing field `record`"),
            (letter(",\"record\":{\"id\":7}"), "missing field `user_name`"),
            (
                letter(&format!(",\"record\":{}", RECORD.replace("\"id\"", "\"number\""))),
                "`number`",
            ),
            ("\n".to_owned(), "EOF while parsing a value"),
            (good.replace("}}", "}} {}"), "trailing characters"),
        ] {
            let error = read(&format!("{good}{line}")).unwrap_err();
            assert!(error.starts_with("letters:2: this line is no dead letter: "), "{error}");
            assert!(error.contains(problem), "{error}");
        }
    }
}
