//! The natural order of names: `2.json` comes before `10.json`.

use std::cmp::Ordering;
use std::ffi::OsStr;

/// Compares runs of digits as numbers, and all else by its bytes.
pub(super) fn order(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut a, mut b) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    loop {
        let (run_a, run_b) = (digits(a), digits(b));
        let ordering = if run_a.is_empty() || run_b.is_empty() {
            a.first().cmp(&b.first())
        } else {
            number(run_a).cmp(&number(run_b)).then(run_a.cmp(run_b))
        };
        if ordering.is_ne() || a.is_empty() {
            return ordering;
        }
        // Equal parts have equal lengths.
        let len = run_a.len().max(1);
        (a, b) = (&a[len..], &b[len..]);
    }
}

/// The digits that a name begins with.
fn digits(name: &[u8]) -> &[u8] {
    let len = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    &name[..len]
}

/// Compares as the number that the digits are.
fn number(digits: &[u8]) -> (usize, &[u8]) {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let significant = &digits[zeros..];
    (significant.len(), significant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_their_numbers() {
        let names = [
            "",
            "-1",
            "0",
            "00",
            "001",
            "01a",
            "1",
            "1.json",
            "1a",
            "2.json",
            "10.json",
            "10a2",
            "10a10",
            "99999999999999999999998",
            "99999999999999999999999",
            "B",
            "a",
            "a-",
            "a1",
            "a02c",
            "a2b",
            "ab",
        ]
        .map(OsStr::new);
        let mut sorted = names;
        sorted.reverse();
        sorted.sort_by(|a, b| order(a, b));
        assert_eq!(sorted, names);
    }
}
