//! Passes what is not an element: damaged elements, and text where an element should be.

use std::io::Read;

use super::super::RECORD_BYTES_MAX;
use super::super::nested::Nested;
use super::super::record;
use super::super::rejection::{FaultKind, Position, Reason, excerpt};
use super::damage::{self, AHEAD_BYTES, Around, Damage, reads_on};
use super::junk::{self, Junk};
use super::walk::Walk;
use super::{Found, Scanner, Span, Stretch};

impl<R: Read> Scanner<R> {
    /// Finds the end of the element that [`next`](Self::next) returned last, which is not JSON.
    pub(in crate::input) fn abandon(&mut self, element: Span, kind: FaultKind) -> Stretch {
        self.window.go_back(element.len);
        self.line = element.position.line;
        self.pass_damaged(element.position, kind)
    }

    /// Passes a damaged element, which begins here.
    pub(super) fn pass_damaged(&mut self, position: Position, kind: FaultKind) -> Stretch {
        let mut stretch = Stretch::at(position, Reason::Damaged(kind));
        let mut nested = Nested::default();
        let known = self.window.bytes();
        let damage = Damage::new(&known[..known.len().min(RECORD_BYTES_MAX)]);
        let is_over = self.pass_to_its_end(&mut stretch, &mut nested, damage);
        stretch.explain(nested, &self.path(), is_over, self.line);
        if is_over {
            // What is open around it ends with it, and is not reported again.
            (self.arrays, self.walk) = (0, None);
        }
        stretch
    }

    /// Returns whether the stream ends in the element.
    fn pass_to_its_end(
        &mut self,
        stretch: &mut Stretch,
        nested: &mut Nested,
        mut damage: Damage,
    ) -> bool {
        loop {
            let bytes = self.window.bytes();
            let step = damage.pass(bytes);
            let len = match step {
                damage::Step::More => bytes.len(),
                damage::Step::End(len) | damage::Step::Ask(len, _) => len,
            };
            nested.feed(&bytes[..len]);
            self.pass_into(stretch, len);
            match step {
                damage::Step::End(_) => return false,
                damage::Step::More if self.window.fill() => {}
                damage::Step::More => return true,
                damage::Step::Ask(_, evidence) => {
                    while self.window.bytes().len() <= AHEAD_BYTES && self.window.fill() {}
                    if reads_on(self.window.bytes(), self.around(), evidence) {
                        return false;
                    }
                    damage.refuse();
                }
            }
        }
    }

    fn around(&self) -> Around {
        let closers = self.walk.as_ref().map(Walk::closers);
        Around { in_array: self.arrays > 0, closers }
    }

    /// Passes text that is not an element. Returns nothing while it may be text before the first
    /// bracket.
    pub(super) fn junk(&mut self) -> Option<Found> {
        let position = if self.leading.has_begun() {
            self.begin_element()
        } else {
            Position { record: 1, ..self.position() }
        };
        let reason = Reason::Invalid(String::new());
        let mut stretch = Stretch::at(position, reason);
        let mut junk = Junk::default();
        loop {
            let bytes = self.window.bytes();
            let step = junk.pass(bytes);
            let len = match step {
                junk::Step::More => bytes.len(),
                junk::Step::End(len) | junk::Step::Value(len) => len,
            };
            self.pass_into(&mut stretch, len);
            match step {
                junk::Step::More if self.window.fill() => {}
                junk::Step::More | junk::Step::End(_) => break,
                junk::Step::Value(_) => {
                    let (mut nested, damage) = (Nested::default(), Damage::of_lost_record());
                    self.pass_to_its_end(&mut stretch, &mut nested, damage);
                }
            }
        }
        let text = stretch.text.trim_ascii();
        stretch.reason = match record::refuse_scalar(text) {
            Some(reason) => Reason::Invalid(reason),
            None => Reason::Damaged(FaultKind::Unexpected(excerpt(text))),
        };
        if self.leading.has_begun() {
            return Some(stretch.into());
        }
        if matches!(stretch.reason, Reason::Damaged(_)) {
            self.leading.take(stretch);
            return None;
        }
        // A value that is not an object is an element, and ends the text before it.
        self.elements += 1;
        stretch.position.record = self.elements;
        Some(match self.leading.end() {
            Some(text) => {
                self.pending = Some(stretch);
                text.before_first_bracket()
            }
            None => stretch.into(),
        })
    }
}
