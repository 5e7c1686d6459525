//! What can be wrong with settings, in words that name the key and where it came from.

use std::path::{Path, PathBuf};

use figment::error::Kind;

use super::{SECTIONS, secret};
use crate::printable;

/// The least likeness, from 0 to 1, at which a key is suggested for a misspelt one.
const LIKENESS_MIN: f64 = 0.85;

/// How much is shown of a key, and of what is wrong with a value, in characters.
const KEY_CHARS_MAX: usize = 80;
const PROBLEM_CHARS_MAX: usize = 400;

/// Why settings cannot be used. Each is one line, fit to be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the settings in {}: {source}", shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{} is no TOML: {}", shown(path), printable::beginning(problem, PROBLEM_CHARS_MAX))]
    NoToml {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        problem: String,
    },
    /// A key is not known.
    #[error("`{}` ({}) is no setting; {}", key_of(key), origin_of(origin), suggestion(.nearest))]
    UnknownKey {
        /// The key.
        key: String,
        /// Which source has it.
        origin: String,
        /// The known key that is most like it, if one is.
        nearest: Option<String>,
    },
    /// A value does not fit.
    #[error(
        "`{}` ({}): {}",
        key_of(key),
        origin_of(origin),
        printable::beginning(problem, PROBLEM_CHARS_MAX)
    )]
    BadValue {
        /// The key.
        key: String,
        /// Which source has it.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A flag has a password in it.
    #[error(
        "--{key} has a password in it, and everyone on this machine can read the arguments of a \
         process: give it by {}, or name a file that holds it, by --{key}-file or `{key}_file`",
        variable(.key)
    )]
    InArguments {
        /// The key of the secret.
        key: String,
    },
    /// The settings cannot be written as TOML.
    #[error("cannot show the settings as TOML: {0}")]
    Dump(String),
}

fn shown(path: &Path) -> String {
    printable::text(&path.to_string_lossy())
}

fn key_of(key: &str) -> String {
    printable::beginning(key, KEY_CHARS_MAX)
}

/// A path, or the name of a variable.
fn origin_of(origin: &str) -> String {
    printable::beginning(origin, PROBLEM_CHARS_MAX)
}

fn suggestion(nearest: &Option<String>) -> String {
    match nearest {
        Some(key) => format!("did you mean `{key}`?"),
        None => "--dump-config shows all there are".to_owned(),
    }
}

fn variable(key: &str) -> String {
    format!("MUSTER_{}", key.to_ascii_uppercase())
}

impl From<figment::Error> for Error {
    fn from(error: figment::Error) -> Self {
        Self::new(error, &[])
    }
}

impl Error {
    /// What was found is not said of these settings, nor of others that are secrets.
    pub(super) fn new(error: figment::Error, secrets: &[&str]) -> Self {
        let origin =
            error.metadata.as_ref().map_or("the settings".into(), |source| source.name.clone());
        let path = error.path.join(".");
        match error.kind {
            Kind::UnknownField(key, known) => {
                let nearest = nearest(&key, known.iter().chain(&SECTIONS).copied());
                let nearest = nearest.map(str::to_owned);
                Self::UnknownKey { nearest, origin: origin.into_owned(), key }
            }
            kind => {
                let is_secret = error.path.iter().any(|key| secret::is_secret(key, secrets));
                let problem = if is_secret { problem_of_secret(kind) } else { problem(kind) };
                Self::BadValue { key: path, origin: origin.into_owned(), problem }
            }
        }
    }
}

/// What is wrong with a value, and what would be right, as a person would say it.
fn problem(kind: Kind) -> String {
    match kind {
        Kind::InvalidType(found, expected) => {
            format!("found {found}, expected {}", plain(&expected))
        }
        Kind::InvalidValue(found, expected) => {
            format!("found {found}, expected {}", plain(&expected))
        }
        Kind::UnknownVariant(found, known) => {
            format!("found `{found}`, expected one of: {}", known.join(", "))
        }
        // The words of the standard library.
        Kind::Message(message) if message == "invalid socket address syntax" => {
            format!("expected {}, not a name", plain("socket address"))
        }
        kind => kind.to_string(),
    }
}

/// The same of a value that is not to be seen.
fn problem_of_secret(kind: Kind) -> String {
    match kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("expected {}; what was found is not shown", plain(&expected))
        }
        // Words of the type itself: it knows that it is a secret.
        Kind::Message(message) => message,
        _ => "is not what it has to be; what was found is not shown".to_owned(),
    }
}

/// What a value has to be, in other words than those of the types.
fn plain(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a duration" => "a time with its unit, such as 30s or 5m",
        "f64" => "a number",
        "u16" => "a whole number from 0 to 65535",
        "a nonzero u16" => "a whole number from 1 to 65535",
        "a nonzero usize" => "a whole number from 1",
        "socket address" => "an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051",
        other => other,
    }
}

/// The known key that a key may have been meant for.
pub(super) fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
