//! The sample folder `examples/users`: ten files with traps, and what must become of them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::users::{User, Users, write_json, write_ndjson};

/// The name of the file that was cut off in the middle of a record.
pub const TRUNCATED: &str = "9.json";
/// The name of the file in which an id is a string.
pub const WRONG_TYPE: &str = "8.json";
/// The name of the file with an email that is none: the record becomes a dead letter.
pub const NOT_AN_EMAIL: &str = "6.json";

/// The records that the client sends.
pub const ACCEPTED: u64 = 296;
/// The records that the client refuses: one of the wrong type, one cut off.
pub const REJECTED: u64 = 2;
/// The records that become dead letters.
pub const DEAD: u64 = 1;

/// One sample file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its name in the folder.
    pub name: &'static str,
    /// What is in it.
    pub content: String,
    /// Those of its records that must reach the roll, as the roll has them.
    pub kept: Vec<User>,
}

/// Where the committed sample files are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("examples").join("users")
}

/// Writes every sample file into `folder`.
///
/// # Errors
///
/// Those of the file system.
pub fn write_to(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for sample in all() {
        std::fs::write(folder.join(sample.name), sample.content)?;
    }
    Ok(())
}

/// The records that the roll of the whole folder must have, in its order.
pub fn kept() -> Vec<User> {
    all().into_iter().flat_map(|sample| sample.kept).collect()
}

/// Every sample file, in the order in which the client takes them.
pub fn all() -> Vec<Sample> {
    vec![
        clean("1.json", 1),
        escaped("2.json", 2),
        pretty_printed("3.json", 3),
        null_and_missing("4.json", 4),
        unknown_field("5.json", 5),
        not_an_email(NOT_AN_EMAIL, 6),
        one_record_a_line("7.ndjson", 7),
        wrong_type(WRONG_TYPE, 8),
        truncated(TRUNCATED, 9),
        clean("10.json", 10),
    ]
}

const RECORDS_IN_A_FILE: usize = 30;
/// The place in its file of the record that is special, from 0.
const TRAP: usize = 16;

fn users(seed: u64) -> Vec<User> {
    Users::of_seed(seed).take(RECORDS_IN_A_FILE).collect()
}

fn clean(name: &'static str, seed: u64) -> Sample {
    let kept = users(seed);
    Sample { name, content: json(&kept), kept }
}

/// Every letter beyond ASCII is written as an escape, and one name needs two of them.
fn escaped(name: &'static str, seed: u64) -> Sample {
    let mut kept = users(seed);
    kept[TRAP].first_name = "Zoë 🦉";
    Sample { name, content: escape(&json(&kept)), kept }
}

fn pretty_printed(name: &'static str, seed: u64) -> Sample {
    let kept = users(seed);
    let content = serde_json::to_string_pretty(&kept).expect("users are JSON") + "\n";
    Sample { name, content, kept }
}

fn null_and_missing(name: &'static str, seed: u64) -> Sample {
    let mut kept = users(seed);
    let null = format!("\"country\":\"{}\"", kept[TRAP].country);
    let missing = format!("\"gender\":\"{}\",", kept[TRAP + 1].gender);
    let mut lines = lines(&kept);
    lines[TRAP] = lines[TRAP].replace(&null, "\"country\":null");
    lines[TRAP + 1] = lines[TRAP + 1].replace(&missing, "");
    kept[TRAP].country = "";
    kept[TRAP + 1].gender = "";
    Sample { name, content: array(&lines), kept }
}

fn unknown_field(name: &'static str, seed: u64) -> Sample {
    let kept = users(seed);
    let mut lines = lines(&kept);
    lines[TRAP] = lines[TRAP].replacen('{', "{\"tags\":[\"vip\",{\"since\":2019}],", 1);
    Sample { name, content: array(&lines), kept }
}

fn not_an_email(name: &'static str, seed: u64) -> Sample {
    let mut kept = users(seed);
    kept[TRAP].email = "no address".to_owned();
    let content = json(&kept);
    kept.remove(TRAP);
    Sample { name, content, kept }
}

/// The last line has no end of line.
fn one_record_a_line(name: &'static str, seed: u64) -> Sample {
    let kept = users(seed);
    let mut content = Vec::new();
    write_ndjson(&mut content, kept.clone()).expect("memory takes what is written");
    let content = utf8(content).trim_end().to_owned();
    Sample { name, content, kept }
}

fn wrong_type(name: &'static str, seed: u64) -> Sample {
    let mut kept = users(seed);
    let mut lines = lines(&kept);
    let id = kept[TRAP].id;
    lines[TRAP] = lines[TRAP].replace(&format!("\"id\":{id},"), &format!("\"id\":\"{id}\","));
    kept.remove(TRAP);
    Sample { name, content: array(&lines), kept }
}

/// The last record ends in the middle of its email.
fn truncated(name: &'static str, seed: u64) -> Sample {
    let mut kept = users(seed);
    kept.truncate(RECORDS_IN_A_FILE - 2);
    let mut content = json(&kept);
    let end = content.rfind('@').expect("a user has an email");
    content.truncate(end);
    kept.pop();
    Sample { name, content, kept }
}

fn json(users: &[User]) -> String {
    let mut written = Vec::new();
    write_json(&mut written, users.to_vec()).expect("memory takes what is written");
    utf8(written)
}

fn lines(users: &[User]) -> Vec<String> {
    users.iter().map(|user| serde_json::to_string(user).expect("a user is JSON")).collect()
}

fn array(lines: &[String]) -> String {
    format!("[{}]\n", lines.join(",\n"))
}

fn utf8(written: Vec<u8>) -> String {
    String::from_utf8(written).expect("JSON is UTF-8")
}

fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => write!(escaped, "\\u{unit:04x}").expect("a string takes what is written"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_committed_files_are_what_the_generator_makes() {
        for sample in all() {
            let committed = std::fs::read_to_string(folder().join(sample.name)).unwrap();
            assert!(
                committed == sample.content,
                "{} differs: run `cargo run --bin generate-users -- --examples examples/users`",
                sample.name
            );
        }
    }

    #[test]
    fn the_folder_holds_the_samples_and_their_description_and_nothing_else() {
        let found: BTreeSet<String> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut expected: BTreeSet<String> =
            all().iter().map(|sample| sample.name.to_owned()).collect();
        expected.insert("README.md".to_owned());
        assert_eq!(found, expected);
    }

    #[test]
    fn every_accepted_record_is_kept_or_dead() {
        assert_eq!(kept().len() as u64 + DEAD, ACCEPTED);
    }

    #[test]
    fn only_the_truncated_file_and_the_lines_are_not_one_json_value() {
        for sample in all() {
            let is_json = serde_json::from_str::<serde_json::Value>(&sample.content).is_ok();
            assert_eq!(is_json, ![TRUNCATED, "7.ndjson"].contains(&sample.name), "{}", sample.name);
        }
    }

    #[test]
    fn escapes_read_back_as_the_letters_they_stand_for() {
        let sample = escaped("2.json", 2);
        assert!(sample.content.is_ascii());
        let read: serde_json::Value = serde_json::from_str(&sample.content).unwrap();
        assert_eq!(read, serde_json::to_value(&sample.kept).unwrap());
    }
}
