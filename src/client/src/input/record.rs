//! Turns one element into a record, or says why it is none.

use std::borrow::Cow;
use std::fmt;

use muster_proto::user::User;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::field::Field;
use super::value::Value;

/// A record as it was read. Its texts lie in the input, but for those that are written with escapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record<'a> {
    pub(super) id: i32,
    /// In the order of [`Field`].
    pub(super) texts: [Cow<'a, str>; Field::TEXTS],
}

impl Record<'_> {
    /// The record itself.
    pub fn user(&self) -> User<'_> {
        let [user_name, email, first_name, last_name, ip_address, gender, country, agent] =
            &self.texts;
        User {
            id: self.id,
            user_name,
            email,
            first_name,
            last_name,
            ip_address,
            gender,
            country,
            agent,
        }
    }
}

/// What an element says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed<'a> {
    pub(super) record: Record<'a>,
    /// How many fields there are that a record does not have.
    pub(super) unknown_fields: u32,
}

/// Parses an element that begins on `line`.
///
/// A field that is missing or null is empty, or 0. Fields that a record does not have are counted
/// and skipped, whatever is in them: their texts need not even be UTF-8.
///
/// # Errors
///
/// The element is not valid JSON, is not an object, or has a field of the wrong type, out of range,
/// or twice. The reason is short and fit to be printed.
pub(super) fn parse(element: &[u8], line: u64) -> Result<Parsed<'_>, String> {
    let parsed = if element.first() == Some(&b'{') {
        serde_json::from_slice(element)
    } else {
        serde_json::from_slice(element).and_then(|value: Value<'_>| {
            Err(Error::custom(format_args!("expected an object, found {value}")))
        })
    };
    parsed.map_err(|error| reason(&error, line))
}

/// What serde_json says, with the line in the file instead of the place in the element.
fn reason(error: &serde_json::Error, line: u64) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = said.strip_suffix(&place).unwrap_or(&said);
    match error.classify() {
        Category::Data => words.to_owned(),
        Category::Syntax | Category::Eof | Category::Io => {
            let line = line + (error.line() as u64).saturating_sub(1);
            format!("not valid JSON on line {line}: {words}")
        }
    }
}

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Parsed<'de>, A::Error> {
        let mut parsed = Parsed::default();
        let mut seen = 0_u16;
        while let Some(field) = object.next_key::<Field>()? {
            if field == Field::Unknown {
                object.next_value::<IgnoredAny>()?;
                parsed.unknown_fields += 1;
                continue;
            }
            let bit = 1 << field as u16;
            if seen & bit != 0 {
                return Err(Error::custom(format_args!("field `{}` appears twice", field.name())));
            }
            seen |= bit;
            let value = object.next_value()?;
            set(&mut parsed.record, field, value).map_err(Error::custom)?;
        }
        Ok(parsed)
    }
}

/// Puts a value in its field.
fn set<'a>(record: &mut Record<'a>, field: Field, value: Value<'a>) -> Result<(), Invalid> {
    let Some(text) = record.texts.get_mut(field as usize) else {
        record.id = id(value)?;
        return Ok(());
    };
    *text = match value {
        Value::Text(text) => text,
        Value::Null => Cow::default(),
        other => return Err(Invalid::type_of(field, "a string", &other)),
    };
    Ok(())
}

fn id(value: Value<'_>) -> Result<i32, Invalid> {
    match value {
        Value::Null => Ok(0),
        Value::Whole(number) => i32::try_from(number).map_err(|_| Invalid::id(number)),
        Value::Huge(number) => Err(Invalid::id(number)),
        // A number that even 64 bits do not hold comes as this.
        Value::Fraction(number) if number.abs() >= 2_f64.powi(63) => {
            Err(Invalid::id(format_args!("{number:?}")))
        }
        other => Err(Invalid::type_of(Field::Id, "a whole number", &other)),
    }
}

/// Why a field's value is refused.
#[derive(Debug, thiserror::Error)]
enum Invalid {
    #[error("field `{field}`: expected {expected}, found {found}")]
    Type { field: &'static str, expected: &'static str, found: String },
    #[error("field `id`: {0} is not between {min} and {max}", min = i32::MIN, max = i32::MAX)]
    Id(String),
}

impl Invalid {
    fn type_of(field: Field, expected: &'static str, found: &Value<'_>) -> Self {
        Self::Type { field: field.name(), expected, found: found.to_string() }
    }

    fn id(number: impl fmt::Display) -> Self {
        Self::Id(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(element: &str) -> Parsed<'_> {
        parse(element.as_bytes(), 1).unwrap()
    }

    fn refused(element: impl AsRef<[u8]>) -> String {
        parse(element.as_ref(), 7).unwrap_err()
    }

    #[test]
    fn every_field_is_taken() {
        let parsed = accepted(
            r#"{"id":-5,"user_name":"u","email":"e","first_name":"f","last_name":"l",
                "ip_address":"i","gender":"g","country":"\u00e4\n","ag\u0065nt":"a"}"#,
        );
        let user = User {
            id: -5,
            user_name: "u",
            email: "e",
            first_name: "f",
            last_name: "l",
            ip_address: "i",
            gender: "g",
            country: "ä\n",
            agent: "a",
        };
        assert_eq!((parsed.record.user(), parsed.unknown_fields), (user, 0));
    }

    #[test]
    fn what_is_missing_or_null_is_empty() {
        assert_eq!(accepted("{}"), Parsed::default());
        assert_eq!(accepted(r#"{"id":null,"email":null}"#), Parsed::default());
    }

    #[test]
    fn unknown_fields_are_counted() {
        let parsed = accepted(r#"{"a":1,"id":2,"b":{"id":[3,"}"]},"a":null,"":1e9,"Id":[]}"#);
        assert_eq!((parsed.record.id, parsed.unknown_fields), (2, 5));
        assert_eq!(parse(b"{\"a\":\"\xff\"}", 1).unwrap().unknown_fields, 1);
    }

    #[test]
    fn a_wrong_type_is_refused() {
        for (value, found) in [
            ("5", "the number 5"),
            ("-1.5", "the number -1.5"),
            ("18446744073709551615", "the number 18446744073709551615"),
            ("true", "true"),
            ("[[]]", "an array"),
            (r#"{"a":1}"#, "an object"),
        ] {
            assert_eq!(
                refused(format!(r#"{{"email":{value}}}"#)),
                format!("field `email`: expected a string, found {found}")
            );
        }
        for (value, found) in
            [("1.0", "the number 1.0"), ("\"1\"", "a string"), ("{}", "an object")]
        {
            assert_eq!(
                refused(format!(r#"{{"id":{value}}}"#)),
                format!("field `id`: expected a whole number, found {found}")
            );
        }
    }

    #[test]
    fn an_id_must_fit() {
        for id in [i32::MIN, 0, i32::MAX] {
            assert_eq!(accepted(&format!(r#"{{"id":{id}}}"#)).record.id, id);
        }
        for (id, shown) in [
            ("2147483648", "2147483648"),
            ("-2147483649", "-2147483649"),
            ("18446744073709551615", "18446744073709551615"),
            ("100000000000000000000000", "1e23"),
        ] {
            assert_eq!(
                refused(format!(r#"{{"id":{id}}}"#)),
                format!("field `id`: {shown} is not between -2147483648 and 2147483647")
            );
        }
    }

    #[test]
    fn a_field_that_appears_twice_is_refused() {
        assert_eq!(refused(r#"{"email":"a","id":1,"email":"b"}"#), "field `email` appears twice");
        assert_eq!(refused(r#"{"id":null,"id":1}"#), "field `id` appears twice");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (element, found) in [
            ("5", "the number 5"),
            ("null", "null"),
            ("false", "false"),
            (r#""{}""#, "a string"),
            ("[{}]", "an array"),
        ] {
            assert_eq!(refused(element), format!("expected an object, found {found}"));
        }
    }

    #[test]
    fn bad_json_is_refused_with_its_line() {
        assert_eq!(refused("{\"id\":1\n,,}"), "not valid JSON on line 8: key must be a string");
        assert_eq!(
            refused(b"{\"email\":\"\xff\"}"),
            "not valid JSON on line 7: invalid unicode code point"
        );
        assert_eq!(
            refused("{\"email\":\"\x1b\"}"),
            "not valid JSON on line 7: control character (\\u0000-\\u001F) found while parsing a string"
        );
        assert_eq!(
            refused("{\"\n\":1}"),
            "not valid JSON on line 8: control character (\\u0000-\\u001F) found while parsing a string"
        );
        assert_eq!(refused("{} {}"), "not valid JSON on line 7: trailing characters");
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let bomb = deep(500_000);
        assert_eq!(accepted(&format!(r#"{{"a":{bomb}}}"#)).unknown_fields, 1);
        assert_eq!(
            refused(format!(r#"{{"id":{bomb}}}"#)),
            "field `id`: expected a whole number, found an array"
        );
        assert_eq!(refused(bomb), "expected an object, found an array");
        assert_eq!(
            refused(format!(r#"{{"a":{}"#, "[{\"a\":".repeat(100_000))),
            "not valid JSON on line 7: EOF while parsing a value"
        );
    }
}
