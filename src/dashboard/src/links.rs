//! The address of every page that has one of its own; nowhere else is one put together.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) const OVERVIEW: &str = "/";
pub(crate) const BATCHES: &str = "/batches";
pub(crate) const WORKERS: &str = "/workers";
pub(crate) const DEAD: &str = "/dead";
pub(crate) const ROLL: &str = "/roll";
pub(crate) const ROLL_FILE: &str = "/roll/all_users.json";
pub(crate) const EVENTS: &str = "/events";
pub(crate) const PAUSE: &str = "/queue/pause";
pub(crate) const RESUME: &str = "/queue/resume";
pub(crate) const LOG: &str = "/queue/log";
pub(crate) const REPLAY: &str = "/dead/replay";
pub(crate) const DROP: &str = "/dead/drop";

pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const ASSETS: &str = "/assets/";

/// What stands for itself in an address. All else is written as `%2F`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn batch(id: &str) -> String {
    format!("{BATCHES}/{}", encoded(id))
}

pub(crate) fn abort(id: &str) -> String {
    format!("{}/abort", batch(id))
}

pub(crate) fn group(name: &str) -> String {
    with_query("/dead/group", &[("name", name)])
}

pub(crate) fn dead_of_batch(id: &str) -> String {
    format!("/dead/batch/{}", encoded(id))
}

pub(crate) fn letter(batch: &str, place: u64) -> String {
    format!("/dead/letter/{}/{place}", encoded(batch))
}

pub(crate) fn replay_edited(batch: &str, place: u64) -> String {
    format!("{}/replay", letter(batch, place))
}

/// The address, with what is asked of it. What is empty is not asked.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        link.push(if link.contains('?') { '&' } else { '?' });
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(value, ENCODED));
    }
    link
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_any_name() {
        assert_eq!(batch("b-1/../?"), "/batches/b-1%2F..%2F%3F");
        assert_eq!(group("a&b=\"\u{202e}\""), "/dead/group?name=a%26b%3D%22%E2%80%AE%22");
        assert_eq!(letter("b 1", 7), "/dead/letter/b%201/7");
    }

    #[test]
    fn what_is_empty_is_not_asked() {
        assert_eq!(with_query(BATCHES, &[("state", ""), ("page", "7")]), "/batches?page=7");
        assert_eq!(with_query("/a?b=1", &[("c", "2")]), "/a?b=1&c=2");
        assert_eq!(with_query(BATCHES, &[("state", "")]), "/batches");
    }
}
