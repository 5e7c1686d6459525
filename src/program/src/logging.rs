//! The log: text on a terminal, JSON otherwise, always on standard error.
//!
//! A line says what spans it was written in: `batch`, `chunk`, `attempt`, `worker`, `trace`. In JSON
//! they are under `span`. Nothing in a line is obeyed by a terminal but the log's own colours.

mod harmless;

use std::io::IsTerminal as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::{printable, resources};

/// Something that is told of every span and event.
pub(crate) type Layer = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// The longest filter, in bytes.
const FILTER_BYTES_MAX: usize = 4096;
/// How much is shown of a text that is no filter, in characters.
const EXCERPT_CHARS_MAX: usize = 80;

/// The log of this process, once it is started.
static LOG: OnceLock<Log> = OnceLock::new();

/// Starts the log. A second call in one process changes nothing.
///
/// `filter` is a level (`info`), or a filter as tracing has them (`info,muster_queue=debug`); see
/// [`parse_filter`].
///
/// # Errors
///
/// `filter` is neither.
pub fn start(filter: &str) -> Result<(), InvalidFilter> {
    start_beside(filter, None)
}

/// Starts the log as [`start`] does, beside something else that is told of spans and events.
pub(crate) fn start_beside(filter: &str, other: Option<Layer>) -> Result<(), InvalidFilter> {
    let form = if std::io::stderr().is_terminal() { Form::Text } else { Form::Json };
    let (log, layer) = Log::new(filter, form, std::io::stderr)?;
    let layers: Vec<Layer> = std::iter::once(layer).chain(other).collect();
    // Someone may have started a log before, a test for example: theirs stays.
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        LOG.get_or_init(|| log);
        resources::log();
    }
    Ok(())
}

/// Sets another filter for the log, or, by `None`, the one that it was started with. That it has
/// changed is a line of the log, whatever the filter. Before the log is started nothing changes.
///
/// # Errors
///
/// `filter` is none: the one before stays.
pub fn set_filter(filter: Option<&str>) -> Result<(), InvalidFilter> {
    match LOG.get() {
        Some(log) => log.set_filter(filter),
        None => filter.map_or(Ok(()), |filter| parse_filter(filter).map(drop)),
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Json,
}

/// A log whose filter can be changed.
#[derive(Debug)]
struct Log {
    handle: reload::Handle<EnvFilter, Registry>,
    /// The filter that it was started with.
    first: String,
    /// The filter that it has.
    current: Mutex<String>,
}

impl Log {
    /// A log, and the layer that writes it.
    fn new<W>(filter: &str, form: Form, writer: W) -> Result<(Self, Layer), InvalidFilter>
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let (events, handle) = reload::Layer::new(with_own_lines(filter)?);
        // A line says where it belongs, whether or not the filter would show spans.
        let spans = filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::INFO && is_ours(metadata)
        })
        .with_max_level_hint(LevelFilter::INFO);
        let lines = fmt::layer().log_internal_errors(false);
        let lines: Layer = match form {
            Form::Text => lines.fmt_fields(harmless::fields()).with_writer(writer).boxed(),
            Form::Json => {
                let lines = lines.with_writer(harmless::Json(writer)).json();
                lines.flatten_event(true).with_span_list(false).boxed()
            }
        };
        let log = Self { handle, first: filter.to_owned(), current: Mutex::new(filter.to_owned()) };
        Ok((log, lines.with_filter(events.or(spans)).boxed()))
    }

    fn set_filter(&self, filter: Option<&str>) -> Result<(), InvalidFilter> {
        let filter = filter.unwrap_or(&self.first);
        let new = with_own_lines(filter)?;
        // A text is whole after every step.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // It fails only when the log is gone, as it never is before the process.
        if *current != filter && self.handle.reload(new).is_ok() {
            filter.clone_into(&mut current);
            tracing::info!(filter, "the log's filter has changed");
        }
        Ok(())
    }
}

/// Whether a span or an event is of one of our crates.
pub(crate) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("muster")
}

/// Reads a filter that lets the lines of this module through, whatever else it says.
fn with_own_lines(filter: &str) -> Result<EnvFilter, InvalidFilter> {
    let own = format!("{}=info", module_path!());
    let own = own.parse().map_err(|_| InvalidFilter { text: excerpt(filter) })?;
    Ok(parse_filter(filter)?.add_directive(own))
}

/// Reads a filter. Names of levels that others use are understood: `warning`, `critical`, `fatal`.
/// The value of a span's field stands for itself: it is no pattern, which could cost any time and
/// memory.
///
/// # Errors
///
/// `text` is not a valid filter, is not ASCII, or is longer than 4096 bytes.
pub fn parse_filter(text: &str) -> Result<EnvFilter, InvalidFilter> {
    let invalid = || InvalidFilter { text: excerpt(text) };
    // Levels, targets and span names are ASCII. tracing-subscriber 0.3.23 panics at some other texts.
    if text.len() > FILTER_BYTES_MAX || !text.is_ascii() {
        return Err(invalid());
    }
    let filter = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        level => level.to_owned(),
    };
    // A single word that is no level would be the name of a part of the program: rarely meant.
    if !filter.contains(['=', ',', '[']) && filter.parse::<LevelFilter>().is_err() {
        return Err(invalid());
    }
    EnvFilter::builder().with_regex(false).parse(filter).map_err(|_| invalid())
}

/// The beginning of a filter that is none: it may come from anywhere.
fn excerpt(filter: &str) -> String {
    printable::beginning(filter, EXCERPT_CHARS_MAX)
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
    use std::io;
    use std::sync::Arc;

    use super::*;

    /// What a log has written.
    #[derive(Clone, Debug, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    /// Does this with a log of its own.
    fn with_log(filter: &str, form: Form, work: impl FnOnce(&Log, &Written)) {
        let written = Written::default();
        let writer = written.clone();
        let (log, layer) = Log::new(filter, form, move || writer.clone()).unwrap();
        let registry = tracing_subscriber::registry().with(vec![layer]);
        tracing::subscriber::with_default(registry, || work(&log, &written));
    }

    /// As another part of the program would.
    fn write_lines() {
        tracing::debug!(target: "other", "a detail");
        tracing::info!(target: "other", "a step");
        tracing::warn!(target: "other", "a trouble");
    }

    #[test]
    fn the_filter_can_be_changed_and_changed_back() {
        with_log("warn", Form::Text, |log, written| {
            let has = |text: &str, lines: &str| assert!(lines.contains(text), "{text}: {lines}");
            write_lines();
            let lines = written.take();
            has("a trouble", &lines);
            assert_eq!(lines.lines().count(), 1, "{lines}");
            log.set_filter(Some("debug")).unwrap();
            write_lines();
            let lines = written.take();
            has("the log's filter has changed", &lines);
            has("debug", &lines);
            has("a detail", &lines);
            log.set_filter(None).unwrap();
            write_lines();
            let lines = written.take();
            has("the log's filter has changed", &lines);
            assert_eq!(lines.lines().count(), 2, "{lines}");
        });
    }

    #[test]
    fn that_the_filter_has_changed_is_said_once_and_also_in_a_log_that_is_off() {
        with_log("info", Form::Text, |log, written| {
            for _ in 0..2 {
                log.set_filter(Some("off")).unwrap();
                write_lines();
            }
            let lines = written.take();
            assert!(lines.contains("the log's filter has changed"), "{lines}");
            assert_eq!(lines.lines().count(), 1, "{lines}");
        });
    }

    #[test]
    fn what_is_no_filter_changes_nothing() {
        with_log("warn", Form::Text, |log, written| {
            let error = log.set_filter(Some("verbose")).unwrap_err();
            assert!(error.to_string().starts_with("`verbose` is no log level"), "{error}");
            write_lines();
            assert_eq!(written.take().lines().count(), 1);
        });
        assert!(set_filter(Some("verbose")).is_err(), "also before a log is started");
    }

    #[test]
    fn a_line_says_which_span_it_is_in_whatever_the_filter() {
        with_log("warn", Form::Json, |_, written| {
            tracing::info_span!("outer", batch = "b-1").in_scope(|| {
                let inner = tracing::info_span!("inner", chunk = 7, trace = tracing::field::Empty);
                inner.record("trace", "0af7");
                inner.in_scope(|| tracing::warn!(records = 3, "a trouble"));
            });
            let line = written.take();
            for part in [
                r#""level":"WARN","message":"a trouble","records":3,"target":"muster_program"#,
                r#""span":{"chunk":7,"trace":"0af7","name":"inner"}"#,
            ] {
                assert!(line.contains(part), "{part}: {line}");
            }
            assert!(!line.contains("b-1"), "the innermost span alone: {line}");
        });
    }

    #[test]
    fn nothing_that_others_wrote_is_obeyed() {
        let hostile = "a\u{1b}[31m\u{9b}0m\u{202e}b\nc\0";
        for form in [Form::Text, Form::Json] {
            with_log("info", form, |_, written| {
                tracing::info_span!("of", batch = hostile).in_scope(|| {
                    tracing::info!(shown = %hostile, debugged = ?hostile, text = hostile, "{hostile}");
                });
                let line = written.take();
                let (line, rest) = line.split_once('\n').unwrap();
                assert_eq!(rest, "", "one line");
                let own = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[3m", "\u{1b}[32m"];
                let others = own.iter().fold(line.to_owned(), |line, own| line.replace(own, ""));
                assert_eq!(others.chars().find(|c| printable::is_obeyed(*c)), None, "{others:?}");
                assert!(line.contains("202e"), "it is spelt out: {line}");
            });
        }
    }

    #[test]
    fn levels_and_filters_are_understood() {
        for text in ["info", "INFO", "WARNING", "critical", "info,muster_queue=debug", "off"] {
            assert!(parse_filter(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_shown_short_and_harmless() {
        let long = "\u{1b}[31m".repeat(1000);
        let error = parse_filter(&long).unwrap_err().to_string();
        assert!(error.starts_with(r"`\u{1b}[31m\u{1b}[31m"), "{error}");
        assert!(error.len() < 400, "{error}");
        assert!(parse_filter(&format!("info,{}", "a,".repeat(4096))).is_err());
    }

    #[test]
    fn a_value_in_a_filter_is_no_pattern() {
        // As a pattern it would take gigabytes.
        let pattern = format!(".*a{}", ".".repeat(40));
        assert!(parse_filter(&format!("info,[span{{field={pattern}}}]=debug")).is_ok());
    }

    #[test]
    fn other_texts_are_refused_by_name() {
        for text in ["größe=info", "info,=,", "verbose", "muster_queue"] {
            let error = parse_filter(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is no log level")), "{error}");
        }
    }
}
