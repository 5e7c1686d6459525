//! The fields that are ignored, by name; and values that may not mean what they are.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;

use super::Source;
use super::field::{self, Field};
use super::record::Record;
use crate::printable;

/// How many names are kept apart. Fields of other names are counted together.
const NAMES_MAX: usize = 100;
/// How much of a name is kept, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What was read over, as it is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored {
    fields: HashMap<String, u64>,
    others: u64,
    /// Texts that may stand for a missing value, by field.
    nulls: [u64; Field::TEXTS],
    /// Texts of tables that have a backslash before a quote, by field.
    escapes: [u64; Field::TEXTS],
    /// Records in files of a folder whose name has a value for a field.
    folders: BTreeMap<String, u64>,
}

/// What a person should know about the records that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remarks {
    /// The fields that were ignored, the most frequent first.
    pub ignored: Vec<IgnoredField>,
    /// Fields whose texts may stand for a missing value, such as `null`, and in how many records.
    pub null_texts: Vec<Counted>,
    /// Fields of tables whose texts have a backslash before a quote, and in how many records: quotes
    /// may be escaped by backslashes, which CSV does not have.
    pub escaped_quotes: Vec<Counted>,
    /// Folders whose name has a value for a field, such as `gender=F`, which is not read from there;
    /// and how many records their files have.
    pub ignored_folders: Vec<Counted>,
}

/// Something that is in this many records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Its name, fit to be printed.
    pub name: String,
    /// How many records have it.
    pub records: u64,
}

/// A field that is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IgnoredField {
    /// Its name, fit to be printed; `None` for all that are not counted one by one.
    pub name: Option<String>,
    /// How many records have it.
    pub records: u64,
    /// The field that it may have been meant for.
    pub nearest: Option<&'static str>,
}

impl Ignored {
    /// Counts a field.
    pub(super) fn count(&mut self, name: &str) {
        let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
        if let Some(count) = self.fields.get_mut(name) {
            *count += 1;
        } else if self.fields.len() < NAMES_MAX {
            self.fields.insert(name.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Counts the texts of a record that may stand for a missing value.
    #[inline]
    pub(super) fn count_nulls(&mut self, record: &Record<'_>) {
        for (text, count) in record.texts.iter().zip(&mut self.nulls) {
            let first = text.as_bytes().first();
            if text.len() <= 9 && matches!(first, Some(b'n' | b'N' | b'u' | b'\\')) {
                *count += u64::from(may_be_null(text));
            }
        }
    }

    /// Counts the text of a cell if it has a backslash before a quote.
    pub(super) fn count_escapes(&mut self, field: Field, text: &str) {
        if let Some(count) = self.escapes.get_mut(field as usize)
            && text.contains("\\\"")
        {
            *count += 1;
        }
    }

    /// Counts the records of a source whose folders have values for fields in their names, as Hive
    /// and Spark write them.
    pub(super) fn finish(&mut self, source: &Source, records: u64) {
        let Source::File(path) = source else { return };
        let folders = path.parent().into_iter().flat_map(Path::iter);
        for folder in folders.filter_map(OsStr::to_str) {
            let field = folder.split_once('=').map(|(name, _)| Field::named(name.as_bytes()));
            if records > 0 && field.is_some_and(|field| field != Field::Unknown) {
                if let Some(count) = self.folders.get_mut(folder) {
                    *count += records;
                } else if self.folders.len() < NAMES_MAX {
                    self.folders.insert(folder.to_owned(), records);
                }
            }
        }
    }

    /// All of it, to be shown.
    pub(super) fn remarks(&self) -> Remarks {
        let by_field = |counts: &[u64; Field::TEXTS]| {
            let texts = Field::ALL.into_iter().filter(|field| *field != Field::Id);
            let counted = texts.map(|field| Counted {
                name: field.name().to_owned(),
                records: counts[field as usize],
            });
            counted.filter(|counted| counted.records > 0).collect()
        };
        let folders = self
            .folders
            .iter()
            .map(|(name, &records)| Counted { name: printable::text(name), records });
        Remarks {
            ignored: self.fields(),
            null_texts: by_field(&self.nulls),
            escaped_quotes: by_field(&self.escapes),
            ignored_folders: folders.collect(),
        }
    }

    fn fields(&self) -> Vec<IgnoredField> {
        let fields = self.fields.iter().map(|(name, &records)| IgnoredField {
            name: Some(printable::text(name)),
            records,
            nearest: field::nearest(name).map(Field::name),
        });
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.name.cmp(&b.name)));
        if self.others > 0 {
            fields.push(IgnoredField { name: None, records: self.others, nearest: None });
        }
        fields
    }
}

/// Whether a text is what some exporter writes for NULL.
fn may_be_null(text: &str) -> bool {
    matches!(
        text,
        "null"
            | "NULL"
            | "Null"
            | "None"
            | "NaN"
            | "nan"
            | "NA"
            | "N/A"
            | "nil"
            | "undefined"
            | "\\N"
    )
}
