//! Where a list of batches goes on.

use std::fmt;
use std::str::FromStr;

use crate::BatchId;

/// The place of a batch in a list of batches: by the time at which it was opened, then by id.
///
/// As text it is `<ms>/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchCursor {
    /// When it was opened, in milliseconds since 1970.
    pub opened_ms: u64,
    /// Its id.
    pub id: BatchId,
}

impl fmt::Display for BatchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.opened_ms, self.id)
    }
}

impl FromStr for BatchCursor {
    type Err = InvalidBatchCursor;

    fn from_str(text: &str) -> Result<Self, InvalidBatchCursor> {
        let (opened_ms, id) = text.split_once('/').ok_or(InvalidBatchCursor)?;
        Ok(Self {
            opened_ms: opened_ms.parse().map_err(|_| InvalidBatchCursor)?,
            id: id.parse().map_err(|_| InvalidBatchCursor)?,
        })
    }
}

/// A text that is no place in a list of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no place in a list of batches: take the one that the page before gave")]
pub struct InvalidBatchCursor;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let cursor = BatchCursor { opened_ms: 1_700_000_000_000, id: "a.b_c-1".parse().unwrap() };
        assert_eq!(cursor.to_string(), "1700000000000/a.b_c-1");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "/", "1700000000000", "1700000000000/", "x/a", "-1/a", "1/a/b", "1/ä"] {
            assert_eq!(text.parse::<BatchCursor>(), Err(InvalidBatchCursor), "{text}");
        }
    }
}
