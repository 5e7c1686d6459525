//! Finds where a damaged element ends, a piece at a time.
//!
//! Nothing inside a damaged element may become a record, and what follows it must not be lost with
//! it. So its brackets are counted on behind the damage, and it ends where they close. A bracket or
//! a quote may be what is missing: then the element goes on through those behind it, and ends before
//! the first bracket that cannot stand inside it, if the text from there on reads on as elements
//! ([`reads_on`]). `docs/input.md` has the rules, with examples.

use serde::de::IgnoredAny;

use super::super::content::RECORD_SEPARATOR;
use super::strings::{Passed, Strings};

/// How much is read ahead to tell whether an element has ended, in bytes.
pub(super) const AHEAD_BYTES: usize = 64 * 1024;

/// How often it is read ahead in vain for one element. Behind that, only its brackets end it.
const REFUSALS_MAX: usize = 64;

/// A damaged element, as far as it has been passed.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// The brackets that are open.
    open: Vec<u8>,
    strings: Strings,
    place: Place,
    /// How many bytes have been passed.
    passed: usize,
    /// How many bytes are the beginning of JSON; `None` if all are, and only the end is missing.
    sound: Option<usize>,
    /// Whether [`Step::Ask`] was about an opening bracket.
    asks_of_opener: bool,
    /// Whether the opening bracket that comes next was refused.
    is_refused: bool,
    /// How often [`Step::Ask`] was refused.
    refusals: usize,
}

/// What passing led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The element goes on.
    More,
    /// The element ends after this many of the bytes that were passed last.
    End(usize),
    /// The element may end after this many of the bytes that were passed last: [`reads_on`] decides
    /// by what follows them. If not, [`Damage::refuse`] it and pass on from there.
    Ask(usize, Evidence),
}

/// What speaks for the end of a damaged element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Its brackets close. What follows may be cut off.
    Brackets,
    /// Its brackets do not close, and something follows that cannot stand inside it.
    Following,
}

/// What stands before a byte, outside of strings.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The last byte that was not blank; a quote for a string; 0 if there was none.
    before: u8,
    /// Whether nothing but blanks, commas and closing brackets stands before it on its line.
    is_first: bool,
}

impl Place {
    fn pass(&mut self, byte: u8) {
        match byte {
            b'\n' => self.is_first = true,
            b' ' | b'\t' | b'\r' => {}
            _ => {
                self.before = byte;
                self.is_first &= matches!(byte, b',' | b'}' | b']');
            }
        }
    }

    fn pass_string(&mut self) {
        self.pass(b'"');
    }
}

impl Damage {
    /// Begins an element, of which `beginning` is known, up to where it was seen to be damaged.
    pub(super) fn new(beginning: &[u8]) -> Self {
        Self { sound: sound_bytes(beginning), ..Self::default() }
    }

    /// Begins the value of a member whose record has lost its opening bracket.
    pub(super) fn of_lost_record() -> Self {
        Self { sound: Some(0), ..Self::default() }
    }

    /// Passes `bytes`, the first of which is the element's opening bracket at the first call.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Step {
        let before = self.passed;
        for (at, &byte) in bytes.iter().enumerate() {
            self.passed = before + at;
            match self.strings.pass(byte) {
                Passed::Inside => continue,
                Passed::LineEnd | Passed::Behind => self.place.pass_string(),
                Passed::Outside => {}
            }
            let is_refused = std::mem::take(&mut self.is_refused);
            match byte {
                b'{' | b'[' if !is_refused && self.may_begin_another(byte) => {
                    self.asks_of_opener = true;
                    return Step::Ask(at, self.following());
                }
                b'{' | b'[' => self.open.push(byte),
                b'}' | b']' => match self.close(byte) {
                    Closed::Element => return Step::End(at + 1),
                    Closed::Perhaps(evidence) => {
                        self.place.pass(byte);
                        self.passed += 1;
                        self.asks_of_opener = false;
                        return Step::Ask(at + 1, evidence);
                    }
                    Closed::Inside => {}
                },
                _ => {}
            }
            self.place.pass(byte);
        }
        self.passed = before + bytes.len();
        Step::More
    }

    /// Goes on: what [`Step::Ask`] was about is inside the element.
    pub(super) fn refuse(&mut self) {
        self.is_refused = self.asks_of_opener;
        self.refusals += 1;
    }

    /// Whether this opening bracket may begin the next element, by what stands before it.
    fn may_begin_another(&self, byte: u8) -> bool {
        let Some(&innermost) = self.open.last() else { return false };
        if self.refusals >= REFUSALS_MAX {
            return false;
        }
        let Place { before, is_first } = self.place;
        match before {
            // In an object a name must follow a comma.
            b',' if byte == b'{' && innermost == b'{' => true,
            b',' if byte == b'{' => is_first && self.is_damaged(),
            b',' | b':' | b'[' => false,
            _ => is_first,
        }
    }

    /// The evidence of what follows. Around a lost record it counts as much as brackets: what is open
    /// there is not known either.
    fn following(&self) -> Evidence {
        if self.sound == Some(0) { Evidence::Brackets } else { Evidence::Following }
    }

    /// Whether something up to this byte is not JSON.
    fn is_damaged(&self) -> bool {
        self.sound.is_some_and(|sound| sound <= self.passed)
    }

    /// Passes a closing bracket.
    fn close(&mut self, byte: u8) -> Closed {
        let opener = if byte == b'}' { b'{' } else { b'[' };
        let is_matched = self.open.last() == Some(&opener);
        match self.open.iter().rposition(|open| *open == opener) {
            Some(0) if is_matched && self.is_damaged() && self.refusals < REFUSALS_MAX => {
                Closed::Perhaps(Evidence::Brackets)
            }
            Some(0) if is_matched => Closed::Element,
            Some(0) if self.refusals >= REFUSALS_MAX => Closed::Inside,
            Some(0) => Closed::Perhaps(self.following()),
            Some(index) => {
                self.open.truncate(index);
                Closed::Inside
            }
            None => Closed::Inside,
        }
    }
}

/// How many of these bytes are the beginning of JSON; `None` if all are.
fn sound_bytes(beginning: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(beginning).into_iter::<IgnoredAny>();
    let error = values.next()?.err().filter(|error| !error.is_eof())?;
    let lines = memchr::memchr_iter(b'\n', beginning);
    let line_start = lines.take(error.line().saturating_sub(1)).last().map_or(0, |end| end + 1);
    Some(line_start + error.column().saturating_sub(1))
}

/// What a closing bracket closes.
enum Closed {
    Element,
    /// The element, unless a bracket was lost before it.
    Perhaps(Evidence),
    /// Something inside the element, or nothing.
    Inside,
}

/// What is open around a damaged element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Whether an array of elements is open.
    pub(super) in_array: bool,
    /// How many brackets close behind that array, if the containers around it are known.
    pub(super) closers: Option<usize>,
}

/// Whether `ahead`, which stands behind the supposed end of an element, reads on as elements, rather
/// than as the inside of something that is still open. Only [`AHEAD_BYTES`] of it are looked at; it
/// may be shorter only where the stream ends.
pub(super) fn reads_on(ahead: &[u8], around: Around, evidence: Evidence) -> bool {
    let is_end = ahead.len() <= AHEAD_BYTES;
    let ahead = &ahead[..ahead.len().min(AHEAD_BYTES)];
    let may_be_cut = !is_end || evidence == Evidence::Brackets;
    // Only a closing bracket speaks against it. Where every record is damaged, this is all that is done.
    if may_be_cut && memchr::memchr(b']', ahead).is_none() {
        return true;
    }
    let (mut depth, mut strings, mut place) = (0_usize, Strings::default(), Place::default());
    for (at, &byte) in ahead.iter().enumerate() {
        match strings.pass(byte) {
            Passed::Inside => continue,
            Passed::Behind | Passed::LineEnd => place.pass_string(),
            Passed::Outside => {}
        }
        match byte {
            // Two objects without a comma between them are not in an array.
            b'{' if depth == 0 && place.is_first && place.before == b'}' => return true,
            b'{' | b'[' => depth += 1,
            b']' if depth == 0 => {
                return around.array_may_end(&ahead[at + 1..], is_end, evidence);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        place.pass(byte);
    }
    may_be_cut || (depth == 0 && !strings.is_open() && !around.in_array)
}

impl Around {
    /// Whether the array of elements may end before `behind`, rather than an array in a record.
    fn array_may_end(self, behind: &[u8], is_end: bool, evidence: Evidence) -> bool {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | &RECORD_SEPARATOR);
        let rest = || behind.iter().copied().filter(|byte| !blank(byte));
        let is_closer = |byte| matches!(byte, b'}' | b']');
        let ends_wrapper = |closers| rest().count() == closers && rest().all(is_closer);
        if is_end && self.closers.is_some_and(ends_wrapper) {
            return true;
        }
        let in_array = self.in_array || evidence == Evidence::Brackets;
        in_array && !matches!(rest().next(), Some(b'}' | b','))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the damaged element at the beginning of `text` ends, when all of it is passed at once, and
    /// when it is passed byte by byte.
    fn end(text: &str, around: Around) -> usize {
        let whole = end_in_steps(text.as_bytes(), usize::MAX, around);
        assert_eq!(end_in_steps(text.as_bytes(), 1, around), whole, "{text}");
        whole
    }

    fn end_in_steps(text: &[u8], step: usize, around: Around) -> usize {
        let (mut damage, mut passed) = (Damage::new(text), 0);
        while passed < text.len() {
            let next = &text[passed..text.len().min(passed.saturating_add(step))];
            match damage.pass(next) {
                Step::More => passed += next.len(),
                Step::End(len) => return passed + len,
                Step::Ask(len, evidence) => {
                    passed += len;
                    if reads_on(&text[passed..], around, evidence) {
                        return passed;
                    }
                    damage.refuse();
                }
            }
        }
        passed
    }

    const ARRAY: Around = Around { in_array: true, closers: None };
    const SEQUENCE: Around = Around { in_array: false, closers: None };

    #[test]
    fn damaged_element_ends_where_its_brackets_close() {
        for element in [
            r#"{"id":1,"a":NaN,"b":[{"c":1},{"d":2}]}"#,
            r#"{"id":1,"a":[1}"#,
            r#"{"id":1,"a":{"b":[1,{"c":2]},"d":{}}"#,
            r#"{"id":1,"agent":"he said "hi, {" to [me"}"#,
            r#"{"id":1,"agent":"a"b","c":"}"}"#,
            r#"{"id":1 "a":"\"}","b":]}"#,
            "{\"id\":1,\"agent\":\"open\n,\"a\":{}}",
        ] {
            for (rest, around) in
                [(",{\"id\":2}]", ARRAY), ("\n{\"id\":2}\n", SEQUENCE), ("", SEQUENCE)]
            {
                let text = format!("{element}{rest}");
                assert_eq!(end(&text, around), element.len(), "{text}");
            }
        }
    }

    #[test]
    fn damaged_element_ends_before_what_cannot_stand_inside_it() {
        for (element, rest, around) in [
            (r#"{"id":1,"a":"b","#, r#"{"id":2},{"id":3}]"#, ARRAY),
            ("{\"id\":1,\n", "{\"id\":2}\n", SEQUENCE),
            ("{\"id\":1\n", "{\"id\":2}\n{\"id\":3", SEQUENCE),
            ("{\"id\":1,\"a\":[\n{\"id\":2}\n", "{\"id\":3}\n{\"id\":4}\n", SEQUENCE),
            ("{\"id\":1,\"a\":[{\"b\":\"x},\n", "{\"id\":2},\n{\"id\":3}\n]\n", ARRAY),
            ("{\"id\":1\n", "[{\"id\":2}]\n", SEQUENCE),
        ] {
            assert_eq!(end(&format!("{element}{rest}"), around), element.len(), "{element}");
        }
    }

    #[test]
    fn objects_inside_a_damaged_element_stay_inside() {
        for (element, rest, around) in [
            (r#"{"id":1,"a":{"id":11},{"id":12}],"b":1}"#, r#",{"id":2}]"#, ARRAY),
            (r#"{"id":1,"a":[[1},[{"id":11}]]}"#, r#",{"id":2}]"#, ARRAY),
            (
                "{\"id\":1,\"a\":[{\"b\":\"x}, \n {\"id\":12}, \n {\"id\":13}]}",
                ", \n {\"id\":2}]",
                ARRAY,
            ),
            ("{\"id\":1,\"a\":[{\"id\":11}  \n {\"id\":12}]}", ", \n {\"id\":2}]", ARRAY),
            ("{\"id\":1,\"m\":\n{\"id\":11}\n,\"x\":[1}", "\n{\"id\":2}", SEQUENCE),
            ("{\"id\":1,\"a\":[{\"id\":11}, \n {\"id\":12}]", "", ARRAY),
            ("{\"id\":1,\"a\":[{\"b\":\"x}, \n {\"id\":12}, \n {\"id\":13", "", ARRAY),
        ] {
            assert_eq!(end(&format!("{element}{rest}"), around), element.len(), "{element}");
        }
    }

    #[test]
    fn brackets_that_close_too_early_do_not_end_a_damaged_element() {
        let element = "{\"id\":1,logins\":[{\"x\":\"]\"},[1,2],{\"id\":80}],\"user_name\":\"a\"}";
        for rest in [",{\"id\":2}]", ",{\"id\":2},{\"id"] {
            assert_eq!(end(&format!("{element}{rest}"), ARRAY), element.len(), "{rest}");
        }
    }

    #[test]
    fn array_in_a_wrapper_may_end_before_the_brackets_of_the_wrapper() {
        let element = "{\"id\":1,\"a\":\"x,\n";
        let wrapper = Around { in_array: true, closers: Some(1) };
        for (rest, around, ends) in [
            ("{\"id\":2}\n]}\n", wrapper, true),
            ("{\"id\":2}\n]}\n", ARRAY, false),
            ("{\"id\":2}\n]},\"b\":1}\n", wrapper, false),
            ("{\"id\":2}\n]}}\n", wrapper, false),
        ] {
            let text = format!("{element}{rest}");
            assert_eq!(end(&text, around) == element.len(), ends, "{rest}");
        }
    }
}
