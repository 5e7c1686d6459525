use tempfile::TempDir;

use super::*;

const UNREADABLE: &str = "cannot be read: check that it is a file or a folder that you may read";

/// A folder with these files, each with 3 bytes in it.
fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "[ ]").unwrap();
    }
    folder
}

fn names(sources: &Sources, folder: &TempDir) -> Vec<String> {
    sources.list.iter().map(|source| relative(source, folder)).collect()
}

/// The text, with paths in the folder made relative to it.
fn relative(text: &impl ToString, folder: &TempDir) -> String {
    text.to_string().replace(&format!("{}/", folder.path().display()), "")
}

fn error(argument: &Path) -> String {
    Sources::from_arguments(&[argument], false).unwrap_err().to_string()
}

#[test]
fn folder_stands_for_its_record_files_in_natural_order() {
    let folder = folder(&[
        "10.json",
        "2.json",
        "1.ndjson",
        "x.jsonl",
        "Y.JSON",
        "a.csv",
        "b.tsv.gz",
        "c.Json.GZIP",
        "d.ndjson.zst",
        "e.csv.zstd",
        ".3.json",
        "notes.txt",
        "f.gz",
        "g.json.bz2",
        "json",
        "4.json/5.json",
    ]);

    let sources = Sources::from_arguments(&[folder.path()], false).unwrap();

    assert_eq!(
        names(&sources, &folder),
        [
            "1.ndjson",
            "2.json",
            "10.json",
            "Y.JSON",
            "a.csv",
            "b.tsv.gz",
            "c.Json.GZIP",
            "d.ndjson.zst",
            "e.csv.zstd",
            "x.jsonl"
        ]
    );
    assert_eq!(sources.bytes, Some(30));
}

#[test]
fn recursive_folder_stands_for_its_folders_too_in_natural_order() {
    let folder = folder(&[
        "10.json",
        "2/b.json",
        "2/a/10.json",
        "2/a/9.json",
        "1.json",
        "3.json",
        "empty/notes.txt",
        ".git/x.json",
        "20.json/y.json",
    ]);
    let sources = Sources::from_arguments(&[folder.path()], true).unwrap();
    assert_eq!(
        names(&sources, &folder),
        ["1.json", "2/a/9.json", "2/a/10.json", "2/b.json", "3.json", "10.json", "20.json/y.json"]
    );
    assert_eq!(
        relative(&sources.skipped, &folder),
        ": 2 entries were skipped: .git (hidden), empty/notes.txt"
    );
}

#[test]
fn skipped_entries_are_listed_in_one_line() {
    let folder = folder(&["1.json", "sub/2.json", "part-00000", "notes.txt"]);
    let path = folder.path().display();
    let sources = Sources::from_arguments(&[folder.path()], false).unwrap();
    assert_eq!(
        sources.skipped.to_string(),
        format!(
            "{path}/: 3 entries were skipped: notes.txt, part-00000, \
             sub (a folder: use --recursive)"
        )
    );
    assert_eq!(sources.skipped.count(), 3);

    let sources = Sources::from_arguments(&[folder.path()], true).unwrap();
    assert_eq!(
        sources.skipped.to_string(),
        format!("{path}/: 2 entries were skipped: notes.txt, part-00000")
    );
    let file = folder.path().join("1.json");
    let sources = Sources::from_arguments(&[file, folder.path().join("sub")], false).unwrap();
    assert_eq!(sources.skipped, Skipped::default());
}

#[test]
fn skipped_entries_of_several_folders_are_listed_with_their_paths() {
    let folder = folder(&["a/1.json", "a/x", "b/1.json", "b/.y", "c/1.json"]);
    let arguments = ["a", "b", "c"].map(|name| folder.path().join(name));
    let sources = Sources::from_arguments(&arguments, false).unwrap();
    assert_eq!(relative(&sources.skipped, &folder), "2 entries were skipped: a/x, b/.y (hidden)");
    let sources = Sources::from_arguments(&arguments[1..], false).unwrap();
    assert_eq!(relative(&sources.skipped, &folder), "b/: 1 entry was skipped: .y (hidden)");
}

#[test]
fn skipped_entries_are_counted_and_only_the_first_are_kept() {
    let names: Vec<String> = (0..50).map(|n| format!("part-{n}")).collect();
    let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    fs::write(folder.path().join("1.json"), "").unwrap();
    let again = [folder.path(), folder.path()];
    let Sources { skipped, .. } = Sources::from_arguments(&again, false).unwrap();
    assert_eq!((skipped.count(), skipped.paths().count()), (100, 20));
    let line = skipped.to_string();
    assert!(line.ends_with("part-18, part-19 and 80 more"), "{line}");
}

#[test]
fn named_files_keep_their_order_whatever_their_ending() {
    let folder = folder(&["notes.txt", ".3.json"]);
    let arguments = ["notes.txt", ".3.json", "notes.txt"].map(|name| folder.path().join(name));

    let sources = Sources::from_arguments(&arguments, false).unwrap();

    assert_eq!(names(&sources, &folder), ["notes.txt", ".3.json", "notes.txt"]);
}

#[test]
fn standard_input_is_read_at_most_once_and_has_no_size() {
    let folder = folder(&["1.json"]);
    let file = folder.path().join("1.json");

    let sources = Sources::from_arguments(&[Path::new("-"), &file], false).unwrap();
    assert_eq!(names(&sources, &folder), ["standard input", "1.json"]);
    assert_eq!(sources.bytes, None);

    let twice = Sources::from_arguments(&["-", "-"], false).unwrap_err();
    assert_eq!(twice.to_string(), "- (standard input) is given twice: give it once");
}

#[test]
fn missing_file_is_named() {
    let folder = folder(&[]);
    let path = folder.path().join("7.json");
    assert_eq!(
        error(&path),
        format!("{} does not exist: check the path, or use - for standard input", path.display())
    );
}

#[test]
fn folder_without_records_is_refused_with_what_it_contains() {
    let said = |folder: &TempDir, recursive| {
        let refused = Sources::from_arguments(&[folder.path()], recursive).unwrap_err();
        refused.to_string().replace(&folder.path().display().to_string(), "users")
    };
    let beginning = "users has no *.json, *.ndjson, *.jsonl, *.csv or *.tsv files, \
                     also none that are compressed (*.gz, *.zst)";
    assert_eq!(said(&folder(&[]), false), format!("{beginning}: it is empty"));
    let parts = folder(&["part-00000", ".hidden", "sub/1.json"]);
    assert_eq!(
        said(&parts, false),
        format!(
            "{beginning}, but it contains .hidden (hidden), part-00000, \
             sub (a folder: use --recursive): name the files themselves if they have records"
        )
    );
    let parts = folder(&["sub/part-00000"]);
    assert_eq!(
        said(&parts, true),
        format!(
            "{beginning}, but it contains sub/part-00000: \
             name the files themselves if they have records"
        )
    );
}

#[test]
fn file_of_another_type_is_refused_by_name() {
    let folder = folder(&[]);
    let path = folder.path().join("users.json");
    fs::write(&path, b"SQLite format 3\0\x10\0").unwrap();
    let shown = path.display();
    let Err(SourceError::Unsupported { file_type, compression: None, .. }) =
        Sources::from_arguments(&[&path], false)
    else {
        panic!("the file is refused");
    };
    assert_eq!(file_type, FileType::Sqlite);
    assert_eq!(
        error(&path),
        format!(
            "{shown} is an SQLite database, which Muster does not read: export the table, \
             for example with: sqlite3 -json {shown} 'SELECT * FROM users' > users.json"
        )
    );
}

#[test]
fn table_without_a_known_column_is_refused() {
    let folder = folder(&[]);
    let path = folder.path().join("users.csv");
    fs::write(&path, "name,mail\na,b\n").unwrap();
    let said = error(&path);
    let path = path.display();
    let beginning = format!("{path} has no known column in the header: found name, mail; expected");
    assert!(said.starts_with(&beginning), "{said}");
}

#[test]
fn table_with_a_column_twice_is_refused() {
    let folder = folder(&[]);
    let path = folder.path().join("users.txt");
    for (header, said) in [
        ("id,email,email", "the column `email` twice: remove or rename one"),
        (
            "userName;id;\"user_name\"",
            "the columns `userName` and `user_name`, which are the same field: remove one",
        ),
    ] {
        fs::write(&path, format!("{header}\n1,a,b\n")).unwrap();
        assert_eq!(error(&path), format!("{} has {said}", path.display()));
    }
}

#[test]
fn file_that_can_never_be_decompressed_is_refused_and_a_damaged_one_is_read() {
    let folder = folder(&[]);
    let path = folder.path().join("users.zst");
    fs::write(&path, b"\x28\xb5\x2f\xfd\0\xa8\x01\0\0").unwrap();
    let said = error(&path);
    let beginning = format!("{} cannot be decompressed: the zstd data needs", path.display());
    assert!(said.starts_with(&beginning), "{said}");

    fs::write(&path, b"\x28\xb5\x2f\xfd\0").unwrap();
    let sources = Sources::from_arguments(&[&path], false).unwrap();
    assert_eq!(sources.bytes, Some(5));
    let said = sources.list[0].open().unwrap_err().to_string();
    assert_eq!(said, "the zstd data ends early");
}

#[test]
fn source_is_opened_by_its_content_and_name() {
    use crate::input::content::Format;

    let folder = folder(&["1.json", "2.csv"]);
    fs::write(folder.path().join("2.csv"), "\u{feff}email\na\n").unwrap();
    let sources = Sources::from_arguments(&[folder.path()], false).unwrap();
    let formats = sources.list.iter().map(|source| source.open().unwrap().format);
    let table = Format::Table { delimiter: b',' };
    assert_eq!(formats.collect::<Vec<_>>(), [Format::Json, table]);
}

#[cfg(unix)]
#[test]
fn path_that_leads_nowhere_is_named() {
    let folder = folder(&[]);
    let path = folder.path().join("loop.json");
    std::os::unix::fs::symlink(&path, &path).unwrap();

    assert_eq!(error(&path), format!("{} {UNREADABLE}", path.display()));
    assert_eq!(error(folder.path()), format!("{} {UNREADABLE}", path.display()));
}

#[cfg(unix)]
#[test]
fn link_to_a_file_is_followed_and_one_to_a_folder_only_as_an_argument() {
    use std::os::unix::fs::symlink;

    let folder = folder(&["in/1.json", "other/2.json"]);
    let inner = folder.path().join("in");
    symlink(folder.path().join("other"), inner.join("link")).unwrap();
    symlink(&inner, inner.join("round")).unwrap();
    symlink(folder.path().join("other/2.json"), inner.join("2.json")).unwrap();
    symlink(&inner, folder.path().join("argument")).unwrap();

    let argument = folder.path().join("argument");
    let sources = Sources::from_arguments(&[argument], true).unwrap();
    assert_eq!(names(&sources, &folder), ["argument/1.json", "argument/2.json"]);
    let link = "a link to a folder: name it to follow it";
    assert_eq!(
        relative(&sources.skipped, &folder),
        format!("argument/: 2 entries were skipped: link ({link}), round ({link})")
    );
}

#[cfg(unix)]
#[test]
fn what_is_not_a_plain_file_has_no_size() {
    let sources = Sources::from_arguments(&["/dev/null"], false).unwrap();
    assert_eq!(sources.bytes, None);
}
