//! The roll that a program must write, and the comparison with the one it wrote.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::iter;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::summary::Manifest;
use crate::users::User;

/// A record as the roll has it: its fields are in the order of `proto/users.proto`.
#[derive(Serialize)]
struct Record<'a> {
    id: i32,
    user_name: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    ip_address: &'a str,
    gender: &'a str,
    country: &'a str,
    agent: &'a str,
}

impl<'a> From<&'a User> for Record<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            user_name: &user.user_name,
            email: &user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            ip_address: &user.ip_address,
            gender: user.gender,
            country: user.country,
            agent: user.agent,
        }
    }
}

/// The lines of the roll that has these records, each with its end of line.
pub fn lines(users: impl IntoIterator<Item = User>) -> impl Iterator<Item = String> {
    let mut users = users.into_iter().peekable();
    let records = iter::from_fn(move || {
        let record = record(&users.next()?);
        Some(record + if users.peek().is_some() { ",\n" } else { "\n" })
    });
    iter::once("[\n".to_owned()).chain(records).chain(iter::once("]\n".to_owned()))
}

/// Compares a roll with the one that has these records, byte by byte, in little memory, and its
/// manifest with both. Returns the manifest.
///
/// # Panics
///
/// At the first line that differs, with that line; or when the manifest does not fit the roll.
pub fn assert_roll(roll: &Path, users: impl IntoIterator<Item = User>) -> Manifest {
    let mut digest = Sha256::new();
    let mut written = open(roll);
    let mut line = Vec::new();
    let mut records = 0;
    for (place, expected) in lines(users).enumerate() {
        line.clear();
        written.read_until(b'\n', &mut line).expect("a roll can be read");
        assert!(
            line == expected.as_bytes(),
            "line {} of {}\n  is        {:?}\n  should be {expected:?}",
            place + 1,
            roll.display(),
            String::from_utf8_lossy(&line),
        );
        digest.update(&line);
        records = place.saturating_sub(1) as u64;
    }
    let rest = written.fill_buf().expect("a roll can be read");
    assert!(rest.is_empty(), "{} goes on after its end", roll.display());

    let manifest = Manifest { records, sha256: hexadecimal(&digest.finalize()) };
    assert_eq!(Manifest::of(roll), manifest, "the manifest of {}", roll.display());
    manifest
}

/// Compares a roll with the one that has these records in any order.
///
/// # Panics
///
/// At the first record that only one of the two has, with that record.
pub fn assert_roll_in_any_order(roll: &Path, users: impl IntoIterator<Item = User>) {
    let mut written: Vec<String> = open(roll)
        .lines()
        .map(|line| line.expect("a roll is UTF-8").trim_end_matches(',').to_owned())
        .filter(|line| line != "[" && line != "]")
        .collect();
    let mut expected: Vec<String> = users.into_iter().map(|user| record(&user)).collect();
    written.sort_unstable();
    expected.sort_unstable();
    for (written, expected) in written.iter().zip(&expected) {
        assert!(written == expected, "the roll has     {written}\nand should have {expected}");
    }
    assert_eq!(written.len(), expected.len(), "records in {}", roll.display());
}

/// How many records the roll at this path has, by its manifest, which is written last; 0 when
/// there is none yet.
pub fn count(roll: &Path) -> u64 {
    let manifest = roll.with_extension("manifest.json");
    if manifest.exists() { Manifest::of(roll).records } else { 0 }
}

fn open(roll: &Path) -> BufReader<File> {
    let file = File::open(roll);
    BufReader::new(file.unwrap_or_else(|error| panic!("{}: {error}", roll.display())))
}

/// A record as the roll has it, without what ends its line.
///
/// # Panics
///
/// Never: a user is JSON.
pub fn record(user: &User) -> String {
    serde_json::to_string(&Record::from(user)).expect("a user is JSON")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::users::Users;

    fn users(count: usize) -> Vec<User> {
        Users::of_seed(3).take(count).collect()
    }

    /// A folder with a roll of these lines and the manifest that fits it.
    fn roll(lines: &[String]) -> (TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all_users.json");
        let content = lines.concat();
        let sha256 = hexadecimal(&Sha256::digest(content.as_bytes()));
        let records = lines.len() - 2;
        fs::write(&path, content).unwrap();
        let manifest = format!("{{\"records\":{records},\"sha256\":\"{sha256}\"}}");
        fs::write(folder.path().join("all_users.manifest.json"), manifest).unwrap();
        (folder, path)
    }

    #[test]
    fn a_roll_is_an_array_with_a_record_a_line() {
        assert_eq!(lines([]).collect::<String>(), "[\n]\n");
        let two: String = lines(users(2)).collect();
        let [first, second] = [&users(2)[0], &users(2)[1]].map(record);
        assert_eq!(two, format!("[\n{first},\n{second}\n]\n"));
        assert!(first.starts_with("{\"id\":1,\"user_name\":\""), "{first}");
    }

    #[test]
    fn the_roll_that_was_expected_is_accepted() {
        for count in [0, 1, 5] {
            let (_folder, path) = roll(&lines(users(count)).collect::<Vec<_>>());
            assert_eq!(assert_roll(&path, users(count)).records, count as u64);
            assert_roll_in_any_order(&path, users(count).into_iter().rev());
            assert_eq!(super::count(&path), count as u64);
        }
    }

    #[test]
    #[should_panic(expected = "line 4 of")]
    fn a_record_twice_is_found() {
        let mut lines: Vec<String> = lines(users(5)).collect();
        lines.insert(3, lines[2].clone());
        assert_roll(&roll(&lines).1, users(5));
    }

    #[test]
    #[should_panic(expected = "goes on after its end")]
    fn more_than_was_expected_is_found() {
        let mut lines: Vec<String> = lines(users(5)).collect();
        lines.push("\n".to_owned());
        let (_folder, path) = roll(&lines);
        assert_roll(&path, users(5));
    }

    #[test]
    #[should_panic(expected = "and should have")]
    fn a_missing_record_is_found_in_any_order() {
        let mut lines: Vec<String> = lines(users(5)).collect();
        lines.remove(1);
        let (_folder, path) = roll(&lines);
        assert_roll_in_any_order(&path, users(5));
    }
}
