//! JSON at element level: records one after another, in arrays or not.

use std::io::{self, Read};

use crate::damage::Around;
use crate::element;
use crate::junk;
use crate::piece::{Piece, Pieces};
use crate::window::Window;

/// The blanks of JSON.
pub(crate) const BLANKS: &[u8] = b" \t\r\n";

/// The byte order mark of UTF-8.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// What separates elements, besides byte order marks and brackets: blanks, commas and RS.
const SEPARATORS: &[u8] = b" \t\r\n,\x1e";

/// Passes blanks, commas, RS and byte order marks, and returns the byte that follows them.
///
/// # Errors
///
/// The source cannot be read on.
pub(crate) fn skip_separators<R: Read>(window: &mut Window<R>) -> io::Result<Option<u8>> {
    loop {
        let next = window.skip_any(SEPARATORS)?;
        if next != Some(MARK[0]) || window.ahead(MARK.len())? != MARK {
            return Ok(next);
        }
        window.skip(MARK.len());
    }
}

/// A reader of the whole source.
pub(crate) struct JsonReader<R> {
    window: Window<R>,
    /// How many arrays are open.
    open: u64,
}

impl<R: Read> JsonReader<R> {
    pub(crate) fn new(window: Window<R>) -> Self {
        Self { window, open: 0 }
    }

    /// Passes a `[`.
    fn open_array(&mut self) -> io::Result<Option<Piece>> {
        if self.open == 0 {
            self.window.skip(1);
        } else {
            let around = self.around();
            let scalars = element::begin_nested(&mut self.window, around)?;
            if scalars.is_some() {
                return Ok(scalars);
            }
        }
        self.open += 1;
        Ok(None)
    }

    /// Passes a `]`.
    fn close_array(&mut self) -> Option<Piece> {
        let place = self.window.place();
        self.window.skip(1);
        if self.open > 0 {
            self.open -= 1;
            return None;
        }
        Some(Piece::unread(place, &self.window, "a ] closes no array"))
    }

    fn around(&self) -> Around {
        Around { open: self.open, outer: None }
    }
}

impl<R: Read> Pieces for JsonReader<R> {
    fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let piece = match skip_separators(&mut self.window)? {
                None if self.open > 0 => {
                    self.open = 0;
                    let end = self.window.place();
                    let reason = "the file ends before the array's closing ]";
                    return Ok(Some(Piece::unread(end, &self.window, reason)));
                }
                None => return Ok(None),
                Some(b'[') => self.open_array()?,
                Some(b']') => self.close_array(),
                Some(b'{') => {
                    let around = self.around();
                    Some(element::object(&mut self.window, around)?)
                }
                Some(_) => {
                    let around = self.around();
                    Some(junk::run(&mut self.window, around)?)
                }
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }
}

#[cfg(test)]
mod tests;
