//! `roll show`, `roll download`.

use std::fs;
use std::path::Path;

use muster_proto::v1::{RollEntry, RollManifest};
use prost_types::Timestamp;
use tempfile::TempDir;

use crate::double::Double;
use crate::double::roll::Canned;
use crate::{Finished, enter, printed, refused};

const ROLL: &str = "[\n{\"id\":1}\n]\n";
const SHA256: &str = "13de62fe76012600edae62eacef873f412ae6d1ed8fb374297c5d8164c2ab54b";

pub(crate) fn canned() -> Canned {
    let entry =
        RollEntry { batch: "b-1".to_owned(), records: 1, dead: 2, sha256: "5ha".to_owned() };
    let manifest = RollManifest {
        records: 1,
        batches: 1,
        dead: 2,
        bytes: ROLL.len() as u64,
        sha256: SHA256.to_owned(),
        written_at: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        recent: vec![entry],
    };
    Canned { content: ROLL, manifest, breaks_off: false }
}

/// Downloads into a folder that has an older roll; says what is in the folder then.
fn download(canned: Canned) -> (Finished, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    fs::write(&path, "older").unwrap();
    let mut finished =
        enter(&Double::start().with_roll(canned), &format!("roll download {}", path.display()));
    finished.stdout = finished.stdout.replace(path.to_str().unwrap(), "users.json");
    (finished, content(&folder))
}

fn content(folder: &TempDir) -> Vec<(String, String)> {
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.map(|path| (name(&path), fs::read_to_string(path).unwrap())).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn is_untouched(files: &[(String, String)]) -> bool {
    files == [("users.json".to_owned(), "older".to_owned())]
}

#[test]
fn show_shows_the_manifest() {
    let double = Double::start().with_roll(canned());
    insta::assert_snapshot!(printed(&double, "roll show"), @r"
    in roll   1 record, 2 dead letters
    batches   1
    size      13 B (13 bytes)
    written   2023-11-14T22:13:20.000Z
    sha256    13de62fe76012600edae62eacef873f412ae6d1ed8fb374297c5d8164c2ab54b

    batch  records  dead  sha256
    b-1    1        2     5ha
    ");
    insta::assert_snapshot!(printed(&double, "roll show --json"), @r#"
    {"records":1,"batches":1,"dead":2,"bytes":13,"sha256":"13de62fe76012600edae62eacef873f412ae6d1ed8fb374297c5d8164c2ab54b","written_at":"2023-11-14T22:13:20.000Z","recent":[{"batch":"b-1","records":1,"dead":2,"sha256":"5ha"}]}
    "#);
}

#[test]
fn a_roll_that_is_not_written_yet_is_missed() {
    for line in ["roll show", "roll download -"] {
        let message = refused(&Double::start(), line, 1);
        assert!(message.contains("has no roll yet: it is written when"), "{message}");
    }
}

#[test]
fn a_roll_that_is_whole_takes_the_place_of_the_older_one() {
    let (finished, files) = download(canned());
    assert_eq!(finished.code, 0, "{finished:?}");
    insta::assert_snapshot!(finished.stdout, @r"
    written   13 bytes to users.json
    sha256    13de62fe76012600edae62eacef873f412ae6d1ed8fb374297c5d8164c2ab54b
    ");
    let [(roll, content), (manifest, described)] = &files[..] else { panic!("{files:?}") };
    assert_eq!((roll.as_str(), content.as_str()), ("users.json", ROLL));
    assert_eq!(manifest, "users.manifest.json");
    insta::assert_snapshot!(described, @r#"
    {
      "format": 0,
      "id": "",
      "records": 1,
      "batches": 1,
      "dead": 2,
      "bytes": 13,
      "sha256": "13de62fe76012600edae62eacef873f412ae6d1ed8fb374297c5d8164c2ab54b",
      "resume": null,
      "known_to_store": false,
      "recent": []
    }
    "#);
}

#[test]
fn a_roll_that_is_not_what_was_said_is_left_out() {
    let mut short = canned();
    short.manifest.bytes += 1;
    let mut other = canned();
    other.manifest.sha256 = "5ha".to_owned();
    for (canned, said) in [(short, "not 14 bytes"), (other, "with 5ha")] {
        let (finished, files) = download(canned);
        assert_eq!((finished.code, finished.stdout.as_str()), (1, ""));
        assert!(finished.stderr.contains("is not the roll"), "{}", finished.stderr);
        assert!(finished.stderr.contains(said), "{}", finished.stderr);
        assert!(is_untouched(&files), "{files:?}");
    }
}

#[test]
fn a_download_that_breaks_off_leaves_nothing() {
    let (finished, files) = download(Canned { breaks_off: true, ..canned() });
    assert_eq!((finished.code, finished.stdout.as_str()), (1, ""));
    assert!(finished.stderr.contains("the disk is gone (Unavailable)"), "{}", finished.stderr);
    assert!(is_untouched(&files), "{files:?}");
}

#[test]
fn a_roll_goes_to_standard_output_as_it_is() {
    let double = Double::start().with_roll(canned());
    assert_eq!(printed(&double, "roll download -"), ROLL);
    assert_eq!(printed(&double, "roll download"), ROLL);
    assert!(refused(&double, "roll download --json", 2).contains("<FILE>"));
    assert!(refused(&double, "roll download - --json", 2).contains("--json needs a FILE"));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let message = refused(&Double::start(), "roll download nowhere/users.json", 2);
    assert!(message.contains("nowhere/users.json cannot be written: "), "{message}");
}
