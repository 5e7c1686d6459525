//! Tables: CSV, with commas, tabs or semicolons.

mod header;
mod quotes;
mod row;

use std::io::Read;
use std::sync::Arc;

use muster_proto::users::UserRequest;

use crate::json::MARK;
use crate::piece::{Ignored, Notes, Piece, Pieces, of_field};
use crate::record::{Field, Fields, NOT_AN_ID, whole};
use crate::window::Window;
use header::Header;
use row::{Row, Rows};

/// The length of the longest first line, in bytes.
const LINE_BYTES: usize = 1 << 16;

/// The delimiter of the table that begins here, if one begins. Passes a byte order mark and blank
/// lines. `named_as_table`: the file's name is that of a table, which may have one column.
pub(crate) fn delimiter<R: Read>(window: &mut Window<R>, named_as_table: bool) -> Option<u8> {
    if window.ahead(MARK.len()) == MARK {
        window.skip(MARK.len());
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let line = loop {
        let ahead = window.ahead(LINE_BYTES);
        let line = ahead.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line.len() == ahead.len() || !line.iter().all(is_blank) {
            break line;
        }
        let len = line.len() + 1;
        window.skip(len);
    };
    if let None | Some(b'{' | b'[' | 0x1e) = line.iter().find(|byte| !is_blank(byte)) {
        return None;
    }
    let known_and_all = |delimiter: &u8| {
        let cells = row::cells_of(line, *delimiter);
        let known = cells.iter().filter_map(|cell| header::field_of(cell)).count();
        (known, cells.len())
    };
    // Of those that are equally good, the last is taken.
    let best = b";\t,".iter().map(|delimiter| (known_and_all(delimiter), *delimiter));
    let is_table = |(known, all): (usize, usize)| known > 0 && (all >= 2 || named_as_table);
    let best = best.filter(|(counts, _)| is_table(*counts)).max_by_key(|(counts, _)| *counts);
    best.map(|(_, delimiter)| delimiter)
}

/// A reader of a table.
pub(crate) struct TableReader<R> {
    rows: Rows<R>,
    header: Option<Header>,
    ended: bool,
}

impl<R: Read> TableReader<R> {
    pub(crate) fn new(window: Window<R>, delimiter: u8) -> Self {
        Self { rows: Rows::new(window, delimiter), header: None, ended: false }
    }

    /// Rejects the rest of the source from this row on.
    fn rest(&mut self, row: Row, reason: String) -> Piece {
        self.ended = true;
        self.rows.window.skip_rest();
        Piece::unread(row.place, &self.rows.window, reason)
    }
}

impl<R: Read> Pieces for TableReader<R> {
    fn next_piece(&mut self) -> Option<Piece> {
        while !self.ended {
            let Some(row) = self.rows.next_row() else { break };
            let unread = |reason| {
                let (line, offset) = (row.place.line, row.place.offset);
                Piece::Unread { line, offset, bytes: row.bytes, reason }
            };
            if row.cut_off {
                return Some(unread("the file ends inside this row".to_owned()));
            }
            let fault = if row.too_long {
                Some("the row is longer than 1 MiB")
            } else if row.quotes.are_open() {
                Some("a quote is not closed")
            } else if row.quotes.text_behind {
                Some("text follows a closing quote")
            } else {
                None
            };
            if let Some(fault) = fault.filter(|_| self.header.is_some()) {
                return Some(unread(fault.to_owned()));
            }
            let cells = self.rows.cells();
            let Some(header) = &self.header else {
                match Header::of(&cells) {
                    Ok(header) => self.header = Some(header),
                    Err(reason) => return Some(self.rest(row, reason)),
                }
                continue;
            };
            return Some(match record(header, &cells) {
                Ok((record, notes)) => Piece::record(row.place, record, notes),
                Err(reason) => unread(reason),
            });
        }
        Piece::at_end(&mut self.rows.window, None)
    }
}

/// The record of a row.
fn record(header: &Header, cells: &[&[u8]]) -> Result<(UserRequest, Notes), String> {
    let (found, expected) = (cells.len(), header.columns.len());
    if found != expected {
        return Err(format!(
            "the number of its cells is {found}, but that of the header is {expected}"
        ));
    }
    let mut record = UserRequest::default();
    let mut given = Fields::default();
    for (field, cell) in header.columns.iter().zip(cells) {
        let Some(field) = *field else { continue };
        let problem = |problem| of_field(field, problem);
        let cell = str::from_utf8(cell).map_err(|_| problem("is not UTF-8"))?;
        let empty = match field.text_of(&mut record) {
            None => {
                let cell = cell.trim_ascii();
                record.id = id(cell).ok_or_else(|| problem(NOT_AN_ID))?;
                cell.is_empty()
            }
            Some(text) => {
                cell.clone_into(text);
                cell.is_empty()
            }
        };
        if !empty {
            given.insert(field);
        }
    }
    Ok((record, Notes { given, ignored: Arc::clone(&header.ignored) }))
}

/// The id in a cell: empty, an integer, or a whole number as in JSON.
fn id(cell: &str) -> Option<i32> {
    if cell.is_empty() { Some(0) } else { cell.parse().ok().or_else(|| whole(cell)) }
}

#[cfg(test)]
mod tests;
