//! Reads the rows of a table: CSV, or the same with tabs or semicolons.

use std::collections::VecDeque;
use std::io::{self, Read};

use csv::ByteRecord;

use super::RECORD_BYTES_MAX;
use super::content::{BYTE_ORDER_MARK, check_header};
use super::field::Field;
use super::ignored::Ignored;
use super::json::Stretch;
use super::record::Buffer;
use super::rejection::{FaultKind, Position, Reason, TEXT_BYTES_MAX, excerpt};
use super::whole::{NotWhole, whole};

/// The rows of one stream, one at a time.
pub(super) struct Rows<R> {
    rows: csv::Reader<Bounded<R>>,
    row: ByteRecord,
    /// The field of each column, and its name.
    columns: Vec<(Field, String)>,
    /// How many rows have been read.
    read: u64,
    is_over: bool,
}

/// What became of a row.
#[derive(Debug)]
pub(super) enum Row {
    /// It is in the buffer.
    Record(Position),
    Rejected(Stretch),
}

impl<R: Read> Rows<R> {
    /// Begins to read. The first row has the names of the fields.
    ///
    /// # Errors
    ///
    /// The stream fails, or two columns are the same field.
    pub(super) fn new(stream: R, delimiter: u8) -> io::Result<Self> {
        let stream = Bounded::new(stream, delimiter);
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(stream);
        let mut row = ByteRecord::new();
        let is_blank = |row: &ByteRecord| row.iter().all(|cell| cell.trim_ascii().is_empty());
        while rows.read_byte_record(&mut row)? && is_blank(&row) {
            rows.get_mut().quotes.rows.pop_front();
        }
        rows.get_mut().quotes.rows.pop_front();
        let names = row.iter().enumerate().map(|(column, name)| {
            let name = if column == 0 { name.trim_ascii_start() } else { name };
            let name = name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name).trim_ascii();
            String::from_utf8_lossy(name).into_owned()
        });
        let names: Vec<_> = names.collect();
        // Only the first line was checked before, and a header may have several.
        check_header(&names).map_err(|header| io::Error::other(format!("it has {header}")))?;
        let columns = names.into_iter().map(|name| (Field::named(name.as_bytes()), name));
        let columns = columns.collect();
        Ok(Self { rows, row, columns, read: 0, is_over: false })
    }

    /// How many bytes have been read.
    pub(super) fn offset(&self) -> u64 {
        self.rows.position().byte().saturating_add_signed(self.rows.get_ref().left_out)
    }

    /// Reads the next row into `buffer`, and counts the columns that are ignored. `None` at the end.
    pub(super) fn next(&mut self, buffer: &mut Buffer, ignored: &mut Ignored) -> Option<Row> {
        if self.is_over {
            return None;
        }
        self.rows.get_mut().left = ROOM;
        let read = self.rows.read_byte_record(&mut self.row);
        if let Ok(false) = read {
            self.is_over = true;
            return None;
        }
        self.read += 1;
        let begun = self.rows.get_mut().quotes.rows.pop_front().unwrap_or_default();
        let position = Position { line: begun.line, record: self.read, offset: begun.offset };
        let bytes = self.offset().saturating_sub(position.offset);
        let (reason, text) = match read {
            Ok(_) if self.rows.get_ref().ends_in_quotes() => {
                (Reason::Damaged(FaultKind::QuoteNotClosed), self.text())
            }
            Ok(_) if bytes > RECORD_BYTES_MAX as u64 => {
                (Reason::Damaged(FaultKind::RowTooLong), self.text())
            }
            Ok(_) if begun.has_text_behind_quotes => {
                (Reason::Damaged(FaultKind::AfterQuotes), self.text())
            }
            Ok(_) => match self.take(buffer, ignored) {
                Ok(()) => return Some(Row::Record(position)),
                Err(reason) => (Reason::Invalid(reason), self.text()),
            },
            Err(error) => {
                self.is_over = true;
                (Reason::Damaged(fault(error)), Vec::new())
            }
        };
        Some(Row::Rejected(Stretch { position, bytes, text, reason }))
    }

    /// Puts the row into `buffer`, or finds why it is not a record.
    fn take(&self, buffer: &mut Buffer, ignored: &mut Ignored) -> Result<(), String> {
        buffer.clear();
        let (cells, columns) = (self.row.len(), self.columns.len());
        if cells != columns {
            return Err(format!("this row has {cells} cells, and the header has {columns}"));
        }
        for ((field, _), cell) in self.columns.iter().zip(&self.row) {
            match field {
                Field::Unknown => {}
                Field::Id => buffer.set_id(id(cell)?),
                field => {
                    let text = std::str::from_utf8(cell)
                        .map_err(|_| format!("field `{}`: expected UTF-8", field.name()))?;
                    if let Some(kept) = buffer.text(*field) {
                        kept.push_str(text);
                    }
                }
            }
        }
        for (field, name) in &self.columns {
            match field {
                Field::Unknown => ignored.count(name),
                field => {
                    if let Some(text) = buffer.text(*field) {
                        ignored.count_escapes(*field, text);
                    }
                }
            }
        }
        Ok(())
    }

    /// The row as it may have been written.
    fn text(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        // A `Vec` takes all that is written to it.
        let _ = writer.write_byte_record(&self.row);
        let mut text = writer.into_inner().unwrap_or_default();
        text.truncate(TEXT_BYTES_MAX.min(text.trim_ascii_end().len()));
        text
    }
}

/// Why no more rows can be read.
fn fault(error: csv::Error) -> FaultKind {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => FaultKind::Unreadable(error),
        kind => FaultKind::Unreadable(io::Error::other(format!("{kind:?}"))),
    }
}

fn id(cell: &[u8]) -> Result<i32, String> {
    let text = String::from_utf8_lossy(cell.trim_ascii());
    if text.is_empty() {
        return Ok(0);
    }
    whole(&text).map_err(|not_whole| match not_whole {
        NotWhole::NotANumber => not_whole.about_id("a text"),
        _ => not_whole.about_id(&excerpt(text.as_bytes())),
    })
}

/// How much may be read for one row: the row, and what the reader takes at once behind it.
const ROOM: usize = RECORD_BYTES_MAX + (64 << 10);

/// A stream that omits the end of a row that is too long, so that the row fits into memory. It also
/// records where rows begin and whether text follows a closing quote, which `csv` does not report.
struct Bounded<R> {
    stream: R,
    /// How many more bytes of the row may be read.
    left: usize,
    /// How many bytes were omitted, in all rows.
    left_out: i64,
    quotes: Quotes,
    is_over: bool,
}

impl<R: Read> Bounded<R> {
    fn new(stream: R, delimiter: u8) -> Self {
        Self { stream, left: ROOM, left_out: 0, quotes: Quotes::new(delimiter), is_over: false }
    }

    fn ends_in_quotes(&self) -> bool {
        self.is_over && self.quotes.state == Cell::Quoted
    }

    /// Omits the rest of the row. Gives the line end, and what was read after it.
    fn skip_row(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // A quoted cell must be closed before the line end.
        let closing = usize::from(self.quotes.state == Cell::Quoted);
        loop {
            let read = &mut room[closing..];
            let len = self.stream.read(read)?;
            self.is_over |= len == 0;
            let rest = self.quotes.pass_row(&read[..len]);
            self.left_out += rest as i64;
            if len == 0 || rest < len {
                read.copy_within(rest..len, 0);
                room[..closing].fill(b'"');
                // The added quote replaces one of the omitted bytes.
                self.left_out -= closing as i64;
                return Ok(closing + len - rest);
            }
        }
    }
}

/// Where rows begin, and where quoted cells begin and end.
struct Quotes {
    delimiter: u8,
    state: Cell,
    /// The rows that were begun and not yet taken.
    rows: VecDeque<Begun>,
    line: u64,
    offset: u64,
}

/// A row that was begun.
#[derive(Clone, Copy, Default)]
struct Begun {
    line: u64,
    offset: u64,
    /// Whether text follows a closing quote. It is then unknown which text is quoted.
    has_text_behind_quotes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// Before a row. Line ends mean nothing there.
    RowBegins,
    Begins,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell, which ends it unless another quote follows.
    AtQuote,
    /// Behind blanks that follow a quoted cell.
    BehindQuotes,
}

impl Quotes {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, state: Cell::RowBegins, rows: VecDeque::new(), line: 1, offset: 0 }
    }

    fn pass(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.pass_byte(byte);
        }
    }

    /// Passes what these bytes have of a row, without its line end. Returns how many they are.
    fn pass_row(&mut self, bytes: &[u8]) -> usize {
        for (index, &byte) in bytes.iter().enumerate() {
            self.pass_byte(byte);
            if self.state == Cell::RowBegins {
                self.pass(&bytes[index + 1..]);
                return index;
            }
        }
        bytes.len()
    }

    fn pass_byte(&mut self, byte: u8) {
        // The reader of rows skips a byte order mark at the start.
        let is_mark = self.offset < 3 && BYTE_ORDER_MARK.contains(&byte);
        let is_line_end = matches!(byte, b'\n' | b'\r');
        if self.state == Cell::RowBegins && !is_mark && !is_line_end {
            let (line, offset) = (self.line, self.offset);
            self.rows.push_back(Begun { line, offset, has_text_behind_quotes: false });
            self.state = Cell::Begins;
        }
        self.state = match self.state {
            Cell::RowBegins => Cell::RowBegins,
            Cell::Begins | Cell::AtQuote if byte == b'"' => Cell::Quoted,
            Cell::Quoted if byte == b'"' => Cell::AtQuote,
            Cell::Quoted => Cell::Quoted,
            _ if is_line_end => Cell::RowBegins,
            _ if byte == self.delimiter => Cell::Begins,
            Cell::AtQuote | Cell::BehindQuotes if byte == b' ' => Cell::BehindQuotes,
            Cell::AtQuote | Cell::BehindQuotes => {
                if let Some(row) = self.rows.back_mut() {
                    row.has_text_behind_quotes = true;
                }
                Cell::Plain
            }
            _ => Cell::Plain,
        };
        self.line += u64::from(byte == b'\n');
        self.offset += 1;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            return self.skip_row(room);
        }
        let len = room.len().min(self.left);
        let len = self.stream.read(&mut room[..len])?;
        self.left -= len;
        self.quotes.pass(&room[..len]);
        self.is_over |= len == 0;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of each row: an id, or a reason.
    fn rows(text: &str) -> Vec<String> {
        let mut rows = Rows::new(text.as_bytes(), b',').unwrap();
        let (mut buffer, mut ignored) = (Buffer::default(), Ignored::default());
        let mut found = Vec::new();
        while let Some(row) = rows.next(&mut buffer, &mut ignored) {
            found.push(match row {
                Row::Record(_) => buffer.record().user().id.to_string(),
                Row::Rejected(stretch) => format!("{} {}", stretch.position.line, stretch.reason),
            });
        }
        found
    }

    #[test]
    fn quoted_cells_are_read() {
        assert_eq!(rows("id,email\n1,\"a,\"\"b\"\"\n\"\n2,c\n"), ["1", "2"]);
        assert_eq!(rows("\"id\",\"email\"\r\n\"1\",\"\"\r\n\r\n2.0,x\r\n"), ["1", "2"]);
    }

    #[test]
    fn row_has_the_line_on_which_it_begins() {
        let reason = "field `id`: expected a whole number, found a text";
        for (text, line) in [
            ("id,email\r\n1,a\r\nx,b\r\n", 3),
            ("\n\nid,email\n1,\"a\nb\"\n\n\nx,c\n", 8),
            ("\u{feff}id,email\n1,a\n\"x\",\"\"\n", 3),
        ] {
            assert_eq!(rows(text), ["1", &format!("{line} {reason}")], "{text:?}");
        }
    }

    #[test]
    fn quote_that_is_not_closed_is_rejected_with_the_rows_that_it_takes() {
        let reason = "a quote is not closed: the rest of the file is in this cell";
        let found = rows("id,email\n1,a\n2,\"b\n3,c\n4,d\n");
        assert_eq!(found, ["1", &format!("3 {reason}")]);
    }

    #[test]
    fn text_behind_a_closing_quote_is_rejected() {
        let reason = "text follows a closing quote: a quote in a cell must be written as two";
        // In the second, the quote that is not closed takes the next row.
        for row in ["\"b\"c", "\"b\n2,\"c\"", "\"b\" c\"", "\"the \\\"b\\\"\""] {
            let text = format!("id,email\n1,{row}\n3,\"d\" \n");
            assert_eq!(rows(&text), [&*format!("2 {reason}"), "3"], "{row}");
        }
        assert_eq!(rows("id,email\n1,the \"b\"\n"), ["1"]);
    }

    #[test]
    fn row_that_is_too_long_ends_with_its_quotes() {
        let too_long =
            |line| format!("{line} this row is longer than 1048576 bytes: a quote may be missing");
        let long = "x,\"\"\n".repeat(RECORD_BYTES_MAX);
        let text = format!("id,email\r\n1,\"{long}\" \r\n2,y\r\n3,\"{long}");
        let lines = RECORD_BYTES_MAX + 4;
        let unclosed = "a quote is not closed: the rest of the file is in this cell";
        assert_eq!(rows(&text), [&*too_long(2), "2", &format!("{lines} {unclosed}")]);
    }

    #[test]
    fn stretches_have_their_offsets_and_sizes() {
        let long = "x".repeat(2 * RECORD_BYTES_MAX);
        for end in ["\n", "\r\n"] {
            for row in [format!("1,{long}"), format!("1,\"{long}\""), format!("x,{long}")] {
                let text = format!("id,email{end}{row}{end}{row}{end}2,y{end}");
                let mut table = Rows::new(text.as_bytes(), b',').unwrap();
                let (mut buffer, mut ignored) = (Buffer::default(), Ignored::default());
                let mut offset = 8 + end.len();
                for _ in 0..2 {
                    let Some(Row::Rejected(stretch)) = table.next(&mut buffer, &mut ignored) else {
                        panic!("it is too long");
                    };
                    assert_eq!(stretch.position.offset, offset as u64);
                    offset += row.len() + end.len();
                    assert!(stretch.bytes.abs_diff(row.len() as u64) <= 2, "{}", stretch.bytes);
                }
                let Some(Row::Record(position)) = table.next(&mut buffer, &mut ignored) else {
                    panic!("it is a record");
                };
                assert_eq!((position.line, position.offset), (4, offset as u64));
            }
        }
    }

    #[test]
    fn row_may_be_as_long_as_a_record_and_not_longer() {
        let row = |len: usize| format!("1,{}\n", "x".repeat(len - 3));
        let too_long = "2 this row is longer than 1048576 bytes: a quote may be missing";
        let text = |len| format!("id,email\n{}2,y\n", row(len));
        assert_eq!(rows(&text(RECORD_BYTES_MAX)), ["1", "2"]);
        assert_eq!(rows(&text(RECORD_BYTES_MAX + 1)), [too_long, "2"]);
        assert_eq!(rows(&text(3 * RECORD_BYTES_MAX)), [too_long, "2"]);
    }
}
