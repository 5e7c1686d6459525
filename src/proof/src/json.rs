//! JSON at element level: records one after another, in arrays or not.

use std::io::Read;

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
pub(crate) fn skip_separators<R: Read>(window: &mut Window<R>) -> Option<u8> {
    loop {
        let next = window.skip_any(SEPARATORS);
        if next != Some(MARK[0]) || window.ahead(MARK.len()) != MARK {
            return next;
        }
        window.skip(MARK.len());
    }
}

/// An element level: that of a whole source, or of an array that a pointer leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// How many arrays are open.
    pub(crate) open: u64,
    /// With a pointer: how many containers are open outside of these arrays.
    pub(crate) outer: Option<usize>,
}

/// What comes next at an element level.
pub(crate) enum Step {
    /// An element, or a stretch that is not an element.
    Piece(Box<Piece>),
    /// A bracket of an array, which has been passed.
    Bracket,
    /// The end of the source.
    SourceEnds,
}

impl Level {
    /// Goes on. The records are where `names` lead to inside of each element.
    pub(crate) fn step<R: Read>(&mut self, window: &mut Window<R>, names: &[String]) -> Step {
        let around = Around { open: self.open, outer: self.outer };
        let piece = match skip_separators(window) {
            None => return Step::SourceEnds,
            Some(b'[') => self.open_array(window, names),
            Some(b']') => self.close_array(window),
            Some(b'{') => Some(element::read(window, around, names)),
            Some(_) => Some(junk::run(window, around)),
        };
        piece.map_or(Step::Bracket, |piece| Step::Piece(Box::new(piece)))
    }

    /// Passes a `[`, or an array of scalars as a whole.
    fn open_array<R: Read>(&mut self, window: &mut Window<R>, names: &[String]) -> Option<Piece> {
        if self.open == 0 {
            window.skip(1);
        } else {
            let around = Around { open: self.open, outer: self.outer };
            let scalars = element::begin_nested(window, around, names);
            if scalars.is_some() {
                return scalars;
            }
        }
        self.open += 1;
        None
    }

    /// Passes a `]`.
    fn close_array<R: Read>(&mut self, window: &mut Window<R>) -> Option<Piece> {
        let place = window.place();
        window.skip(1);
        if self.open > 0 {
            self.open -= 1;
            return None;
        }
        Some(Piece::unread(place, window, "a ] closes no array"))
    }
}

/// A reader of the whole source.
pub(crate) struct JsonReader<R> {
    window: Window<R>,
    level: Level,
    names: Vec<String>,
}

impl<R: Read> JsonReader<R> {
    /// Reads the records that are where `names` lead to inside of each element.
    pub(crate) fn new(window: Window<R>, names: Vec<String>) -> Self {
        Self { window, level: Level::default(), names }
    }
}

impl<R: Read> Pieces for JsonReader<R> {
    fn next_piece(&mut self) -> Option<Piece> {
        loop {
            match self.level.step(&mut self.window, &self.names) {
                Step::Piece(piece) => return Some(*piece),
                Step::Bracket => (),
                Step::SourceEnds => {
                    let in_array = std::mem::take(&mut self.level.open) > 0;
                    let missing = in_array.then_some("the file ends before the array's closing ]");
                    return Piece::at_end(&mut self.window, missing);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
