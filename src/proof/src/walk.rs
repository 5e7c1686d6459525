//! JSON whose records are where a pointer points.

mod skip;

use std::io::Read;

use crate::damage::Around;
use crate::element;
use crate::follow::LACKING;
use crate::json::{BLANKS, Level, Step, skip_separators};
use crate::junk;
use crate::piece::{Piece, Pieces};
use crate::pointer::{self, Pointer, Token};
use crate::window::{Place, Window};

/// A container that is being walked.
struct Container {
    kind: Kind,
    /// Which token of the pointer its values are walked with.
    next: usize,
    place: Place,
    /// Whether nothing but its opening bracket has been passed.
    fresh: bool,
}

enum Kind {
    /// The array that the last `*` stands for, with its level.
    Last(Level),
    /// Another array of which each element is walked.
    Elements,
    /// An array of which one element is walked.
    Element { wanted: u64, at: u64 },
    /// An object of which each member is walked.
    Members,
    /// An object of which the members of one name are walked.
    Member { name: String, found: bool },
}

impl Kind {
    fn is_array(&self) -> bool {
        matches!(self, Self::Last(_) | Self::Elements | Self::Element { .. })
    }
}

/// A reader that walks each top-level value of the source.
pub(crate) struct PointerReader<R> {
    window: Window<R>,
    pointer: Pointer,
    /// The containers that are open, the innermost last.
    containers: Vec<Container>,
    ended: bool,
}

impl<R: Read> PointerReader<R> {
    pub(crate) fn new(window: Window<R>, pointer: Pointer) -> Self {
        Self { window, pointer, containers: Vec::new(), ended: false }
    }

    /// Goes on in the innermost container, or at the top.
    fn step(&mut self) -> Option<Piece> {
        let Some(container) = self.containers.last_mut() else { return self.top() };
        let fresh = std::mem::take(&mut container.fresh);
        match &mut container.kind {
            Kind::Last(level) => match level.step(&mut self.window, &self.pointer.names) {
                Step::Piece(piece) => Some(*piece),
                Step::Bracket => {
                    if level.open == 0 {
                        self.containers.pop();
                    }
                    None
                }
                Step::SourceEnds => self.source_ended(),
            },
            Kind::Elements => self.elements(),
            Kind::Element { .. } => self.element(fresh),
            Kind::Members | Kind::Member { .. } => self.member(fresh),
        }
    }

    fn top(&mut self) -> Option<Piece> {
        match skip_separators(&mut self.window) {
            None => {
                self.ended = true;
                None
            }
            Some(b'{' | b'[') => self.walk(0),
            Some(b']') => {
                let place = self.window.place();
                self.window.skip(1);
                Some(Piece::unread(place, &self.window, "a ] closes no array"))
            }
            Some(_) => self.junk(),
        }
    }

    /// Goes on in an array of which each element is walked on.
    fn elements(&mut self) -> Option<Piece> {
        match skip_separators(&mut self.window) {
            None => self.source_ended(),
            Some(b']') => {
                self.window.skip(1);
                self.containers.pop();
                None
            }
            Some(b'{' | b'[') => self.walk_value(),
            Some(_) => self.junk(),
        }
    }

    /// Goes on in an array of which one element is walked.
    fn element(&mut self, fresh: bool) -> Option<Piece> {
        match self.blanks() {
            None => return self.source_ended(),
            Some(b']') => return self.close(),
            Some(b',') if !fresh => self.window.skip(1),
            Some(_) if fresh => (),
            Some(_) => return self.damaged(),
        }
        let next = self.blanks();
        let Some(Container { kind: Kind::Element { wanted, at }, .. }) = self.containers.last_mut()
        else {
            return self.damaged();
        };
        let is_wanted = wanted == at;
        *at += 1;
        self.value(next, is_wanted)
    }

    /// Goes on in an object.
    fn member(&mut self, fresh: bool) -> Option<Piece> {
        match self.blanks() {
            None => return self.source_ended(),
            Some(b'}') => return self.close(),
            Some(b',') if !fresh => self.window.skip(1),
            Some(_) if fresh => (),
            Some(_) => return self.damaged(),
        }
        match self.blanks() {
            None => return self.source_ended(),
            Some(b'"') => (),
            Some(_) => return self.damaged(),
        }
        let name = skip::name(&mut self.window);
        match self.blanks() {
            None => return self.source_ended(),
            Some(b':') => self.window.skip(1),
            Some(_) => return self.damaged(),
        }
        let next = self.blanks();
        let is_wanted = match self.containers.last_mut().map(|container| &mut container.kind) {
            Some(Kind::Member { name: wanted, found }) => {
                let is_wanted = name.as_ref() == Some(wanted);
                *found |= is_wanted;
                is_wanted
            }
            _ => true,
        };
        self.value(next, is_wanted)
    }

    /// Walks or passes over a value that begins with this byte.
    fn value(&mut self, first: Option<u8>, is_wanted: bool) -> Option<Piece> {
        match first {
            None => self.source_ended(),
            Some(b',' | b':' | b'}' | b']') => self.damaged(),
            Some(_) if is_wanted => self.walk_value(),
            Some(_) => {
                skip::value(&mut self.window);
                None
            }
        }
    }

    /// Walks a value of the innermost container.
    fn walk_value(&mut self) -> Option<Piece> {
        let next = self.containers.last().map_or(0, |container| container.next);
        self.walk(next)
    }

    /// Walks the value that begins with the current byte.
    fn walk(&mut self, token: usize) -> Option<Piece> {
        let last = token + 1 == self.pointer.walked.len();
        let kind = match (self.pointer.walked.get(token), self.window.peek(0)) {
            (None, Some(b'{' | b'[')) => return Some(self.member_element()),
            (Some(Token::Each), Some(b'[')) if last => {
                Some(Kind::Last(Level { open: 1, outer: Some(self.containers.len()) }))
            }
            (Some(Token::Each), Some(b'[')) => Some(Kind::Elements),
            (Some(Token::Each), Some(b'{')) => Some(Kind::Members),
            (Some(Token::Named(name)), Some(b'{')) => {
                Some(Kind::Member { name: name.clone(), found: false })
            }
            (Some(Token::Named(name)), Some(b'[')) => {
                pointer::number(name).map(|wanted| Kind::Element { wanted, at: 0 })
            }
            _ => None,
        };
        let place = self.window.place();
        let Some(kind) = kind else {
            skip::value(&mut self.window);
            let at_element = token == self.pointer.walked.len();
            let reason = if at_element { "expected an object" } else { LACKING };
            return Some(Piece::unread(place, &self.window, reason));
        };
        self.window.skip(1);
        self.containers.push(Container { kind, next: token + 1, place, fresh: true });
        None
    }

    /// Reads the value of a member, if the last `*` stands for the members of an object.
    fn member_element(&mut self) -> Piece {
        let around = Around { open: 0, outer: self.containers.len().checked_sub(1) };
        element::read(&mut self.window, around, &self.pointer.names)
    }

    /// Passes the closing bracket of the innermost container, which lacks what the pointer names
    /// if nothing of it has been walked.
    fn close(&mut self) -> Option<Piece> {
        self.window.skip(1);
        let container = self.containers.pop()?;
        let lacks = match container.kind {
            Kind::Last(_) | Kind::Elements | Kind::Members => false,
            Kind::Element { wanted, at } => at <= wanted,
            Kind::Member { found, .. } => !found,
        };
        lacks.then(|| Piece::unread(container.place, &self.window, LACKING))
    }

    fn junk(&mut self) -> Option<Piece> {
        let around = self.around();
        Some(junk::run(&mut self.window, around))
    }

    /// Rejects the rest of the source, whose containers are damaged here.
    fn damaged(&mut self) -> Option<Piece> {
        self.ended = true;
        let place = self.window.place();
        self.window.skip_rest();
        let reason = "what is around the records is not valid JSON, so the rest is not read";
        Some(Piece::unread(place, &self.window, reason))
    }

    fn source_ended(&mut self) -> Option<Piece> {
        self.ended = true;
        let in_array = self.containers.last().is_some_and(|container| container.kind.is_array());
        let (container, bracket) = if in_array { ("array", ']') } else { ("object", '}') };
        let missing = format!("the file ends before the {container}'s closing {bracket}");
        Piece::at_end(&mut self.window, Some(&missing))
    }

    fn blanks(&mut self) -> Option<u8> {
        self.window.skip_any(BLANKS)
    }

    fn around(&self) -> Around {
        let outer = self.containers.iter().rposition(|container| container.kind.is_array());
        Around { open: u64::from(outer.is_some()), outer }
    }
}

impl<R: Read> Pieces for PointerReader<R> {
    fn next_piece(&mut self) -> Option<Piece> {
        while !self.ended {
            let piece = self.step();
            if piece.is_some() {
                return piece;
            }
        }
        Piece::at_end(&mut self.window, None)
    }
}

#[cfg(test)]
mod tests;
