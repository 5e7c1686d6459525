//! What a reader finds, one piece after another.

use std::io::Read;
use std::sync::Arc;

use muster_proto::users::UserRequest;

use crate::record::{Field, Fields};
use crate::window::{Place, Window};

/// A record, or a stretch that could not be read as one.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A record.
    Record {
        /// The record as it was sent.
        record: UserRequest,
        /// The line on which it begins, from 1.
        line: u64,
        /// Where it begins in the decoded text, in bytes.
        offset: u64,
        /// What the record has and lacks.
        notes: Notes,
    },
    /// A stretch that is neither a record nor separators.
    Unread {
        /// The line on which it begins, from 1.
        line: u64,
        /// Where it begins in the decoded text, in bytes.
        offset: u64,
        /// Its length; 0 if something is missing.
        bytes: u64,
        /// Why it could not be read, in a short sentence.
        reason: String,
    },
}

/// What a record has besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The fields that have a value other than null or an empty cell.
    pub(crate) given: Fields,
    pub(crate) ignored: Arc<[Ignored]>,
}

/// A member or a column that is not a field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    pub(crate) name: String,
    /// The field names inside of it, if it is an object.
    pub(crate) inside: Fields,
}

impl Piece {
    pub(crate) fn record(place: Place, record: UserRequest, notes: Notes) -> Self {
        Self::Record { record, line: place.line, offset: place.offset, notes }
    }

    /// The stretch from a place to the current byte.
    pub(crate) fn unread<R: Read>(
        from: Place,
        window: &Window<R>,
        reason: impl Into<String>,
    ) -> Self {
        let bytes = window.since(from);
        Self::Unread { line: from.line, offset: from.offset, bytes, reason: reason.into() }
    }

    /// What to report at the end of a source: the error that ended it, reported once, or else what is
    /// `missing`.
    pub(crate) fn at_end<R: Read>(window: &mut Window<R>, missing: Option<&str>) -> Option<Self> {
        let reason = match window.take_error() {
            Some(error) => format!("cannot be read on: {error}"),
            None => missing?.to_owned(),
        };
        Some(Self::unread(window.place(), window, reason))
    }
}

/// A reader of one source.
pub(crate) trait Pieces {
    /// The next piece; `None` at the end of the source.
    fn next_piece(&mut self) -> Option<Piece>;
}

/// The text of a rejection that concerns one field.
pub(crate) fn of_field(field: Field, problem: impl std::fmt::Display) -> String {
    format!("`{}` {problem}", field.name())
}
