//! The line that the scanner is in, and whether a record may begin there.

/// A line, as far as it has been passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Which one, from 1.
    pub(super) number: u64,
    /// Where in the stream it begins.
    start: u64,
    /// The column of its first byte that is not blank, once that is passed.
    indent: Option<u64>,
    /// Whether nothing but blanks, commas and closing brackets has been passed.
    pub(super) is_head: bool,
}

impl Line {
    /// The first line, when it begins at `start`.
    pub(super) fn first(start: u64) -> Self {
        Self { number: 1, start, indent: None, is_head: true }
    }

    /// Passes the byte at `offset`. The inside of a string need not be passed, only its quotes.
    pub(super) fn pass(&mut self, byte: u8, offset: u64) {
        match byte {
            b'\n' => *self = Self { number: self.number + 1, ..Self::first(offset + 1) },
            b' ' | b'\t' | b'\r' => {}
            _ => {
                self.indent.get_or_insert(offset - self.start);
                self.is_head &= matches!(byte, b',' | b'}' | b']');
            }
        }
    }

    /// Passes a whole record, which is at `offset`, and has no line breaks in its texts.
    pub(super) fn pass_record(&mut self, record: &[u8], offset: u64) {
        let mut last_line = 0;
        for end in memchr::memchr_iter(b'\n', record) {
            last_line = end + 1;
            self.pass(b'\n', offset + end as u64);
        }
        // Behind the first byte that is neither blank nor closes anything, none matters.
        for (byte, offset) in record[last_line..].iter().zip(offset + last_line as u64..) {
            self.pass(*byte, offset);
            if !self.is_head {
                break;
            }
        }
    }

    /// How deep what begins at `offset` is.
    pub(super) fn margin(&self, offset: u64) -> Margin {
        let column = offset - self.start;
        Margin { indent: self.indent.unwrap_or(column), column }
    }

    /// Whether a `{` at `offset` looks like a record's: the first thing on its line, and no deeper
    /// than the records before.
    ///
    /// The line's indent counts as well as the column of the `{`, since records are written both
    /// one below the other and as `}, {`.
    pub(super) fn begins_record(&self, offset: u64, records: Margin) -> bool {
        let here = self.margin(offset);
        self.is_head && (here.indent <= records.indent || here.column <= records.column)
    }
}

/// How deep something is, in bytes from the beginning of the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margin {
    /// Where the first thing on the line begins.
    indent: u64,
    /// Where this one begins.
    column: u64,
}

impl Margin {
    /// Deeper than anything.
    pub(super) const WIDEST: Self = Self { indent: u64::MAX, column: u64::MAX };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the last byte of `text` looks like the beginning of a record, when the records
    /// before look like the last byte of `before`.
    fn begins(before: &str, text: &str) -> bool {
        let (line, offset) = up_to_last(before);
        let records = line.margin(offset);
        let (line, offset) = up_to_last(text);
        line.begins_record(offset, records)
    }

    fn up_to_last(text: &str) -> (Line, u64) {
        let mut line = Line::first(0);
        let last = text.len() as u64 - 1;
        for (byte, offset) in text.bytes().zip(0..last) {
            line.pass(byte, offset);
        }
        (line, last)
    }

    #[test]
    fn a_record_begins_a_line_no_deeper_than_the_others() {
        for (before, text) in [
            ("{", "{"),
            ("{", ",{"),
            ("{", "} {"),
            ("[{", "x\n{"),
            ("[{", "x\n {"),
            ("[ {", "}, {"),
            ("[\n  {", "  {"),
            ("[\r\n\t{", "\r\n\t{"),
            ("}, {", "], {"),
        ] {
            assert!(begins(before, text), "{before:?} then {text:?}");
        }
        for (before, text) in [
            ("{", " {"),
            ("{", "x{"),
            ("{", "\"\" {"),
            ("[\n  {", "   {"),
            ("[ {", "  }, {"),
            ("}, {", "    {"),
        ] {
            assert!(!begins(before, text), "{before:?} then {text:?}");
        }
    }
}
