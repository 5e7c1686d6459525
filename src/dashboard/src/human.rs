//! Numbers, sizes, times as a person reads them; the exact value goes with each.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

/// How many characters of a long id are read.
const IDENTITY_CHARS: usize = 12;

/// What is read, and what it stands for. In a page, `exact` is what the pointer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) exact: String,
}

/// A number: `999,999`, `1.23 M`.
pub(crate) fn count(n: u64) -> Value {
    let exact = grouped(n);
    let text =
        if n < 1_000_000 { exact.clone() } else { scaled(n, 1000, &["", "k", "M", "G", "T"]) };
    Value { text, exact }
}

/// A size: `1.50 MiB`.
pub(crate) fn bytes(n: u64) -> Value {
    let text = scaled(n, 1024, &["B", "KiB", "MiB", "GiB", "TiB"]);
    Value { text, exact: format!("{} bytes", grouped(n)) }
}

/// How long something takes, or took: `1.5 ms`, `12.0 s`, `4 min 12 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn span(span: Duration) -> Value {
    let seconds = span.as_secs();
    let text = match seconds {
        0 => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        1..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", grouped(seconds / 86_400), seconds / 3600 % 24),
    };
    Value { text, exact: format!("{} s", span.as_secs_f64()) }
}

/// How many in each second: `0.4/s`, `12,400/s`. Unknown while no time has passed.
pub(crate) fn rate(n: u64, time: Duration) -> Option<Value> {
    let tenths = u128::from(n) * 10_000_000 / non_zero(time.as_micros())?;
    let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
    let Value { text, exact } = if tenths < 100 {
        let text = format!("{whole}.{}", tenths % 10);
        Value { exact: text.clone(), text }
    } else {
        count(whole)
    };
    Some(Value { text: format!("{text}/s"), exact: format!("{exact} a second") })
}

fn non_zero(n: u128) -> Option<u128> {
    (n > 0).then_some(n)
}

/// A moment, as its age: `now`, `12 s ago`, `4 min ago`, `2 h ago`, `3 d ago`. `exact` is RFC 3339
/// in UTC. `None` for a time outside of the years 1970 to 9999.
pub(crate) fn moment(at: Option<Timestamp>, now: SystemTime) -> Option<Value> {
    // What is before 1970, `humantime` panics at.
    let at = time(at).filter(|at| *at >= SystemTime::UNIX_EPOCH)?;
    let mut exact = String::new();
    write!(exact, "{}", humantime::format_rfc3339_seconds(at)).ok()?;
    // The clock of another machine may be ahead.
    let seconds = now.duration_since(at).unwrap_or_default().as_secs();
    let text = match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", grouped(seconds / 86_400)),
    };
    Some(Value { text, exact })
}

/// A moment, for reckoning.
pub(crate) fn time(at: Option<Timestamp>) -> Option<SystemTime> {
    SystemTime::try_from(at?).ok()
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 record`, `1,200 records`.
pub(crate) fn counted(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A SHA-256, or the id of a process: its beginning tells two apart, to a person.
pub(crate) fn identity(id: &str) -> Value {
    Value { text: beginning(id, IDENTITY_CHARS), exact: id.to_owned() }
}

/// The text, or its beginning when it has more than `chars` characters.
pub(crate) fn beginning(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The number in the largest unit that it has one of, with three digits.
fn scaled(n: u64, step: u64, units: &[&str]) -> String {
    let (mut unit, mut size) = (0, 1);
    while unit + 1 < units.len() && n / size >= step {
        unit += 1;
        size *= step;
    }
    let hundredths = u128::from(n) * 100 / u128::from(size);
    let number = match hundredths {
        _ if unit == 0 => n.to_string(),
        0..1000 => format!("{}.{:02}", hundredths / 100, hundredths % 100),
        1000..10_000 => format!("{}.{}", hundredths / 100, hundredths / 10 % 10),
        _ => grouped(u64::try_from(hundredths / 100).unwrap_or(u64::MAX)),
    };
    format!("{number} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_large_ones_scaled() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (999_999, "999,999"),
            (1_000_000, "1.00 M"),
            (12_345_678, "12.3 M"),
            (123_456_789, "123 M"),
            (u64::MAX, "18,446,744 T"),
        ];
        for (n, text) in cases {
            assert_eq!(count(n).text, text);
        }
        assert_eq!(count(12_345_678).exact, "12,345,678");
    }

    #[test]
    fn sizes_are_in_powers_of_two() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536 << 10, "1.50 MiB")];
        for (n, text) in cases {
            assert_eq!(bytes(n).text, text);
        }
        assert_eq!(bytes(1024).exact, "1,024 bytes");
    }

    #[test]
    fn spans_have_two_units() {
        let cases = [
            (400, "0.4 ms"),
            (1_500_000, "1.5 s"),
            (252_000_000, "4 min 12 s"),
            (7_500_000_000, "2 h 5 min"),
            (273_600_000_000, "3 d 4 h"),
        ];
        for (micros, text) in cases {
            assert_eq!(span(Duration::from_micros(micros)).text, text);
        }
        assert_eq!(span(Duration::from_millis(252_000)).exact, "252 s");
    }

    #[test]
    fn rates_are_by_the_second() {
        let rate = |n, seconds| rate(n, Duration::from_secs(seconds)).map(|rate| rate.text);
        assert_eq!(rate(2, 5).as_deref(), Some("0.4/s"));
        assert_eq!(rate(0, 5).as_deref(), Some("0.0/s"));
        assert_eq!(rate(1_240_000, 100).as_deref(), Some("12,400/s"));
        assert_eq!(rate(2, 0), None);
    }

    #[test]
    fn moments_are_ages() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let ago = |seconds: i64| {
            moment(Some(Timestamp { seconds: 1_700_000_000 - seconds, nanos: 0 }), now).unwrap()
        };
        let cases = [
            (-9, "now"),
            (0, "now"),
            (59, "59 s ago"),
            (61, "1 min ago"),
            (7300, "2 h ago"),
            (300_000, "3 d ago"),
        ];
        for (seconds, text) in cases {
            assert_eq!(ago(seconds).text, text);
        }
        assert_eq!(ago(0).exact, "2023-11-14T22:13:20Z");
        assert_eq!(moment(None, now), None);
        assert_eq!(moment(Some(Timestamp { seconds: i64::MAX, nanos: 0 }), now), None);
        assert_eq!(moment(Some(Timestamp { seconds: -1, nanos: 0 }), now), None);
    }

    #[test]
    fn things_are_counted() {
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(1200, "record"), "1,200 records");
        assert_eq!(beginning("äöü", 3), "äöü");
        assert_eq!(beginning("äöü!", 3), "äöü…");
    }
}
