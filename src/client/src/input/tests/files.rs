//! Reading real files, one after the other.

use std::fs;

use tempfile::TempDir;

use super::super::{Item, Reader, Sources};
use super::all;

#[test]
fn files_are_read_in_order_and_counted_one_by_one() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("10.json"), r#"[{"id":3,"x":0,"y":0}"#).unwrap();
    fs::write(folder.path().join("2.json"), "{\"id\":1}\n5\n{\"id\":2}\n").unwrap();
    fs::write(folder.path().join("1.json"), "").unwrap();

    let mut reader = Reader::new(Sources::from_arguments(&[folder.path()], false).unwrap(), None);
    let prefix = format!("{}/", folder.path().display());
    let items = all(&mut reader, |item| match item {
        Item::Record { record, .. } => record.id.to_string(),
        Item::Rejected(rejection) => rejection.to_string().replace(&prefix, ""),
        Item::Note(note) => note.to_string().replace(&prefix, ""),
    });

    assert_eq!(
        items,
        [
            "1.json:1: note: this file is empty",
            "1",
            "2.json:2 (record 2): expected an object, found the number 5",
            "2",
            "3",
            "10.json:1 (record 1): the file ends before the array's closing ]",
        ]
    );
    let counts: Vec<_> = reader
        .counts()
        .iter()
        .map(|counts| {
            let name = counts.source.to_string().replace(&prefix, "");
            (name, counts.records, counts.rejected, counts.bytes)
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("1.json".to_owned(), 0, 0, 0),
            ("2.json".to_owned(), 2, 1, 20),
            ("10.json".to_owned(), 1, 1, 21),
        ]
    );
    let source_of =
        |place| reader.source_of(place).map(|source| source.to_string().replace(&prefix, ""));
    assert_eq!(source_of(0).as_deref(), Some("2.json"));
    assert_eq!(source_of(1).as_deref(), Some("2.json"));
    assert_eq!(source_of(2).as_deref(), Some("10.json"));
    assert_eq!(source_of(3), None);
}

#[test]
fn a_file_that_goes_away_costs_itself_alone() {
    let folder = TempDir::new().unwrap();
    let paths = ["1.json", "2.json"].map(|name| folder.path().join(name));
    for path in &paths {
        fs::write(path, r#"{"id":7}"#).unwrap();
    }
    let sources = Sources::from_arguments(&paths, false).unwrap();
    fs::remove_file(&paths[0]).unwrap();

    let mut reader = Reader::new(sources, None);

    let Some(Item::Rejected(rejection)) = reader.next_item() else { panic!("the file is gone") };
    let said = format!("{}:1 (record 1): cannot read on: No such file", paths[0].display());
    assert!(rejection.to_string().starts_with(&said), "{rejection}");
    assert!(matches!(reader.next_item(), Some(Item::Record { record, .. }) if record.id == 7));
    assert!(reader.next_item().is_none());
}
