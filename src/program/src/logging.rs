//! The log: text on a terminal, JSON otherwise, always on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts the log. A second call in one process changes nothing.
///
/// `filter` is a level (`info`), or a filter as tracing has them (`info,muster_queue=debug`); see
/// [`parse_filter`].
///
/// # Errors
///
/// `filter` is neither.
pub fn start(filter: &str) -> Result<(), InvalidFilter> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parse_filter(filter)?)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // Someone may have started a log before, a test for example: theirs stays.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// Reads a filter. Names of levels that others use are understood: `warning`, `critical`, `fatal`.
///
/// # Errors
///
/// `text` is no filter.
pub fn parse_filter(text: &str) -> Result<EnvFilter, InvalidFilter> {
    let filter = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        level => level.to_owned(),
    };
    // A single word that is no level would be the name of a part of the program: rarely meant.
    if !filter.contains(['=', ',', '[']) && filter.parse::<LevelFilter>().is_err() {
        return Err(InvalidFilter { text: text.to_owned() });
    }
    EnvFilter::builder().parse(filter).map_err(|_| InvalidFilter { text: text.to_owned() })
}

/// A text that is no filter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no log level; use error, warn, info, debug or trace, or a filter such as \
     info,muster_queue=debug"
)]
pub struct InvalidFilter {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_understood() {
        for text in ["info", "INFO", "WARNING", "critical", "info,muster_queue=debug", "off"] {
            assert!(parse_filter(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_by_name() {
        for text in ["info,=,", "verbose", "muster_queue"] {
            let error = parse_filter(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is no log level")), "{error}");
        }
    }
}
