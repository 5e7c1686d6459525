//! Settings: a file and the environment, as each program reads them.

use std::path::PathBuf;

use muster_program::config::{self, Settings, Sources};

use crate::parts::split;
use crate::{scratch, shown};

/// What stands between the parts of the input.
const SEPARATOR: &[u8] = b"\n--\n";
/// A password in the store's URL.
const SECRET: &str = "s3cr3t-0f-th3-st0r3";
/// Settings that name a file, which may be any of this machine.
const FILES: [&str; 2] = ["store_file", "sentinel_password_file"];

/// Settings are read or refused, in one line that can be shown. What is in force can be read again.
/// A password of the store is in neither.
///
/// The input has a file, variables a line each (`NAME=VALUE`), and what stands before and behind
/// the password.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(SECRET, "");
    let parts = split(text.as_bytes(), SEPARATOR);
    let part = |number: usize| parts.get(number).copied().unwrap_or_default();
    let (file, environment) = (part(0), pairs(part(1)));
    as_each_program(file, environment.clone(), Kept::Open);

    // The password, in the file and in the environment. What is before it in the file is no other
    // setting, so that it is the store's.
    let (before, behind) = (lossy(part(2)), lossy(part(3)));
    let before = before.replace(['\n', '\r', '='], "");
    let url = format!("{before}{SECRET}{behind}");
    let stored = [b"store = \"", url.as_bytes(), b"\"\n", file].concat();
    as_each_program(&stored, environment.clone(), Kept::Secret(is_password(&before, &behind)));
    let variable = ("MUSTER_STORE".to_owned(), url);
    let environment: Vec<_> = environment.into_iter().chain([variable]).collect();
    as_each_program(file, environment, Kept::Secret(is_password(&before, &behind)));
}

/// Whether the settings have a secret.
#[derive(Clone, Copy)]
enum Kept {
    Open,
    /// They have, in the store's URL; and whether it stands where a password does, not as a name.
    Secret(bool),
}

/// Whether what is between these is a password, if the whole is a URL of Redis.
fn is_password(before: &str, behind: &str) -> bool {
    let login = before.strip_prefix("redis").and_then(|rest| rest.split_once("://"));
    login.is_some_and(|(_, login)| login.contains(':')) && behind.contains('@')
}

fn as_each_program(file: &[u8], environment: Vec<(String, String)>, kept: Kept) {
    if names_a_file(file, &environment) {
        return;
    }
    let folder = scratch::folder();
    let path = folder.path().join("muster.toml");
    std::fs::write(&path, file).expect("a file can be written");
    let sources = Sources { file: Some(path), environment, ..Sources::default() };
    load::<muster_server::config::Config>(&sources, kept);
    load::<muster_worker::config::Config>(&sources, kept);
    load::<muster_client::config::Config>(&sources, kept);
}

fn names_a_file(file: &[u8], environment: &[(String, String)]) -> bool {
    let is_named = |table: &toml::Table| FILES.iter().any(|file| table.contains_key(*file));
    let in_file = lossy(file).parse::<toml::Table>().is_ok_and(|table| {
        is_named(&table) || table.values().filter_map(|value| value.as_table()).any(is_named)
    });
    let is_file = |name: &str| FILES.iter().any(|file| name.to_ascii_lowercase().ends_with(file));
    in_file || environment.iter().any(|(name, _)| is_file(name))
}

fn load<C: Settings>(sources: &Sources, kept: Kept) {
    let flags = std::collections::BTreeMap::<String, String>::new();
    let config: C = match config::load(sources, &flags) {
        Ok(config) => config,
        Err(error) => {
            let said = error.to_string();
            if let Kept::Secret(_) = kept {
                assert!(!said.contains(SECRET), "{said}");
            }
            return shown::line(&said);
        }
    };
    let dumped = config::dump(&config).expect("settings can be shown").to_string();
    if let Kept::Secret(true) = kept {
        assert!(!dumped.contains(SECRET), "{dumped}");
    }
    let control = |c: &char| c.is_control() && *c != '\n';
    assert_eq!(dumped.chars().find(control), None, "{dumped:?}");
    let again = dumped.parse::<toml::Table>().expect("what is shown is TOML");
    assert_eq!(again.to_string(), dumped);
    let folder = scratch::folder();
    let path: PathBuf = folder.path().join("dumped.toml");
    std::fs::write(&path, &dumped).expect("a file can be written");
    let sources = Sources { file: Some(path), ..Sources::default() };
    let read: C = config::load(&sources, &flags).expect("what is shown can be read");
    let read = config::dump(&read).expect("settings can be shown").to_string();
    assert_eq!(read, dumped, "what is read is what was shown");
}

/// The variables of an environment, a line each.
fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let lines = lossy(text);
    let pair = |line: &str| line.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()));
    lines.lines().filter_map(pair).collect()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
