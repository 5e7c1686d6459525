//! A record as a JSON object, and the fields that it can have.

mod fields;
mod members;
mod whole;

use std::borrow::Cow;
use std::fmt;

use muster_proto::users::UserRequest;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::piece::{Ignored, Notes, of_field};
pub(crate) use fields::{Field, Fields};
use members::Member;
pub(crate) use whole::whole;

/// Why an `id` is rejected.
pub(crate) const NOT_AN_ID: &str = "is not a whole number from -2147483648 to 2147483647";

/// Reads a record from one JSON object, which must be valid.
///
/// # Errors
///
/// The object is not a record. The error is a short sentence.
pub(crate) fn parse(object: &[u8]) -> Result<(UserRequest, Notes), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(object);
    let Known { record, named, given, unknown } =
        deserializer.deserialize_map(KnownVisitor).map_err(|error| without_position(&error))?;
    if named.is_empty() {
        return Err("it has no known field".to_owned());
    }
    let members = if unknown { members::unknown_of(object) } else { Vec::new() };
    if let Some(member) = members.iter().find(|member| member.holds_records(named)) {
        return Err(format!("its member `{}` holds records", shortened(&member.name)));
    }
    let ignored = members.into_iter().map(|Member { name, is_object, inside, .. }| Ignored {
        inside: if is_object { inside } else { Fields::default() },
        name,
    });
    Ok((record, Notes { given, ignored: ignored.collect() }))
}

/// An error of serde_json without its line and column, which are relative to the object.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(text, _)| text.to_owned())
}

/// A name, cut if it is long.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    const CHARS: usize = 64;
    match name.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}...", &name[..end]).into(),
        None => name.into(),
    }
}

/// What is known of an object.
#[derive(Default)]
struct Known {
    record: UserRequest,
    /// The known fields, whatever their values.
    named: Fields,
    /// The known fields with a value other than null.
    given: Fields,
    /// Whether there are members other than known fields.
    unknown: bool,
}

impl Known {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        field: Field,
        object: &mut A,
    ) -> Result<(), A::Error> {
        let problem = |problem: &dyn fmt::Display| A::Error::custom(of_field(field, problem));
        if !self.named.insert(field) {
            return Err(problem(&"is there twice"));
        }
        let given = match field.text_of(&mut self.record) {
            None => {
                let value = object.next_value::<&RawValue>()?.get();
                if value != "null" {
                    self.record.id = whole(value).ok_or_else(|| problem(&NOT_AN_ID))?;
                }
                value != "null"
            }
            Some(text) => {
                let value = object.next_value::<Option<String>>();
                let value = value.map_err(|error| problem(&format!("is not a text: {error}")))?;
                let given = value.is_some();
                *text = value.unwrap_or_default();
                given
            }
        };
        if given {
            self.given.insert(field);
        }
        Ok(())
    }
}

struct KnownVisitor;

impl<'de> Visitor<'de> for KnownVisitor {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Known, A::Error> {
        let mut known = Known::default();
        while let Some(name) = object.next_key::<Cow<'_, str>>()? {
            if let Some(field) = Field::named(&name) {
                known.read(field, &mut object)?;
            } else {
                known.unknown = true;
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(object: &str) -> String {
        parse(object.as_bytes()).unwrap_err()
    }

    #[test]
    fn record_has_its_known_fields_in_either_spelling() {
        let object = r#"{"id":1.0,"user_name":"u","email":"\u00e9","firstName":"f",
            "last_name":null,"ipAddress":"::1","tags":[{"id":7},null],"name":{"agent":"x"}}"#;
        let (record, notes) = parse(object.as_bytes()).unwrap();
        let expected = UserRequest {
            id: 1,
            user_name: "u".to_owned(),
            email: "é".to_owned(),
            first_name: "f".to_owned(),
            ip_address: "::1".to_owned(),
            ..UserRequest::default()
        };
        assert_eq!(record, expected);
        assert!(!notes.given.contains(Field::LastName));
        assert!(notes.given.contains(Field::FirstName));
        let ignored = notes.ignored.iter().map(|ignored| ignored.name.as_str());
        assert_eq!(ignored.collect::<Vec<_>>(), ["tags", "name"]);
        assert!(notes.ignored[0].inside.is_empty());
        assert!(notes.ignored[1].inside.contains(Field::Agent));
    }

    #[test]
    fn object_that_is_not_a_record_is_rejected() {
        for (object, expected) in [
            ("{}", "it has no known field"),
            (r#"{"name":"x"}"#, "it has no known field"),
            (r#"{"id":"1"}"#, "`id` is not a whole number"),
            (r#"{"id":1.5}"#, "`id` is not a whole number"),
            (r#"{"id":2147483648}"#, "`id` is not a whole number"),
            (r#"{"id":[1]}"#, "`id` is not a whole number"),
            (r#"{"id":1,"id":1}"#, "`id` is there twice"),
            (r#"{"user_name":"a","userName":null}"#, "`user_name` is there twice"),
            (r#"{"email":1}"#, "`email` is not a text: invalid type: integer `1`"),
            (r#"{"email":["a"]}"#, "`email` is not a text: invalid type: sequence"),
            (r#"{"email":"\ud800"}"#, "`email` is not a text: "),
            (r#"{"id":1,"data":[{"id":2,"email":""}]}"#, "its member `data` holds records"),
        ] {
            let problem = problem(object);
            assert!(problem.starts_with(expected), "{object}: {problem}");
        }
    }

    #[test]
    fn text_must_be_utf8_where_it_is_known() {
        let with = |name: &str| [b"{\"id\":1,\"", name.as_bytes(), b"\":\"\xff\"}"].concat();
        assert!(parse(&with("email")).is_err());
        assert!(parse(&with("other")).is_ok());
    }

    #[test]
    fn unknown_members_may_nest_deeply() {
        let deep = format!("{{\"id\":1,\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse(deep.as_bytes()).unwrap().0.id, 1);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ä".repeat(100)), format!("{}...", "ä".repeat(64)));
    }
}
