//! The order in which people count files: `2.json` before `10.json`.

use std::cmp::Ordering;

/// Compares two names byte by byte, and each run of digits as one number.
///
/// Names that differ in leading zeros alone are ordered by their bytes, so that only equal names
/// are equal.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let order = match (a.first(), b.first()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                compare_numbers(take_digits(&mut a), take_digits(&mut b))
            }
            (Some(x), Some(y)) => {
                (a, b) = (&a[1..], &b[1..]);
                x.cmp(y)
            }
            (None, None) => return left.cmp(right),
            (x, y) => return x.cmp(&y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Splits the leading digits off.
fn take_digits<'a>(name: &mut &'a [u8]) -> &'a [u8] {
    let len = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = name.split_at(len);
    *name = rest;
    digits
}

/// Compares by value, whatever the length.
fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let (left, right) = (without_zeros(left), without_zeros(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_count_and_letters_spell() {
        let mut names = [
            "b.json",
            "10.json",
            "a10b2",
            "2.json",
            "a2",
            "a10b1",
            "002.json",
            "1.json",
            "99999999999999999999999999.json",
            "a",
            "100000000000000000000000000.json",
            "",
        ];
        names.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        assert_eq!(
            names,
            [
                "",
                "1.json",
                "002.json",
                "2.json",
                "10.json",
                "99999999999999999999999999.json",
                "100000000000000000000000000.json",
                "a",
                "a2",
                "a10b1",
                "a10b2",
                "b.json",
            ]
        );
    }

    proptest! {
        #[test]
        fn it_is_an_order(mut names in prop::collection::vec("[a0-9.]{0,5}", 3)) {
            let order = |a: &String, b: &String| compare(a.as_bytes(), b.as_bytes());
            names.sort_by(order);
            for pair in names.windows(2) {
                prop_assert_eq!(order(&pair[0], &pair[1]) == Ordering::Equal, pair[0] == pair[1]);
                prop_assert_eq!(order(&pair[0], &pair[1]), order(&pair[1], &pair[0]).reverse());
            }
            prop_assert_ne!(order(&names[0], &names[2]), Ordering::Greater);
        }
    }
}
