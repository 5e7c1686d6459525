//! A JSON Pointer to the records of a file whose records are wrapped in something else.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How much of a pointer an error shows, in characters.
pub(super) const POINTER_CHARS_MAX: usize = 120;

/// A JSON Pointer (RFC 6901), in which `*` stands for each element of an array, or for the value of
/// each member of an object: `/users/*`, `/hits/hits/*/_source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<Token>,
}

/// One step of a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Each element, or the value of each member.
    Each,
    /// The value of the member of this name; or the element of this number.
    Name(String),
}

/// Why a text is not a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPointer {
    /// It does not begin with a slash.
    #[error("a JSON Pointer begins with a slash, such as /users/*")]
    NoSlash,
    /// It has a `~` that is not part of `~0` or `~1`.
    #[error("in a JSON Pointer write ~ as ~0, and a slash within a name as ~1")]
    Escape,
}

impl FromStr for Pointer {
    type Err = InvalidPointer;

    fn from_str(text: &str) -> Result<Self, InvalidPointer> {
        let tokens = text.strip_prefix('/').ok_or(InvalidPointer::NoSlash)?.split('/');
        Ok(Self { tokens: tokens.map(Token::parse).collect::<Result<_, _>>()? })
    }
}

impl Token {
    fn parse(text: &str) -> Result<Self, InvalidPointer> {
        if text == "*" {
            return Ok(Self::Each);
        }
        let plain = text.replace("~1", "").replace("~0", "");
        if plain.contains('~') {
            return Err(InvalidPointer::Escape);
        }
        Ok(Self::Name(text.replace("~1", "/").replace("~0", "~")))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.iter().try_for_each(|token| write!(f, "/{token}"))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each => f.write_str("*"),
            Self::Name(name) => f.write_str(&name.replace('~', "~0").replace('/', "~1")),
        }
    }
}

impl Pointer {
    /// The way to the elements, which is walked in the stream: up to the last `*`.
    pub(super) fn to_elements(&self) -> &[Token] {
        let end = self.tokens.iter().rposition(|token| *token == Token::Each);
        &self.tokens[..end.map_or(0, |last| last + 1)]
    }

    /// The way from an element to its record: the names behind the last `*`.
    pub(super) fn to_record(&self) -> &[Token] {
        &self.tokens[self.to_elements().len()..]
    }

    /// Whether an element holds its record, rather than being one.
    pub(super) fn goes_inside(&self) -> bool {
        !self.to_record().is_empty()
    }

    /// The record of an element. `None` if the element does not have what the pointer names.
    ///
    /// # Errors
    ///
    /// The element is not JSON.
    pub(super) fn record_of<'a>(
        &self,
        element: &'a [u8],
    ) -> Result<Option<&'a [u8]>, serde_json::Error> {
        let mut value: &RawValue = serde_json::from_slice(element)?;
        for token in self.to_record() {
            let Token::Name(name) = token else { return Ok(None) };
            let Some(inner) = member(value, name) else { return Ok(None) };
            value = inner;
        }
        Ok(Some(value.get().as_bytes()))
    }
}

/// The member of this name, or the element of this number.
fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let text = value.get();
    if text.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return elements.get(name.parse::<usize>().ok()?).copied();
    }
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    members.0.into_iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

/// The members of an object, in order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> serde::de::Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut object: A,
            ) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(text: &str) -> Pointer {
        text.parse().unwrap()
    }

    #[test]
    fn pointer_is_split_behind_its_last_star() {
        for (text, elements, record) in [
            ("/users/*", 2, 0),
            ("/hits/hits/*/_source", 3, 1),
            ("/_source", 0, 1),
            ("/*/a/*", 3, 0),
            ("/a~1b/~0*/**", 0, 3),
        ] {
            let pointer = pointer(text);
            assert_eq!(pointer.to_elements().len(), elements, "{text}");
            assert_eq!(pointer.to_record().len(), record, "{text}");
            assert_eq!(pointer.to_string(), text);
        }
    }

    #[test]
    fn text_without_a_slash_or_with_a_bad_escape_is_refused() {
        for (text, error) in [
            ("", InvalidPointer::NoSlash),
            ("users/*", InvalidPointer::NoSlash),
            ("/a~2", InvalidPointer::Escape),
            ("/a~", InvalidPointer::Escape),
        ] {
            assert_eq!(text.parse::<Pointer>(), Err(error), "{text}");
        }
    }

    #[test]
    fn record_is_found_in_its_element() {
        let element = br#"{"a":1,"x/y":[0,{"z":{"id":7}}]}"#;
        for (text, record) in [
            ("/x~1y/1/z", Some(&br#"{"id":7}"#[..])),
            ("/a", Some(b"1")),
            ("/x~1y/2", None),
            ("/b", None),
            ("/a/b", None),
        ] {
            assert_eq!(pointer(text).record_of(element).unwrap(), record, "{text}");
        }
        assert!(pointer("/a").record_of(b"{\"a\":1 1}").is_err());
    }
}
