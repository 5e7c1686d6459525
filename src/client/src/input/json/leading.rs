//! The text before the first bracket: most likely a line of the tool that wrote the file.

use super::{Found, Scanner, Stretch};

/// What stands before the first bracket.
#[derive(Debug, Default)]
pub(super) enum Leading {
    #[default]
    Nothing,
    Text(Stretch),
    /// The first bracket has been seen.
    Begun,
}

impl Leading {
    /// Whether nothing has been seen yet.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether the first bracket has been seen.
    pub(super) fn has_begun(&self) -> bool {
        matches!(self, Self::Begun)
    }

    /// Adds text to that before the first bracket.
    pub(super) fn take(&mut self, stretch: Stretch) {
        match self {
            Self::Text(text) => text.join(&stretch),
            Self::Nothing | Self::Begun => *self = Self::Text(stretch),
        }
    }

    /// Takes note of the first bracket, or of what takes its place. Returns the text before it.
    pub(super) fn end(&mut self) -> Option<Stretch> {
        match std::mem::replace(self, Self::Begun) {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Begun => None,
        }
    }
}

impl<R> Scanner<R> {
    /// Takes note of the first bracket, and reports the text before it.
    pub(super) fn end_leading_text(&mut self) -> Option<Found> {
        let found = self.leading.end()?.before_first_bracket();
        self.elements += u64::from(matches!(found, Found::Stretch(_)));
        Some(found)
    }
}
