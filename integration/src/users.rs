//! Made-up user records: the same seed gives the same records on every machine.

use std::io::{self, Write};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::words::{AGENTS, COUNTRIES, FIRST_NAMES, FirstName, LAST_NAMES, LastName, MAIL_DOMAINS};

/// One record, with its fields in the order in which the real files have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of UserRequest in proto/users.proto")]
pub struct User {
    pub id: i32,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub email: String,
    pub gender: &'static str,
    pub ip_address: String,
    pub user_name: String,
    pub agent: &'static str,
    pub country: &'static str,
}

/// Gives users without end, with ids from 1, as a real file numbers them.
#[derive(Clone, Debug)]
pub struct Users {
    random: ChaCha8Rng,
    next_id: i32,
}

impl Users {
    /// Starts the users of this seed.
    pub fn of_seed(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), next_id: 1 }
    }

    fn pick<T: Copy>(&mut self, words: &[T]) -> T {
        // A u32, not a usize: the generator draws differently for words of another width.
        let count = u32::try_from(words.len()).expect("a word list fits in memory");
        words[self.random.random_range(0..count) as usize]
    }

    fn ip_address(&mut self) -> String {
        let [a, b, c, d]: [u8; 4] = self.random.random();
        format!("{}.{b}.{c}.{d}", a.max(1))
    }
}

impl Iterator for Users {
    type Item = User;

    fn next(&mut self) -> Option<User> {
        let id = self.next_id;
        self.next_id = id.checked_add(1)?;
        let FirstName(first_name, initial, gender) = self.pick(FIRST_NAMES);
        let LastName(last_name, letters) = self.pick(LAST_NAMES);
        let user_name = format!("{initial}{letters}{}", id - 1);
        Some(User {
            id,
            first_name,
            last_name,
            email: format!("{user_name}@{}", self.pick(MAIL_DOMAINS)),
            gender,
            ip_address: self.ip_address(),
            user_name,
            agent: self.pick(AGENTS),
            country: self.pick(COUNTRIES),
        })
    }
}

/// Writes one JSON array, a record a line, as the real files have it.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(mut out: impl Write, users: impl IntoIterator<Item = User>) -> io::Result<()> {
    let mut before = "[";
    for user in users {
        out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut out, &user)?;
        before = ",\n";
    }
    out.write_all(if before == "[" { b"[]\n" } else { b"]\n" })
}

/// Writes one JSON object a line.
///
/// # Errors
///
/// Those of `out`.
pub fn write_ndjson(mut out: impl Write, users: impl IntoIterator<Item = User>) -> io::Result<()> {
    for user in users {
        serde_json::to_writer(&mut out, &user)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_users() {
        let users: Vec<User> = Users::of_seed(7).take(500).collect();
        assert!(users.iter().cloned().eq(Users::of_seed(7).take(500)));
        assert!(!users.iter().cloned().eq(Users::of_seed(8).take(500)));
    }

    #[test]
    fn ids_count_from_1_and_names_go_beyond_ascii() {
        let users: Vec<User> = Users::of_seed(7).take(500).collect();
        assert!((1..=500).eq(users.iter().map(|user| user.id)));
        assert!(users.iter().any(|user| !user.first_name.is_ascii()));
        assert!(users.iter().all(|user| user.email.is_ascii()));
    }

    #[test]
    fn a_record_is_about_300_bytes() {
        let mut written = Vec::new();
        write_ndjson(&mut written, Users::of_seed(7).take(1000)).unwrap();
        let mean = written.len() / 1000;
        assert!((270..=330).contains(&mean), "a record has {mean} bytes");
    }

    #[test]
    fn both_formats_hold_the_same_records() {
        let (mut json, mut ndjson) = (Vec::new(), Vec::new());
        write_json(&mut json, Users::of_seed(7).take(3)).unwrap();
        write_ndjson(&mut ndjson, Users::of_seed(7).take(3)).unwrap();
        let array: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
        let lines: Vec<serde_json::Value> = serde_json::Deserializer::from_slice(&ndjson)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(array, lines);
        assert_eq!(array.len(), 3);
    }

    #[test]
    fn no_users_are_an_empty_array() {
        let mut written = Vec::new();
        write_json(&mut written, []).unwrap();
        assert_eq!(written, b"[]\n");
    }
}
