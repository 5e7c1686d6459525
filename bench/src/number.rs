//! Numbers as people read them.

use crate::spread::Spread;

/// Whole numbers from 100 on, with commas; else three digits that say something.
pub(crate) fn figure(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    match number.abs() {
        0.0 => "0".to_owned(),
        100.0.. => grouped(number),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

/// A median with its least and its most, if there are several.
pub(crate) fn spread(spread: Option<Spread>) -> String {
    match spread {
        None => "–".to_owned(),
        Some(Spread { median, count: 1, .. }) => figure(median),
        Some(Spread { median, min, max, .. }) => {
            format!("{} ({} – {})", figure(median), figure(min), figure(max))
        }
    }
}

/// A figure, or that there is none.
pub(crate) fn maybe(number: Option<f64>) -> String {
    number.map_or("–".to_owned(), figure)
}

/// The whole number at or below this one; 0 of what is below 0.
#[expect(clippy::cast_possible_truncation, reason = "too large a number becomes the largest")]
#[expect(clippy::cast_sign_loss, reason = "too small a number becomes 0")]
pub(crate) fn whole(number: f64) -> u32 {
    number as u32
}

/// How a number of records, or bytes, is called on an axis: 1,000, 100 k, 10 M.
pub(crate) fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{} M", trimmed(number / 1e6)),
        1e4.. => format!("{} k", trimmed(number / 1e3)),
        _ => trimmed(number),
    }
}

fn trimmed(number: f64) -> String {
    let figure = figure(number);
    if figure.contains('.') {
        figure.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        figure
    }
}

/// A whole number, with commas.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = if number < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_have_to_be() {
        let said = [0.0, 0.1234, 1.0, 12.34, 999.6, 1234567.0, f64::NAN].map(figure);
        assert_eq!(said, ["0", "0.123", "1.00", "12.3", "1,000", "1,234,567", "–"]);
        let said = [0.1, 1.0, 1000.0, 20_000.0, 1e7, 1.5e6].map(short);
        assert_eq!(said, ["0.1", "1", "1,000", "20 k", "10 M", "1.5 M"]);
    }

    #[test]
    fn a_spread_is_said_where_there_is_one() {
        assert_eq!(spread(Spread::of([2.0])), "2.00");
        assert_eq!(spread(Spread::of([100.0, 300.0, 200.0])), "200 (100 – 300)");
        assert_eq!((spread(None), maybe(None)), ("–".to_owned(), "–".to_owned()));
    }
}
