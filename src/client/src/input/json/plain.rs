//! Finds and reads a record in one pass, if it is written as nearly all are.
//!
//! Such a record is an object that has only fields of a record, each once, with texts, a whole number,
//! and nulls. Anything else is left to `frame` and `record`, which can tell what is wrong with it.
//! A record that is read here has the same values when they read it.

use std::borrow::Cow;

use super::super::field::Field;
use super::super::record::Record;

/// Where the parts of such a record are.
#[derive(Debug, Default)]
pub(in crate::input) struct Plain {
    /// How long it is, from its `{` to its `}`, in bytes.
    pub(super) len: usize,
    /// How many line ends are in it.
    pub(super) line_ends: u64,
    id: i32,
    /// In the order of [`Field`].
    texts: [Span; Field::TEXTS],
    has_escapes: bool,
}

/// Where a text is, without its quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
    has_escapes: bool,
}

impl Plain {
    /// Finds the record that begins with the first of these bytes, which is `{`. `None` if it is not
    /// plain, or if it may go on behind them.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<()> {
        *self = Self::default();
        let mut cursor = Cursor { bytes, at: 1, line_ends: 0 };
        let mut seen = 0_u16;
        let mut last = b',';
        while last == b',' {
            let field = cursor.field()?;
            let bit = 1 << field as u16;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            match (cursor.next()?, self.texts.get_mut(field as usize)) {
                (b'"', Some(text)) => {
                    *text = cursor.text()?;
                    self.has_escapes |= text.has_escapes;
                }
                (b'n', _) => cursor.rest_of_null()?,
                (b'-' | b'0'..=b'9', None) => self.id = cursor.rest_of_number()?,
                _ => return None,
            }
            last = cursor.next()?;
        }
        self.len = cursor.at;
        self.line_ends = cursor.line_ends;
        (last == b'}').then_some(())
    }

    /// The text of the record, if it is valid: UTF-8, with escapes that mean something.
    pub(in crate::input) fn text<'a>(&self, element: &'a [u8]) -> Option<&'a str> {
        let element = simdutf8::basic::from_utf8(element).ok()?;
        let is_valid = !self.has_escapes || self.read(element).is_some();
        is_valid.then_some(element)
    }

    /// The record, whose text is `element`. `None` if an escape in it means nothing.
    pub(in crate::input) fn read<'a>(&self, element: &'a str) -> Option<Record<'a>> {
        let mut record = Record { id: self.id, ..Record::default() };
        for (text, &Span { start, end, has_escapes }) in record.texts.iter_mut().zip(&self.texts) {
            *text = if has_escapes {
                Cow::Owned(serde_json::from_str(&element[start - 1..=end]).ok()?)
            } else {
                Cow::Borrowed(&element[start..end])
            };
        }
        Some(record)
    }
}

/// How far the record has been passed.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    line_ends: u64,
}

impl Cursor<'_> {
    /// Passes blanks, and the byte behind them.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if byte > b' ' {
                return Some(byte);
            }
            match byte {
                b' ' | b'\r' | b'\t' => {}
                b'\n' => self.line_ends += 1,
                _ => return None,
            }
        }
    }

    /// Passes a field's name and the colon.
    fn field(&mut self) -> Option<Field> {
        if self.next()? != b'"' {
            return None;
        }
        let Span { start, end, .. } = self.text()?;
        let field = Field::named(&self.bytes[start..end]);
        (field != Field::Unknown && self.next()? == b':').then_some(field)
    }

    /// Passes the inside of a string and its closing quote.
    fn text(&mut self) -> Option<Span> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let eight = self.bytes.get(self.at..)?.first_chunk()?;
            let Some(passed) = special_among(*eight) else {
                self.at += eight.len();
                continue;
            };
            self.at += passed + 1;
            match eight[passed] {
                b'"' => return Some(Span { start, end: self.at - 1, has_escapes }),
                b'\\' if *self.bytes.get(self.at)? >= b' ' => {
                    has_escapes = true;
                    self.at += 1;
                }
                _ => return None,
            }
        }
    }

    fn rest_of_null(&mut self) -> Option<()> {
        let is_null = self.bytes.get(self.at..)?.starts_with(b"ull");
        self.at += 3;
        is_null.then_some(())
    }

    /// Passes the rest of a whole number. What is behind it is none of its own.
    fn rest_of_number(&mut self) -> Option<i32> {
        let start = self.at - 1;
        self.at +=
            self.bytes.get(self.at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        let has_zeros = number.len() > 1 && number.trim_start_matches('-').starts_with('0');
        if has_zeros { None } else { number.parse().ok() }
    }
}

/// The place of the first byte among these that ends a run of ordinary ones in a string: a quote, a
/// backslash, or a control character.
fn special_among(bytes: [u8; 8]) -> Option<usize> {
    const ONE_EACH: u64 = u64::from_le_bytes([1; 8]);
    const TOP_BIT_EACH: u64 = ONE_EACH << 7;
    let word = u64::from_le_bytes(bytes);
    // Sets the top bit of bytes below `limit`. It may do so wrongly above the first one, which borrows.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONE_EACH * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONE_EACH * u64::from(byte)), 1);
    let special = (below(word, b' ') | equal(b'"') | equal(b'\\')) & TOP_BIT_EACH;
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::ignored::Ignored;
    use super::super::super::record::{Buffer, read};
    use super::*;

    /// What is found at the beginning of `text`, if anything is plain there: its length and itself.
    fn found(text: &str) -> Option<(usize, Record<'_>)> {
        let mut plain = Plain::default();
        plain.find(text.as_bytes())?;
        Some((plain.len, plain.read(plain.text(&text.as_bytes()[..plain.len])?)?))
    }

    /// The record as everything else reads it.
    fn slowly(element: &[u8]) -> Option<Buffer> {
        let (mut buffer, mut ignored) = (Buffer::default(), Ignored::default());
        read(element, 1, "", &mut buffer, &mut ignored).ok()?;
        Some(buffer)
    }

    #[test]
    fn plain_record_is_found() {
        for record in [
            r#"{"id":1}"#,
            r#"{"id":-2147483648,"email":"a@b.c","agent":"0123456789 0123456789"}"#,
            r#"{"id":0,"user_name":"","country":"C\u00f4te d'Ivoire","gender":"\"\\"}"#,
            "{\r\n\t\"id\" : 2147483647 ,\n  \"email\":null,\"id\u{e4}\":1}",
            "{\"email\" : null , \"id\" : null , \"first_name\" : \"\u{e4}\u{1f600}\" }",
        ] {
            let is_plain = !record.contains("id\u{e4}");
            let text = format!("{record},\n{record}");
            let expected = slowly(record.as_bytes()).unwrap();
            let expected = expected.record();
            assert_eq!(found(&text), is_plain.then_some((record.len(), expected)), "{record}");
        }
    }

    #[test]
    fn any_other_record_is_left() {
        for record in [
            "{}",
            r#"{"id":1,}"#,
            r#"{"id":1 "email":""}"#,
            r#"{"id":1]"#,
            r#"{"id":1,"id":2}"#,
            r#"{"id":"1"}"#,
            r#"{"id":1.5}"#,
            r#"{"id":1e3}"#,
            r#"{"id":-0}"#,
            r#"{"id":01}"#,
            r#"{"id":-}"#,
            r#"{"id":+1}"#,
            r#"{"id":2147483648}"#,
            r#"{"id":nul}"#,
            r#"{"email":1}"#,
            r#"{"email":nulls}"#,
            r#"{"email":true}"#,
            r#"{"email":{}}"#,
            r#"{"email":["a"]}"#,
            r#"{"unknown":1}"#,
            r#"{"ema\u0069l":""}"#,
            r#"{"email":"\x"}"#,
            r#"{"email":"\ud800"}"#,
            "{\"email\":\"\\\n\"}",
            "{\"email\":\"\n\"}",
            "{\"email\":\"\u{1b}\"}",
            "{\u{b}\"id\":1}",
        ] {
            assert_eq!(found(&format!("{record},\n{record}")), None, "{record}");
        }
        let (mut plain, text) = (Plain::default(), b"{\"email\":\"\xff\"}        ");
        assert!(plain.find(text).is_some());
        assert_eq!(plain.text(&text[..plain.len]), None);
    }

    #[test]
    fn record_that_may_go_on_is_left() {
        let record = r#"{"id":17,"email":"a\u0040b.c","agent":null}"#;
        for len in 1..record.len() {
            assert_eq!(found(&record[..len]), None, "{len}");
        }
    }

    proptest! {
        /// Texts with whatever may end them.
        #[test]
        fn eight_bytes_are_looked_through(
            bytes in prop::array::uniform8(prop_oneof![
                Just(b'"'), Just(b'!'), Just(b'#'), Just(b'\\'), Just(b' '), Just(0x1f), Just(0xa2), any::<u8>()
            ])
        ) {
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
            prop_assert_eq!(special_among(bytes), bytes.iter().position(is_special));
        }

        /// Records, damaged or not.
        #[test]
        fn record_that_is_found_has_the_same_values_when_it_is_read_slowly(
            texts in prop::collection::vec("\\PC{0,9}|[a-z]{0,20}|[\"\\\\{},:\n\u{1}\u{e4}]{0,4}", 8),
            id in any::<i32>(),
            damage in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        ) {
            let mut record = serde_json::json!({
                "id": id, "user_name": texts[0], "email": texts[1], "first_name": texts[2],
                "last_name": texts[3], "ip_address": texts[4], "gender": texts[5],
                "country": texts[6], "agent": texts[7],
            }).to_string().into_bytes();
            if let Some((at, with)) = damage {
                let with = b"\"\\{}[]:, n0\n\xff"[with.index(13)];
                let at = 1 + at.index(record.len() - 1);
                record[at] = with;
            }
            let text = [&*record, b"\n{\"id\":1}"].concat();
            let mut plain = Plain::default();
            let found = plain.find(&text);
            prop_assert!(found.is_some() || damage.is_some());
            if found.is_some() {
                let element = &text[..plain.len];
                let record = plain.text(element).and_then(|text| plain.read(text));
                match (record, slowly(element)) {
                    (Some(record), slowly) => {
                        prop_assert_eq!(Some(record), slowly.as_ref().map(Buffer::record));
                    }
                    (None, slowly) => prop_assert!(slowly.is_none()),
                }
            }
        }
    }
}
