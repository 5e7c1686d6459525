//! What makes it doubtful that the records of a file were read as they were meant.

mod counts;
mod similar;

use std::collections::HashMap;
use std::path::Path;

use muster_proto::users::UserRequest;

use crate::piece::{Ignored, Notes};
use crate::record::{Field, Fields, shortened};
use counts::Counts;
pub use counts::Doubt;

/// Texts that stand for a missing value.
const PLACEHOLDERS: [&str; 9] =
    ["null", "NULL", "NA", "N/A", "NaN", "None", "nil", "undefined", "\\N"];

/// How many ignored names are remembered.
const REMEMBERED_NAMES: usize = 1000;

/// The doubts about the records of one file.
pub(crate) struct Doubts {
    counts: Counts,
    ignored: Counts,
    /// The folders of the path that give a field a value.
    partitions: Vec<(String, Field)>,
    /// The fields that ignored names are close to.
    similar: HashMap<String, Option<Field>>,
}

impl Doubts {
    pub(crate) fn about(path: &Path) -> Self {
        let folders = path.parent().into_iter().flat_map(Path::components);
        let partition = |folder: std::path::Component<'_>| {
            let folder = folder.as_os_str().to_string_lossy();
            let field = Field::named(folder.split_once('=')?.0)?;
            Some((folder.into_owned(), field))
        };
        Self {
            counts: Counts::default(),
            ignored: Counts::default(),
            partitions: folders.filter_map(partition).collect(),
            similar: HashMap::new(),
        }
    }

    /// Takes a record of the file.
    pub(crate) fn take(&mut self, record: &mut UserRequest, notes: &Notes) {
        let lacking = notes.lacking(record);
        for (folder, field) in &self.partitions {
            if lacking.contains(*field) {
                let (folder, field) = (shortened(folder), field.name());
                self.counts
                    .add(&format!("the folder `{folder}` gives `{field}`, which is missing"));
            }
        }
        for ignored in notes.ignored.iter() {
            self.take_ignored(ignored, lacking);
        }
        for field in Field::ALL {
            let Some(text) = field.text_of(record) else { continue };
            if PLACEHOLDERS.contains(&text.as_str()) {
                let field = field.name();
                self.counts.add(&format!("`{field}` is the text `{text}` rather than missing"));
            }
        }
    }

    fn take_ignored(&mut self, ignored: &Ignored, lacking: Fields) {
        let name = shortened(&ignored.name);
        self.ignored.add(&name);
        if let Some(field) = self.similar_to(&ignored.name)
            && lacking.contains(field)
        {
            let field = field.name();
            self.counts.add(&format!("`{name}` is ignored, and `{field}` is missing"));
        }
        for field in ignored.inside.iter().filter(|field| lacking.contains(*field)) {
            let field = field.name();
            self.counts.add(&format!("`{field}` is only inside of `{name}`, which is ignored,"));
        }
    }

    fn similar_to(&mut self, name: &str) -> Option<Field> {
        if let Some(field) = self.similar.get(name) {
            return *field;
        }
        let field = similar::field(name);
        if self.similar.len() < REMEMBERED_NAMES {
            self.similar.insert(shortened(name).into_owned(), field);
        }
        field
    }

    /// The doubts, and how many records have each ignored name.
    pub(crate) fn finish(self) -> (Vec<Doubt>, Vec<(String, u64)>) {
        let pair = |Doubt { what, records }| (what, records);
        (self.counts.finish(), self.ignored.finish().into_iter().map(pair).collect())
    }
}

impl Notes {
    /// The fields for which a record has no value, or an empty text.
    fn lacking(&self, record: &mut UserRequest) -> Fields {
        let mut lacking = Fields::default();
        for field in Field::ALL {
            let empty = field.text_of(record).is_some_and(|text| text.is_empty());
            if empty || !self.given.contains(field) {
                lacking.insert(field);
            }
        }
        lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;

    /// The doubts about records in a file of this path.
    fn doubts(path: &str, records: &[&str]) -> Vec<(String, u64)> {
        let mut doubts = Doubts::about(Path::new(path));
        for object in records {
            let (mut record, notes) = record::parse(object.as_bytes()).unwrap();
            doubts.take(&mut record, &notes);
        }
        let doubts = doubts.finish().0;
        doubts.into_iter().map(|Doubt { what, records }| (what, records)).collect()
    }

    #[test]
    fn ignored_name_is_doubtful_where_the_field_has_no_value() {
        let records = [
            r#"{"id":1,"username":"x"}"#,
            r#"{"id":1,"username":"x","user_name":""}"#,
            r#"{"id":1,"username":"x","user_name":null}"#,
            r#"{"id":1,"username":"x","user_name":"y"}"#,
            r#"{"id":1,"tags":"x"}"#,
        ];
        let expected = ("`username` is ignored, and `user_name` is missing".to_owned(), 3);
        assert_eq!(doubts("a.json", &records), [expected]);
        let records = [r#"{"id":0,"_id":"x"}"#, r#"{"id":null,"_id":"x"}"#];
        let expected = ("`_id` is ignored, and `id` is missing".to_owned(), 1);
        assert_eq!(doubts("a.json", &records), [expected]);
    }

    #[test]
    fn field_inside_of_an_ignored_object_is_doubtful() {
        let records = [
            r#"{"id":1,"email":"","name":{"first_name":"x","id":2}}"#,
            r#"{"id":1,"name":[{"first_name":"x"}]}"#,
            r#"{"id":1,"name":{"first_name":"x"},"first_name":"y"}"#,
        ];
        let expected = ("`first_name` is only inside of `name`, which is ignored,".to_owned(), 1);
        assert_eq!(doubts("a.json", &records), [expected]);
    }

    #[test]
    fn placeholder_is_doubtful_as_the_whole_text() {
        let records = [r#"{"country":"NA","agent":"NA-1"}"#, r#"{"country":"NA","agent":"na"}"#];
        let expected = ("`country` is the text `NA` rather than missing".to_owned(), 2);
        assert_eq!(doubts("a.json", &records), [expected]);
    }

    #[test]
    fn folder_with_a_field_is_doubtful_where_the_field_is_lacking() {
        let records = [r#"{"id":1,"country":"DE"}"#, r#"{"id":1}"#];
        let expected = ("the folder `country=DE` gives `country`, which is missing".to_owned(), 1);
        assert_eq!(doubts("a/country=DE/year=2020/id=7.json", &records), [expected]);
    }

    #[test]
    fn ignored_names_are_counted() {
        let mut doubts = Doubts::about(Path::new("a.json"));
        for object in [r#"{"id":1,"a":1,"b":2}"#, r#"{"id":1,"a":1}"#] {
            let (mut record, notes) = record::parse(object.as_bytes()).unwrap();
            doubts.take(&mut record, &notes);
        }
        assert_eq!(doubts.finish().1, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }
}
