//! Where names lead to inside of an element, which is followed in memory.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::pointer;

/// The object that these names lead to in an element, which must be valid JSON.
///
/// # Errors
///
/// The element is not UTF-8, or has no object there. The error is a short sentence.
pub(crate) fn object<'a>(element: &'a [u8], names: &[String]) -> Result<&'a [u8], &'static str> {
    let mut value: &RawValue =
        serde_json::from_slice(element).map_err(|_| "it is not UTF-8 throughout")?;
    for name in names {
        value = inside(value, name).ok_or(LACKING)?;
    }
    let object = value.get().as_bytes();
    if object.starts_with(b"{") { Ok(object) } else { Err("the pointer leads to no object") }
}

/// Why a value is rejected that a pointer cannot be followed into.
pub(crate) const LACKING: &str = "it does not have what the pointer names";

/// The first member of this name, or the element of this number.
fn inside<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    let found = match value.get().as_bytes().first()? {
        b'{' => deserializer.deserialize_map(Wanted::Member(name)),
        b'[' => deserializer.deserialize_seq(Wanted::Element(pointer::number(name)?)),
        _ => return None,
    };
    found.ok()?
}

enum Wanted<'a> {
    Member(&'a str),
    Element(u64),
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        // A name that is not a text, for a lone surrogate in it, is not the one that is wanted.
        while let Some(name) = object.next_key::<&RawValue>()? {
            let name = serde_json::from_str::<String>(name.get()).ok();
            let is_wanted =
                matches!(&self, Self::Member(wanted) if name.as_deref() == Some(wanted));
            if is_wanted && found.is_none() {
                found = Some(object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut at) = (None, 0);
        while let Some(element) = array.next_element::<&RawValue>()? {
            if matches!(self, Self::Element(wanted) if wanted == at) {
                found = Some(element);
            }
            at += 1;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_followed_to_an_object() {
        let element = br#"{"\ud800":1,"a":[7,{"b":{"id":1}}],"a":{"b":{}},"\u0063":{"":{}}}"#;
        for (names, expected) in [
            (&["a", "1", "b"][..], Ok(r#"{"id":1}"#)),
            (&["a", "1"], Ok(r#"{"b":{"id":1}}"#)),
            (&["c", ""], Ok("{}")),
            (&["a", "0"], Err("the pointer leads to no object")),
            (&["a"], Err("the pointer leads to no object")),
            (&["a", "2"], Err(LACKING)),
            (&["a", "01"], Err(LACKING)),
            (&["a", "b"], Err(LACKING)),
            (&["a", "0", "b"], Err(LACKING)),
            (&["d"], Err(LACKING)),
        ] {
            let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let expected = expected.map(str::as_bytes);
            assert_eq!(object(element, &names), expected, "{names:?}");
        }
    }

    #[test]
    fn element_must_be_utf_8_throughout() {
        let names = ["a".to_owned()];
        assert_eq!(object(b"{\"a\":{\"x\":\"\xff\"}}", &names), Err("it is not UTF-8 throughout"));
    }
}
