//! Turns one element into a record, or finds why it is not a record.

use std::borrow::Cow;
use std::fmt;

use muster_proto::user::User;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::{self, Field};
use super::ignored::Ignored;
use super::nested::{Layout, Nested};
use super::pointer::{POINTER_CHARS_MAX, Pointer};
use super::rejection::{FaultKind, excerpt};
use super::value::Value;
use super::whole::{NotWhole, whole};

use crate::printable;

/// How many names of an object without known fields are shown.
const NAMES_SHOWN_MAX: usize = 5;

/// A record as it was read. Its texts lie in the input, except those that are written with escapes.
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

/// A record with texts of its own, into which one after another is read.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    id: i32,
    texts: [String; Field::TEXTS],
}

impl Buffer {
    pub(super) fn set_id(&mut self, id: i32) {
        self.id = id;
    }

    /// The text of this field, to be written.
    pub(super) fn text(&mut self, field: Field) -> Option<&mut String> {
        self.texts.get_mut(field as usize)
    }

    pub(super) fn clear(&mut self) {
        self.id = 0;
        self.texts.iter_mut().for_each(String::clear);
    }

    fn take(&mut self, record: &Record<'_>) {
        self.id = record.id;
        for (kept, text) in self.texts.iter_mut().zip(&record.texts) {
            kept.clear();
            kept.push_str(text);
        }
    }

    pub(super) fn record(&self) -> Record<'_> {
        Record { id: self.id, texts: self.texts.each_ref().map(|text| Cow::Borrowed(&**text)) }
    }
}

/// Why an element is not a record.
#[derive(Debug)]
pub(super) enum NotARecord {
    /// It is not JSON, so that its brackets do not tell where it ends.
    Damaged(FaultKind),
    /// It is JSON, and something else than a record: why, in words.
    Invalid(String),
}

/// Reads an object that begins on `line` into `buffer`, and counts the fields that are ignored.
/// `path` is a JSON Pointer to the objects of its source.
///
/// A field that is missing or null is empty, or 0. Fields that a record does not have are skipped,
/// whatever is in them: their texts need not even be UTF-8.
///
/// # Errors
///
/// The object is not JSON, has no field of a record, has one of the wrong type, out of range, or
/// twice, or holds other records. The reason is short and fit to be printed.
pub(super) fn read(
    object: &[u8],
    line: u64,
    path: &str,
    buffer: &mut Buffer,
    ignored: &mut Ignored,
) -> Result<(), NotARecord> {
    let parsed: Parsed<'_> =
        serde_json::from_slice(object).map_err(|error| not_json(&error, line))?;
    let may_hold_records = memchr::memchr2(b'{', b'[', &object[1..]).is_some();
    if may_hold_records && let Some(holds) = Nested::of(object).records() {
        return Err(NotARecord::Invalid(holds.advice(path)));
    }
    if let Some(problem) = parsed.problem {
        let layout = problem.is_container.then(|| Nested::of(object).layout()).flatten();
        return Err(NotARecord::Invalid(layout.map_or(problem.text, Layout::advice)));
    }
    if parsed.is_empty {
        return Err(NotARecord::Invalid(no_field(&parsed.unknown)));
    }
    for name in &parsed.unknown {
        ignored.count(name);
    }
    buffer.take(&parsed.record);
    Ok(())
}

/// Reads the record inside an element, to which a JSON Pointer leads, as [`read`] does.
///
/// # Errors
///
/// The element is not JSON, does not have what the pointer names, or that is not a record.
pub(super) fn read_inside(
    element: &[u8],
    pointer: &Pointer,
    line: u64,
    buffer: &mut Buffer,
    ignored: &mut Ignored,
) -> Result<(), NotARecord> {
    let record = pointer.record_of(element).map_err(|error| not_json(&error, line))?;
    match record {
        Some(object @ [b'{', ..]) => read(object, line, &pointer.to_string(), buffer, ignored),
        Some([b'[', ..]) => Err(NotARecord::Invalid(format!(
            "{} names an array: to read its elements, use --records '{}'",
            printable::beginning(&format!("--records '{pointer}'"), POINTER_CHARS_MAX),
            printable::beginning(&format!("{pointer}/*"), POINTER_CHARS_MAX),
        ))),
        Some(scalar) => Err(NotARecord::Invalid(refuse_scalar(scalar).unwrap_or_default())),
        None => Err(NotARecord::Invalid(format!(
            "this value does not have what --records names: {}",
            printable::beginning(&pointer.to_string(), POINTER_CHARS_MAX)
        ))),
    }
}

/// Whether an array is JSON, and neither objects nor arrays are in it.
pub(super) fn has_only_scalars(array: &[u8]) -> bool {
    let is_scalar = |value: &Value<'_>| !matches!(value, Value::Array | Value::Object);
    let values: Result<Vec<Value<'_>>, _> = serde_json::from_slice(array);
    values.is_ok_and(|values| values.iter().all(is_scalar))
}

/// Checks that an array is JSON, and refuses it.
pub(super) fn refuse_array(array: &[u8], line: u64) -> NotARecord {
    let values: Vec<Value<'_>> = match serde_json::from_slice(array) {
        Ok(values) => values,
        Err(error) => return not_json(&error, line),
    };
    NotARecord::Invalid(if values.iter().all(holds_json) {
        "expected an object, found an array of strings that hold JSON: write the objects \
         themselves (jq: fromjson)"
            .to_owned()
    } else {
        "expected an object, found an array: write each record as an object with its fields' names \
         (pandas: to_json(orient=\"records\"), ClickHouse: FORMAT JSONEachRow)"
            .to_owned()
    })
}

/// Refuses what is JSON without being an object: a number, a text, a word.
pub(super) fn refuse_scalar(scalar: &[u8]) -> Option<String> {
    let value: Value<'_> = serde_json::from_slice(scalar).ok()?;
    Some(if holds_json(&value) {
        "expected an object, found a string that holds JSON: write the object itself (jq: fromjson)"
            .to_owned()
    } else {
        format!("expected an object, found {value}")
    })
}

/// Whether a value is a text that looks like an object.
fn holds_json(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(text) if text.trim_start().starts_with("{\""))
}

fn no_field(names: &[Cow<'_, str>]) -> String {
    if ["columns", "data"].iter().all(|wanted| names.iter().any(|name| name == wanted)) {
        return "this object has columns and data, as pandas writes them with orient=\"split\": \
                write it with to_json(orient=\"records\")"
            .to_owned();
    }
    let Some((first, rest)) = names.split_first() else {
        return "this object has no fields".to_owned();
    };
    let mut shown = format!("`{}`", excerpt(first.as_bytes()));
    for name in rest.iter().take(NAMES_SHOWN_MAX - 1) {
        shown.push_str(&format!(", `{}`", excerpt(name.as_bytes())));
    }
    if names.len() > NAMES_SHOWN_MAX {
        shown.push_str(", …");
    }
    let near = names.iter().find_map(|name| Some((name, field::nearest(name)?.name())));
    let meant = near.map_or(String::new(), |(name, field)| {
        format!("; did you mean `{field}` by `{}`?", excerpt(name.as_bytes()))
    });
    format!("this object has no field of a record; it has {shown}{meant}")
}

/// What serde_json found, with the line in the file instead of the place in the element.
fn not_json(error: &serde_json::Error, line: u64) -> NotARecord {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = text.strip_suffix(&place).unwrap_or(&text);
    let words = match words {
        "invalid unicode code point" => {
            "this is not UTF-8: convert the file, for example with iconv"
        }
        words => words,
    };
    let line = line + (error.line() as u64).saturating_sub(1);
    NotARecord::Damaged(FaultKind::NotJson(format!("not valid JSON on line {line}: {words}")))
}

/// What an object has.
#[derive(Debug, Default)]
pub(super) struct Parsed<'a> {
    pub(super) record: Record<'a>,
    /// The fields that a record does not have.
    pub(super) unknown: Vec<Cow<'a, str>>,
    /// Whether it has no field of a record.
    is_empty: bool,
    /// The first thing that is wrong with its fields.
    problem: Option<Problem>,
}

/// What is wrong with a field.
#[derive(Debug)]
struct Problem {
    text: String,
    /// Whether its value is an array or an object.
    is_container: bool,
}

impl Problem {
    fn new(text: String) -> Self {
        Self { text, is_container: false }
    }

    fn type_of(field: Field, expected: &str, found: &Value<'_>) -> Self {
        let text = format!("field `{}`: expected {expected}, found {found}", field.name());
        Self { text, is_container: matches!(found, Value::Array | Value::Object) }
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

    /// Reads to the end, whatever is wrong with the fields: only then it is known to be JSON.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Parsed<'de>, A::Error> {
        let mut parsed = Parsed::default();
        let mut seen = 0_u16;
        while let Some(Name(name)) = object.next_key()? {
            let field = Field::named(name.as_bytes());
            if field == Field::Unknown {
                object.next_value::<IgnoredAny>()?;
                parsed.unknown.push(name);
                continue;
            }
            let bit = 1 << field as u16;
            let set = if seen & bit != 0 {
                object.next_value::<IgnoredAny>()?;
                Err(Problem::new(twice(field, &name)))
            } else if field == Field::Id {
                id(object.next_value()?).map(|id| parsed.record.id = id)
            } else {
                set(&mut parsed.record, field, object.next_value()?)
            };
            seen |= bit;
            if let Err(problem) = set {
                parsed.problem.get_or_insert(problem);
            }
        }
        parsed.is_empty = seen == 0;
        Ok(parsed)
    }
}

fn twice(field: Field, name: &str) -> String {
    let known = field.name();
    if name == known {
        format!("field `{known}` appears twice")
    } else {
        format!("field `{known}` appears twice: `{name}` is the same field")
    }
}

/// Puts a text in its field.
fn set<'a>(record: &mut Record<'a>, field: Field, value: Value<'a>) -> Result<(), Problem> {
    let Some(text) = record.texts.get_mut(field as usize) else { return Ok(()) };
    match value {
        Value::Text(value) => *text = value,
        Value::Null => *text = Cow::default(),
        other => return Err(Problem::type_of(field, "a string", &other)),
    }
    Ok(())
}

fn id(raw: &RawValue) -> Result<i32, Problem> {
    let text = raw.get();
    let not_whole = match (text.as_bytes().first(), whole(text)) {
        (_, Ok(number)) => return Ok(number),
        (Some(b'n'), _) => return Ok(0),
        (_, Err(not_whole)) => not_whole,
    };
    let number = excerpt(text.as_bytes());
    Err(match (not_whole, text.as_bytes().first()) {
        (NotWhole::OutOfRange | NotWhole::Fraction, _) => Problem::new(not_whole.about_id(&number)),
        (_, Some(b'"')) => Problem::new(
            "field `id`: expected a whole number, found a string: write ids without quotes"
                .to_owned(),
        ),
        (_, Some(b'{')) => Problem::type_of(Field::Id, "a whole number", &Value::Object),
        (_, Some(b'[')) => Problem::type_of(Field::Id, "a whole number", &Value::Array),
        _ => Problem::new(not_whole.about_id(&number)),
    })
}

/// A member's name.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
