//! The header of a table.

use super::{Arc, Field, Fields, Ignored};

/// What the columns of a table are.
pub(super) struct Header {
    /// The fields of the columns; `None` for a column that is ignored.
    pub(super) columns: Vec<Option<Field>>,
    /// The columns that are ignored, each name once.
    pub(super) ignored: Arc<[Ignored]>,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    ///
    /// A field is there twice. The error is a short sentence.
    pub(super) fn of(cells: &[&[u8]]) -> Result<Self, String> {
        let columns = cells.iter().map(|cell| field_of(cell)).collect::<Vec<_>>();
        let mut fields = Fields::default();
        if let Some(field) = columns.iter().flatten().find(|field| !fields.insert(**field)) {
            return Err(format!("the header has `{}` twice", field.name()));
        }
        let unknown = cells.iter().zip(&columns).filter(|(_, field)| field.is_none());
        let mut names = unknown
            .map(|(cell, _)| String::from_utf8_lossy(cell).trim().to_owned())
            .collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        let ignored = names.into_iter().map(|name| Ignored { name, inside: Fields::default() });
        Ok(Self { columns, ignored: ignored.collect() })
    }
}

/// The field that a cell of a header names.
pub(super) fn field_of(cell: &[u8]) -> Option<Field> {
    Field::named(str::from_utf8(cell).ok()?.trim())
}
