//! Times, sizes and rates: exact for a program, rounded for a person.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use indicatif::HumanBytes;
use prost_types::Timestamp;

/// What stands for a figure that is not known, in a table.
pub(crate) const NONE: &str = "-";

/// RFC 3339, in UTC, with milliseconds. `None` for a time outside of the years 1970 to 9999.
pub(crate) fn time(time: Timestamp) -> Option<String> {
    let time = SystemTime::try_from(time).ok()?;
    // What is earlier it does not write, but panics.
    time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

/// How long ago it was, as `3m 5s ago`; not less than nothing, whatever the clocks say.
pub(crate) fn ago(time: Option<Timestamp>, now: SystemTime) -> String {
    let then = time.and_then(|time| SystemTime::try_from(time).ok());
    then.map_or_else(
        || NONE.to_owned(),
        |then| format!("{} ago", span(now.duration_since(then).unwrap_or_default())),
    )
}

/// A span of time by its two largest units, as `3m 5s`.
pub(crate) fn span(time: Duration) -> String {
    let whole = humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
    let mut units = whole.split(' ');
    match (units.next(), units.next()) {
        (Some(first), Some(second)) => format!("{first} {second}"),
        _ => whole,
    }
}

/// A span of time of the wire; one that is negative is none.
pub(crate) fn duration(time: Option<prost_types::Duration>) -> Option<Duration> {
    time.and_then(|time| time.try_into().ok())
}

/// A size, as `3.40 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_written_is_none() {
        let at = |seconds| time(Timestamp { seconds, nanos: 0 });
        assert_eq!(at(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!([-1, i64::MIN, i64::MAX].map(at), [None, None, None]);
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        for (seconds, shown) in
            [(0, "0s"), (59, "59s"), (3600, "1h"), (3725, "1h 2m"), (200_000, "2days 7h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
        assert_eq!(span(Duration::from_millis(1999)), "1s");
    }

    #[test]
    fn what_was_is_not_to_come() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        assert_eq!(ago(at(35), now), "1m 5s ago");
        assert_eq!(ago(at(500), now), "0s ago");
        assert_eq!(ago(None, now), "-");
    }

    #[test]
    fn a_negative_span_is_none() {
        let of = |seconds| duration(Some(prost_types::Duration { seconds, nanos: 0 }));
        assert_eq!((of(2), of(-2)), (Some(Duration::from_secs(2)), None));
    }
}
