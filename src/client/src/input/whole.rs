//! Whole numbers, however they are written.

/// The whole number that a decimal number is exactly: `1`, `1.0`, `1e3`, `12.50e1`.
///
/// # Errors
///
/// The text is not a number of JSON, or the number is not whole, or not within 32 bits.
pub(super) fn whole(text: &str) -> Result<i32, NotWhole> {
    if let Ok(number) = text.parse()
        && !text.starts_with('+')
    {
        return Ok(number);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let has_point = digits.contains('.');
    if whole.is_empty()
        || !is_number(whole)
        || !is_number(fraction)
        || has_point == fraction.is_empty()
        || exponent.is_empty()
    {
        return Err(NotWhole::NotANumber);
    }
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if exponent_digits.is_empty() || !is_number(exponent_digits) {
        return Err(NotWhole::NotANumber);
    }
    // The digits without the zeros around them, and the power of ten of the last of them.
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    let is_tiny = exponent.starts_with('-');
    let Ok(exponent) = exponent.parse::<i64>() else {
        return Err(if is_tiny { NotWhole::Fraction } else { NotWhole::OutOfRange });
    };
    let trailing = all.len() - all.trim_end_matches('0').len();
    let power = exponent
        .saturating_add_unsigned(trailing as u64)
        .saturating_sub_unsigned(fraction.len() as u64);
    if power < 0 {
        return Err(NotWhole::Fraction);
    }
    let power = u32::try_from(power).ok().and_then(|power| 10_i64.checked_pow(power));
    let number = power.zip(significant.parse::<i64>().ok());
    number
        .and_then(|(power, digits)| power.checked_mul(digits)?.checked_mul(sign))
        .and_then(|number| i32::try_from(number).ok())
        .ok_or(NotWhole::OutOfRange)
}

/// Why a text is not a whole number of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotWhole {
    NotANumber,
    Fraction,
    OutOfRange,
}

impl NotWhole {
    /// What to say about an id that was found instead.
    pub(super) fn about_id(self, found: &str) -> String {
        match self {
            Self::OutOfRange => {
                format!("field `id`: {found} is not between {} and {}", i32::MIN, i32::MAX)
            }
            Self::Fraction | Self::NotANumber => {
                format!("field `id`: expected a whole number, found {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_that_is_exactly_whole_is_taken() {
        for (text, number) in [
            ("1", 1),
            ("-0", 0),
            ("1.0", 1),
            ("1e3", 1000),
            ("1E+3", 1000),
            ("12.50e1", 125),
            ("1000e-3", 1),
            ("-2147483648.000", i32::MIN),
            ("2147483647", i32::MAX),
            ("0.0", 0),
            ("0e999999999999999999999", 0),
            ("0.0000000000000000000001e22", 1),
            ("100000000000000000000000e-23", 1),
        ] {
            assert_eq!(whole(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn any_other_number_is_refused() {
        for (text, why) in [
            ("1.5", NotWhole::Fraction),
            ("1.00000000000000000001", NotWhole::Fraction),
            ("1e-1", NotWhole::Fraction),
            ("1e-99999999999999999999", NotWhole::Fraction),
            ("2147483648", NotWhole::OutOfRange),
            ("-2147483649", NotWhole::OutOfRange),
            ("1e10", NotWhole::OutOfRange),
            ("1e999999999999999999999", NotWhole::OutOfRange),
            ("123456789012345678901234567890", NotWhole::OutOfRange),
            ("", NotWhole::NotANumber),
            ("+1", NotWhole::NotANumber),
            ("1.", NotWhole::NotANumber),
            (".5", NotWhole::NotANumber),
            ("1e", NotWhole::NotANumber),
            ("0x1", NotWhole::NotANumber),
            ("one", NotWhole::NotANumber),
            ("1,000", NotWhole::NotANumber),
        ] {
            assert_eq!(whole(text), Err(why), "{text}");
        }
    }
}
