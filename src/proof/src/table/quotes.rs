//! The quotes of a row, which the splitter does not judge.

/// Whether each cell of a row ends behind its closing quote. If not, it is unknown where quoted text
/// begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
    /// Whether text follows a closing quote.
    pub(super) text_behind: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    CellBegins,
    Bare,
    Quoted,
    /// Behind a quote that closes the cell, unless it is the first of two.
    Closed,
    /// Behind the blanks that follow it.
    Padded,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, state: State::CellBegins, text_behind: false }
    }

    /// Passes a part of the row, of which only the last byte may be its line end.
    pub(super) fn pass(&mut self, part: &[u8]) {
        for byte in part {
            self.state = match (self.state, *byte) {
                (State::Quoted, b'"') => State::Closed,
                (State::CellBegins | State::Closed, b'"') | (State::Quoted, _) => State::Quoted,
                (_, b'\r' | b'\n') => State::CellBegins,
                (_, byte) if byte == self.delimiter => State::CellBegins,
                (State::CellBegins | State::Bare, _) => State::Bare,
                (State::Closed | State::Padded, b' ') => State::Padded,
                (State::Closed | State::Padded, _) => {
                    self.text_behind = true;
                    State::Bare
                }
            };
        }
    }

    /// Whether the row has ended in a quoted cell.
    pub(super) fn are_open(&self) -> bool {
        self.state == State::Quoted
    }
}
