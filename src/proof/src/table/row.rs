//! The rows of a table, split into cells.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::Window;
use super::quotes::Quotes;
use crate::window::Place;

/// The length of the longest row, in bytes.
const ROW_BYTES: u64 = 1 << 20;

/// How much is given to the splitter at once, in bytes.
const CHUNK_BYTES: usize = 1 << 13;

/// Where a row is.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) place: Place,
    /// Its length, without its line end.
    pub(super) bytes: u64,
    /// Whether it is longer than a row may be. Its cells are then not known.
    pub(super) too_long: bool,
    /// Whether it may go on where the source cannot be read on.
    pub(super) cut_off: bool,
    pub(super) quotes: Quotes,
}

/// Splits a source into rows.
pub(super) struct Rows<R> {
    pub(super) window: Window<R>,
    splitter: Splitter,
    delimiter: u8,
}

/// Splits a row into cells.
struct Splitter {
    reader: Reader,
    /// The text of all cells of the row.
    text: Vec<u8>,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
    text_len: usize,
    cells: usize,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(window: Window<R>, delimiter: u8) -> Self {
        Self { window, splitter: Splitter::new(delimiter), delimiter }
    }

    /// Reads the next row that is not empty; its cells are there until the next one is read.
    pub(super) fn next_row(&mut self) -> Option<Row> {
        self.window.skip_any(b"\r\n")?;
        let place = self.window.place();
        self.splitter.begin();
        let mut quotes = Quotes::new(self.delimiter);
        loop {
            let input = self.window.ahead(CHUNK_BYTES);
            let (taken, complete) = self.splitter.take(input);
            quotes.pass(&input[..taken]);
            self.window.skip(taken);
            // The last byte is the line end, unless the source ends instead.
            let has_line_end = complete && taken > 0;
            let bytes = self.window.since(place) - u64::from(has_line_end);
            let too_long = bytes > ROW_BYTES;
            if complete {
                let cut_off = !has_line_end && self.window.is_cut_off();
                return Some(Row { place, bytes, too_long, cut_off, quotes });
            }
            if too_long {
                // Its text would fill the memory.
                self.splitter.begin();
            }
        }
    }

    /// The cells of the row that was read last.
    pub(super) fn cells(&self) -> Vec<&[u8]> {
        self.splitter.row()
    }
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, text: vec![0; 1024], ends: vec![0; 16], text_len: 0, cells: 0 }
    }

    fn begin(&mut self) {
        (self.text_len, self.cells) = (0, 0);
    }

    /// Takes some text, or none at the end of the source. Returns how many bytes it has taken, and
    /// whether the row is complete.
    fn take(&mut self, input: &[u8]) -> (usize, bool) {
        let (text, ends) = (&mut self.text[self.text_len..], &mut self.ends[self.cells..]);
        let (result, taken, text_len, cells) = self.reader.read_record(input, text, ends);
        self.text_len += text_len;
        self.cells += cells;
        match result {
            ReadRecordResult::InputEmpty => (),
            ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
            ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            ReadRecordResult::Record | ReadRecordResult::End => return (taken, true),
        }
        (taken, false)
    }

    fn row(&self) -> Vec<&[u8]> {
        let ends = self.ends[..self.cells].iter();
        let cell = |begin: &mut usize, end: &usize| {
            let begin = std::mem::replace(begin, *end);
            Some(&self.text[begin..*end])
        };
        ends.scan(0, cell).collect()
    }
}

/// The cells of one line.
pub(super) fn cells_of(line: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new(delimiter);
    let mut rest = line;
    loop {
        let (taken, complete) = splitter.take(rest);
        rest = &rest[taken..];
        if complete {
            return splitter.row().into_iter().map(<[u8]>::to_vec).collect();
        }
    }
}
