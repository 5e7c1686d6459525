//! Looks for records inside an object that may not be a record itself: a wrapper such as
//! `{"users":[…]}`, or an envelope such as `{"_source":{…}}`.

use std::fmt::Write as _;

use super::field::Field;
use super::pointer::POINTER_CHARS_MAX;
use crate::printable;

/// How much of a member's name is kept, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// How much of a member's name an error shows, in characters.
const NAME_CHARS_MAX: usize = 32;
/// How deep records are looked for.
const DEPTH_MAX: usize = 32;

/// An object, as far as it has been fed. It needs to be JSON up to there.
#[derive(Debug, Default)]
pub(super) struct Nested {
    /// What is open, the object itself first.
    open: Vec<Level>,
    /// How many brackets are open beyond [`DEPTH_MAX`].
    too_deep: usize,
    in_string: bool,
    is_escaped: bool,
    /// The string that was begun last.
    text: Vec<u8>,
    /// The name of the member whose value comes next.
    name: Option<Vec<u8>>,
    /// The object with the most fields of a record so far.
    best: Option<Candidate>,
    /// What is known of the object itself.
    root: Fields,
    /// The first name inside the first field of it that is an object.
    typed: Option<Vec<u8>>,
    is_in_field: bool,
}

#[derive(Debug)]
struct Level {
    is_array: bool,
    /// How its parent calls it: by its name, or by `*` in an array.
    token: Vec<u8>,
    fields: Fields,
}

/// Which fields of a record an object has, a bit for each.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    named: u16,
    /// Those whose value is an array or an object.
    containers: u16,
}

#[derive(Debug)]
struct Candidate {
    path: Vec<Vec<u8>>,
    fields: Fields,
    in_array: bool,
}

/// Records inside of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holds {
    /// The member that holds them.
    pub(super) name: String,
    /// The JSON Pointer to them, from the object on.
    pub(super) pointer: String,
}

impl Holds {
    /// What to do about it. `path` is the pointer to the object itself.
    pub(super) fn advice(&self, path: &str) -> String {
        let Self { name, pointer } = self;
        let holder = match &**name {
            "*" => "its members are".to_owned(),
            name => format!("`{}` in it holds records", printable::beginning(name, NAME_CHARS_MAX)),
        };
        let pointer = printable::beginning(&format!("{path}{pointer}"), POINTER_CHARS_MAX);
        format!("this object is not a record, but {holder}: read them with --records '{pointer}'")
    }
}

impl Layout {
    /// What to do about it.
    pub(super) fn advice(self) -> String {
        match self {
            Self::Columns => {
                "the records are written by columns, as pandas does by default: write them by \
                 rows, with to_json(orient=\"records\")"
            }
            Self::DynamoDb => {
                "the values are typed, as DynamoDB exports them: write plain values, without \
                 their types"
            }
            Self::MongoDb => {
                "the numbers are written in MongoDB's canonical format: export them with \
                 mongoexport --jsonFormat relaxed"
            }
        }
        .to_owned()
    }
}

/// A way of writing records that is not one object for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One object for all, with all values of a field in each member.
    Columns,
    /// Each value in an object that has its type for a name: `{"S":"text"}`.
    DynamoDb,
    /// Numbers in objects: `{"$numberInt":"1"}`.
    MongoDb,
}

impl Fields {
    fn count(self) -> u32 {
        self.named.count_ones()
    }

    fn has_email(self) -> bool {
        self.named & (1 << Field::Email as u16) != 0
    }

    /// Whether an object in a list is likely to be a record.
    fn look_like_a_record(self) -> bool {
        self.count() >= 4 || (self.has_email() && self.count() >= 2)
    }
}

impl Nested {
    /// What a whole object holds.
    pub(super) fn of(object: &[u8]) -> Self {
        let mut nested = Self::default();
        nested.feed(object);
        nested
    }

    /// Goes on with `bytes`. The first byte of all is the object's `{`.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.in_string {
                self.feed_string(byte);
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.text.clear();
                }
                b':' => self.name(),
                b'{' | b'[' => self.enter(byte == b'['),
                b'}' | b']' => self.leave(),
                _ => {}
            }
        }
    }

    fn feed_string(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.in_string = false;
                return;
            }
            _ => {}
        }
        if self.text.len() < NAME_BYTES_MAX {
            self.text.push(byte);
        }
    }

    /// Takes the last string for a member's name.
    fn name(&mut self) {
        let Some(level) = self.open.last_mut().filter(|_| self.too_deep == 0) else { return };
        let field = Field::named(&self.text);
        if field != Field::Unknown {
            level.fields.named |= 1 << field as u16;
        }
        if self.open.len() == 2 && self.is_in_field && self.typed.is_none() {
            self.typed = Some(self.text.clone());
        }
        self.name = Some(self.text.clone());
    }

    fn enter(&mut self, is_array: bool) {
        if self.open.len() == DEPTH_MAX {
            self.too_deep += 1;
            return;
        }
        let token = match self.open.last_mut() {
            Some(parent) if !parent.is_array => {
                let name = self.name.take().unwrap_or_default();
                let field = Field::named(&name);
                self.is_in_field = field != Field::Unknown;
                if self.is_in_field {
                    parent.fields.containers |= 1 << field as u16;
                }
                name
            }
            _ => b"*".to_vec(),
        };
        self.open.push(Level { is_array, token, fields: Fields::default() });
    }

    fn leave(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        self.judge();
        if let Some(level) = self.open.pop()
            && self.open.is_empty()
        {
            self.root = level.fields;
        }
    }

    /// Keeps the innermost object if it is the likeliest record so far.
    fn judge(&mut self) {
        let [_, inner @ ..] = &*self.open else { return };
        let Some(level) = inner.last().filter(|level| level.fields.count() > 0) else { return };
        let fields = level.fields;
        if let Some(best) = &mut self.best {
            if fields.count() == best.fields.count() {
                best.widen(inner);
            }
            if fields.count() <= best.fields.count() {
                return;
            }
        }
        let path = inner.iter().map(|level| level.token.clone()).collect();
        let in_array = inner.iter().any(|level| level.is_array);
        self.best = Some(Candidate { path, fields, in_array });
    }

    /// What is known of the object itself.
    fn root(&self) -> Fields {
        self.open.first().map_or(self.root, |root| root.fields)
    }

    /// The records that it holds, if it is more likely to hold records than to be one.
    pub(super) fn records(mut self) -> Option<Holds> {
        let root = self.root();
        // What is open where the text ends counts as well.
        while !self.open.is_empty() {
            self.judge();
            self.open.pop();
        }
        let best = self.best?;
        let is_wrapper = match (root.count(), best.in_array) {
            (0, _) => true,
            (count, true) => best.fields.look_like_a_record() && best.fields.count() >= count,
            (count, false) => best.fields.count() >= 2 && best.fields.count() > count,
        };
        let name = best.path.first().filter(|_| is_wrapper)?;
        let mut pointer = String::new();
        for token in &best.path {
            let token = String::from_utf8_lossy(token).replace('~', "~0").replace('/', "~1");
            // A `String` takes all that is written to it.
            let _ = write!(pointer, "/{token}");
        }
        Some(Holds { name: String::from_utf8_lossy(name).into_owned(), pointer })
    }

    /// The layout, if the fields of a record are there and their values are not.
    pub(super) fn layout(&self) -> Option<Layout> {
        let Fields { named, containers } = self.root();
        let typed = self.typed.as_deref().unwrap_or_default();
        if typed.starts_with(b"$number") {
            return Some(Layout::MongoDb);
        }
        let is_layout = containers.count_ones() >= 2 || (containers != 0 && containers == named);
        is_layout.then_some(match typed {
            b"S" | b"N" | b"NULL" | b"BOOL" => Layout::DynamoDb,
            _ => Layout::Columns,
        })
    }
}

impl Candidate {
    /// Takes the record at `other` in as well: of two that differ in one name, each is `*`.
    fn widen(&mut self, other: &[Level]) {
        if self.path.len() != other.len() {
            return;
        }
        let mut differing = self.path.iter_mut().zip(other).filter(|(a, b)| **a != b.token);
        let (Some((token, level)), None) = (differing.next(), differing.next()) else { return };
        match (&**token, &*level.token) {
            // The two states of a change: the later one counts.
            (b"before", b"after") => *token = b"after".to_vec(),
            (b"after", b"before") | (b"*", _) => {}
            _ => *token = b"*".to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(object: &str) -> Option<String> {
        Nested::of(object.as_bytes()).records().map(|holds| holds.pointer)
    }

    #[test]
    fn wrapper_and_envelope_are_told_by_what_they_hold() {
        for (object, found) in [
            (r#"{"users":[{"id":1,"email":"a@b.c"}],"total":1}"#, "/users/*"),
            (r#"{"roles":[{"name":"x"}],"users":[{"email":"a@b.c"}]}"#, "/users/*"),
            (r#"{"id":7,"email":"o@b.c","users":[{"id":1,"email":"a@b.c"}]}"#, "/users/*"),
            (r#"{"_id":"x","_source":{"id":1,"email":"a@b.c"}}"#, "/_source"),
            (r#"{"hits":{"hits":[{"_source":{"id":1}}]}}"#, "/hits/hits/*/_source"),
            (r#"{"id":"1","attributes":{"email":"a","first_name":"b"}}"#, "/attributes"),
            (r#"{"before":{"id":1,"email":"a"},"after":{"id":1,"email":"b"}}"#, "/after"),
            (r#"{"users":{"u1":{"id":1},"u2":{"id":2},"u3":{"id":3}}}"#, "/users/*"),
            (r#"{"0":{"id":1,"email":"a"},"1":{"id":2,"email":"b"}}"#, "/*"),
            (r#"{"a/b~c":[{"id":1}]}"#, "/a~1b~0c/*"),
            // Cut off.
            (r#"{"users":[{"id":1,"email":"a@b.c"},{"id"#, "/users/*"),
            (r#"{"users":[{"id":1,"em"#, "/users/*"),
        ] {
            assert_eq!(pointer(object).as_deref(), Some(found), "{object}");
        }
    }

    #[test]
    fn record_with_nested_values_is_a_record() {
        for object in [
            r#"{"id":1,"email":"a","manager":{"id":2,"email":"b"}}"#,
            r#"{"id":1,"email":"a","name":{"first_name":"F","last_name":"L"}}"#,
            r#"{"id":1,"roles":[{"id":5,"name":"admin"}],"address":{"country":"X"}}"#,
            r#"{"id":1,"email":"a","logins":[{"ip_address":"192.0.2.1","country":"X","agent":"y"}]}"#,
            r#"{"id":1,"email":"a","user_name":"u","friends":[{"id":2,"email":"b"}]}"#,
            r#"{"a":{"b":[[]]}}"#,
        ] {
            assert_eq!(pointer(object), None, "{object}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(pointer(&format!(r#"{{"id":1,"a":{deep}}}"#)), None);
    }

    #[test]
    fn layouts_are_told_by_the_values_of_known_fields() {
        for (object, layout) in [
            (r#"{"id":{"0":1,"1":2},"email":{"0":"a","1":"b"}}"#, Some(Layout::Columns)),
            (r#"{"id":[1,2],"email":["a","b"]}"#, Some(Layout::Columns)),
            (r#"{"id":{"N":"1"},"email":{"S":"a"}}"#, Some(Layout::DynamoDb)),
            (r#"{"_id":{"$oid":"5"},"id":{"$numberInt":"1"},"email":"a"}"#, Some(Layout::MongoDb)),
            (r#"{"id":1,"email":["a"]}"#, None),
            (r#"{"id":1,"x":{"0":1},"y":[2]}"#, None),
        ] {
            assert_eq!(Nested::of(object.as_bytes()).layout(), layout, "{object}");
        }
    }
}
