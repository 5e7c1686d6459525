//! When a call must be answered.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;
use tonic::codegen::http::HeaderMap;

/// The header with the time that a caller waits: up to eight digits and a unit
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
const TIMEOUT: &str = "grpc-timeout";
const DIGITS_MAX: usize = 8;

/// When a call must be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    /// The same, from when the call came.
    after: Duration,
}

impl Deadline {
    /// The deadline of a call that has just come with these headers and may take `max`. A time that
    /// cannot be read is ignored. `None` without any limit.
    pub(crate) fn of(headers: &HeaderMap, max: Option<Duration>) -> Option<Self> {
        let timeout = headers.get(TIMEOUT).and_then(|value| value.to_str().ok()).and_then(read);
        let after = timeout.into_iter().chain(max).min()?;
        Some(Self { at: Instant::now() + after, after })
    }

    pub(crate) fn at(self) -> Instant {
        self.at
    }

    pub(crate) fn has_passed(self) -> bool {
        Instant::now() >= self.at
    }

    /// The answer to a call that is not over by then.
    pub(crate) fn exceeded(self) -> Status {
        Status::deadline_exceeded(format!("the call was not over within {:?}", self.after))
    }
}

fn read(timeout: &str) -> Option<Duration> {
    let (digits, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 60 * 60),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeout_is_read_in_each_unit() {
        for (timeout, time) in [
            ("2H", Some(Duration::from_secs(7200))),
            ("2M", Some(Duration::from_secs(120))),
            ("2S", Some(Duration::from_secs(2))),
            ("2m", Some(Duration::from_millis(2))),
            ("2u", Some(Duration::from_micros(2))),
            ("2n", Some(Duration::from_nanos(2))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("123456789n", None),
            ("2", None),
            ("S", None),
            ("2s", None),
            ("-2S", None),
            ("2\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(read(timeout), time, "{timeout}");
        }
    }

    #[test]
    fn shorter_time_is_the_deadline() {
        let headers = |timeout: &str| {
            HeaderMap::from_iter([(TIMEOUT.parse().unwrap(), timeout.parse().unwrap())])
        };
        let after = |headers: HeaderMap, max| Deadline::of(&headers, max).map(|found| found.after);
        let (second, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!(after(headers("1S"), Some(two)), Some(second));
        assert_eq!(after(headers("2S"), Some(second)), Some(second));
        assert_eq!(after(headers("2S"), None), Some(two));
        assert_eq!(after(headers("soon"), Some(two)), Some(two));
        assert_eq!(after(HeaderMap::new(), None), None);
    }
}
