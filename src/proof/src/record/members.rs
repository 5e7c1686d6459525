//! The unknown members of an object, and which known fields are inside of them.
//!
//! This goes through the text, not through values: members may nest as deeply as the text is long,
//! and need not be UTF-8.

use super::{Field, Fields};

/// A member that is not a known field.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_object: bool,
    /// The known fields of all objects inside of it.
    pub(super) inside: Fields,
    /// The most known fields of an object in an array inside of it that looks like a record.
    most_in_array: u32,
    /// The most known fields that an object outside of an array has.
    most_fields: u32,
}

impl Member {
    /// Whether it holds records, in a record that has these fields itself.
    pub(super) fn holds_records(&self, outer: Fields) -> bool {
        let looks_like_part = self.most_fields >= 2;
        let in_array = self.most_in_array > 0 && self.most_in_array >= outer.len();
        in_array || (looks_like_part && self.most_fields > outer.len())
    }

    /// Takes an object inside of it.
    fn take(&mut self, object: &Level) {
        let fields = object.fields;
        self.inside = self.inside.union(fields);
        if object.in_array {
            let with_email = fields.contains(Field::Email) && fields.len() >= 2;
            if with_email || fields.len() >= 4 {
                self.most_in_array = self.most_in_array.max(fields.len());
            }
        } else {
            self.most_fields = self.most_fields.max(fields.len());
        }
    }
}

/// An object or array that is open.
struct Level {
    is_object: bool,
    /// Whether it is an element of an array.
    in_array: bool,
    fields: Fields,
}

/// The unknown members of an object, which must be valid JSON.
pub(super) fn unknown_of(object: &[u8]) -> Vec<Member> {
    let mut found = Found::default();
    let mut at = 0;
    while let Some(&byte) = object.get(at) {
        if byte == b'"' {
            let end = end_of_string(object, at);
            found.string(&object[at..end]);
            at = end;
        } else {
            found.byte(byte);
            at += 1;
        }
    }
    found.members
}

#[derive(Default)]
struct Found {
    members: Vec<Member>,
    levels: Vec<Level>,
    /// Whether the current member of the outer object is unknown: the last of `members`.
    in_unknown: bool,
    /// Whether the next string is a name.
    name_follows: bool,
}

impl Found {
    fn string(&mut self, quoted: &[u8]) {
        if !std::mem::take(&mut self.name_follows) {
            return;
        }
        let outer = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut() else { return };
        if !outer && !self.in_unknown {
            return;
        }
        let name = decoded(quoted);
        let field = Field::named(&name);
        if outer {
            self.in_unknown = field.is_none();
            if self.in_unknown {
                self.members.push(Member { name, ..Member::default() });
            }
        } else if let Some(field) = field {
            level.fields.insert(field);
        }
    }

    /// Takes a byte outside of strings.
    fn byte(&mut self, byte: u8) {
        let in_object = self.levels.last().is_some_and(|level| level.is_object);
        match byte {
            b'{' | b'[' => {
                let is_object = byte == b'{';
                if self.levels.len() == 1
                    && let Some(member) = self.unknown()
                {
                    member.is_object = is_object;
                }
                let in_array = !self.levels.is_empty() && !in_object;
                self.levels.push(Level { is_object, in_array, fields: Fields::default() });
                self.name_follows = is_object;
            }
            b'}' | b']' => {
                let level = self.levels.pop();
                if let Some(member) = self.unknown()
                    && let Some(object) = level.filter(|level| level.is_object)
                {
                    member.take(&object);
                }
                self.name_follows = false;
            }
            b',' => self.name_follows = in_object,
            _ => (),
        }
    }

    /// The unknown member whose value is being read.
    fn unknown(&mut self) -> Option<&mut Member> {
        if self.in_unknown && !self.levels.is_empty() { self.members.last_mut() } else { None }
    }
}

/// Where a string ends that begins here.
fn end_of_string(text: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The text of a quoted name; whatever it is, if it is not a valid string.
fn decoded(quoted: &[u8]) -> String {
    serde_json::from_slice(quoted).unwrap_or_else(|_| String::from_utf8_lossy(quoted).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the only unknown member holds records.
    fn holds(object: &str, outer: &[Field]) -> bool {
        let mut fields = Fields::default();
        outer.iter().for_each(|field| assert!(fields.insert(*field)));
        let members = unknown_of(object.as_bytes());
        assert_eq!(members.len(), 1, "{object}");
        members[0].holds_records(fields)
    }

    #[test]
    fn members_that_hold_records_are_told_from_others() {
        let outer = [Field::Id, Field::Email];
        for (value, expected) in [
            (r#"[{"id":1,"email":"x"}]"#, true),
            (r#"[{"i\u0064":1,"em\u0061il":"x"}]"#, true),
            (r#"[[1,{"userName":1,"email":null}]]"#, true),
            (r#"{"a":{"b":[{"id":1,"email":"x"}]}}"#, true),
            (r#"[{"id":1,"gender":"x","country":"","agent":""}]"#, true),
            (r#"[{"id":1,"gender":"x","country":""}]"#, false),
            (r#"[{"email":1}]"#, false),
            (r#"[{"x":"email","y":"id"}]"#, false),
            (r#"{"id":1,"email":"x","agent":""}"#, true),
            (r#"{"x":{"id":1,"email":"x","agent":""}}"#, true),
            (r#"[{"x":{"id":1,"email":"x","agent":""}}]"#, true),
            (r#"{"id":1,"email":"x"}"#, false),
            (r#""{\"id\":1,\"email\":2,\"agent\":3}""#, false),
            ("7", false),
        ] {
            let object = format!("{{\"id\":1,\"email\":{{}},\"data\":{value}}}");
            assert_eq!(holds(&object, &outer), expected, "{object}");
        }
        assert!(!holds(r#"{"data":{"id":1}}"#, &[]));
        assert!(holds(r#"{"data":{"id":1,"agent":1}}"#, &[Field::Id]));
    }

    #[test]
    fn members_have_their_names_and_the_fields_inside() {
        let text = br#"{"a\n":{"id":[{"agent":1}]},"id":{"email":{}},"b":[{"gender":1}],"c":1}"#;
        let members = unknown_of(text);
        let names = members.iter().map(|member| (member.name.as_str(), member.is_object));
        assert_eq!(names.collect::<Vec<_>>(), [("a\n", true), ("b", false), ("c", false)]);
        let inside = members[0].inside.iter().collect::<Vec<_>>();
        assert_eq!(inside, [Field::Id, Field::Agent]);
        assert_eq!(members[2].inside, Fields::default());
    }
}
