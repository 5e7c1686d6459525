//! Whole numbers in JSON's notation, read from their digits.

/// The value of a JSON number that is exactly whole and fits an `i32`; `None` for other text.
pub(crate) fn whole(number: &str) -> Option<i32> {
    let (negative, magnitude) =
        number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) =
        magnitude.split_once(['e', 'E']).map_or((magnitude, "0"), |(begin, end)| (begin, end));
    let (integer, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(begin, end)| (begin, Some(end)));
    let leading_zero = integer.len() > 1 && integer.starts_with('0');
    if leading_zero || !all_digits(integer) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let exponent = power(exponent)?;
    let digits = [integer, fraction].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let places = i64::try_from(fraction.len()).ok()?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // The number is the significant digits times ten to this power.
    let power = u32::try_from(exponent.saturating_add(zeros - places)).ok()?;
    let value = 10_i64.checked_pow(power)?.checked_mul(significant.parse().ok()?)?;
    i32::try_from(if negative { -value } else { value }).ok()
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An exponent. One that no number of a sensible length can make up for is cut.
fn power(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !all_digits(digits) {
        return None;
    }
    // Digits only: the one error is a number that is too large.
    Some(sign * digits.parse().unwrap_or(i64::MAX / 2).min(i64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_told_exactly_from_others() {
        let zeros = "0".repeat(1000);
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e999999999999999999999", 0),
            ("0.000e-5", 0),
            ("7", 7),
            ("1.0", 1),
            ("1e3", 1000),
            ("1E+3", 1000),
            ("12.50e1", 125),
            ("1000e-3", 1),
            ("0.002e3", 2),
            ("2147483647", i32::MAX),
            ("-2147483648", i32::MIN),
            ("2147483647.000", i32::MAX),
            (&format!("5{zeros}e-1000"), 5),
            (&format!("0.{zeros}5e1001"), 5),
        ] {
            assert_eq!(whole(text), Some(value), "{text}");
        }
        for text in [
            "1.5",
            "1.00000000000000000001",
            "10e-2",
            "2147483648",
            "-2147483649",
            "1e10",
            "1e999999999999999999999",
            "1e-999999999999999999999",
            "12345678901234567890",
            "\"1\"",
            "",
            "-",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "1e1.0",
            "--1",
            "true",
            "[1]",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
