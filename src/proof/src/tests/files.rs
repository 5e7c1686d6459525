use super::*;

fn options(pointer: Option<&str>) -> Options {
    let pointer = pointer.map(|pointer| pointer.parse().unwrap());
    Options { recursive: false, pointer }
}

#[test]
fn records_come_with_their_file_and_line_and_are_counted_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("2.json", "[{\"id\":1},\n{\"id\":\"x\"},\n{\"id\":3,\"emial\":\"x\"}]");
    put("10.ndjson", "{\"id\":4,\"email\":\"A\"}\n");
    put("11.csv", "id,email,tags\n5,b,c\n6,b\n");
    put("notes.txt", "");
    let inputs = Inputs::from_arguments(&[folder.path().into()], &[], options(None)).unwrap();
    assert_eq!(inputs.skipped(), [folder.path().join("notes.txt")]);
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let files = inputs.read(
        |record, place| found.push(format!("{place} {}{}", record.id, record.email)),
        |stretch| unread.push(stretch.to_string()),
    );
    let path = format!("{}/", folder.path().display());
    let short = |lines: Vec<String>| lines.into_iter().map(|line| line.replace(&path, ""));
    let expected = ["2.json:1 1", "2.json:3 3", "10.ndjson:1 4A", "11.csv:2 5b"];
    assert_eq!(short(found).collect::<Vec<_>>(), expected);
    let expected = [
        "2.json:2: 10 bytes: `id` is not a whole number from \
            -2147483648 to 2147483647",
        "11.csv:3: 3 bytes: the number of its cells is 2, but that \
            of the header is 3",
    ];
    assert_eq!(short(unread).collect::<Vec<_>>(), expected);
    let files = files.unwrap();
    let counts = files.iter().map(|file| (file.records, file.unread, file.unread_bytes));
    assert_eq!(counts.collect::<Vec<_>>(), [(2, 1, 10), (1, 0, 0), (1, 1, 3)]);
    let what = "`emial` is ignored, and `email` is missing".to_owned();
    assert_eq!(files[0].doubts, [Doubt { what, records: 1 }]);
    assert_eq!(files[2].ignored, [("tags".to_owned(), 1)]);
    let ids = inputs.records().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(ids, [1, 3, 4, 5]);
}

#[test]
fn pointer_is_for_json_and_not_for_tables() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("1.json", "{\"data\":[{\"id\":1}]}");
    put("2.csv", "id\n2\n");
    let options = options(Some("/data/*"));
    let inputs = Inputs::from_arguments(&[folder.path().into()], &[], options).unwrap();
    assert_eq!(inputs.records().map(|record| record.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn roll_among_the_inputs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("all_users.json");
    std::fs::write(&roll, "[]").unwrap();
    let inputs = |outputs: &[PathBuf]| {
        Inputs::from_arguments(&[folder.path().into()], outputs, options(None))
    };
    let error = inputs(&[folder.path().join("x.json"), roll]).err().unwrap().to_string();
    assert!(error.contains("is both input and roll"), "{error}");
    assert!(inputs(&[folder.path().join("x.json")]).is_ok());
}

/// What comes out of a file: the ids of its records, and what is unread; and what is told of it.
fn read(path: &Path) -> (Vec<i32>, Vec<String>, InputFile) {
    let inputs = Inputs::from_arguments(&[path.into()], &[], options(None)).unwrap();
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let short = |stretch: Unread| stretch.to_string().replace(&format!("{}:", path.display()), "");
    let files = inputs.read(|record, _| found.push(record.id), |piece| unread.push(short(piece)));
    assert_eq!(inputs.records().map(|record| record.id).collect::<Vec<_>>(), found);
    (found, unread, files.unwrap().remove(0))
}

#[test]
fn file_that_cannot_be_decoded_to_its_end_has_what_stands_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.json.gz");
    // The text is in the file as it is.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    io::Write::write_all(&mut encoder, b"[{\"id\":1},\n{\"id\":2},\n{\"id\":3}]\n").unwrap();
    let content = encoder.finish().unwrap();

    let third = content.windows(7).position(|bytes| bytes == b"{\"id\":3").unwrap();
    std::fs::write(&path, &content[..third + 7]).unwrap();
    let (found, unread, file) = read(&path);
    assert_eq!(found, [1, 2]);
    let error = "3: cannot be read on: the gzip data is cut off";
    assert_eq!(unread, ["3: 7 bytes: the file ends inside this record", error]);
    assert_eq!((file.records, file.unread, file.unread_bytes), (2, 2, 7));

    std::fs::write(&path, [&content[..], b"x"].concat()).unwrap();
    let (found, unread, file) = read(&path);
    assert_eq!(found, [1, 2, 3]);
    assert_eq!(unread, ["4: cannot be read on: something else follows the gzip data"]);
    assert_eq!((file.records, file.unread, file.unread_bytes), (3, 1, 0));

    std::fs::write(&path, &content[..5]).unwrap();
    let (found, unread, _) = read(&path);
    assert!(found.is_empty());
    assert_eq!(unread, ["1: cannot be read on: the gzip data is cut off"]);
}

#[test]
fn file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.json");
    std::fs::write(&path, "{\"id\":1}").unwrap();
    let inputs = Inputs::from_arguments(&[path.clone().into()], &[], options(None)).unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = inputs.read(|_, _| (), |_| ()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{} cannot be read: ", path.display())), "{error}");
    assert_eq!(inputs.records().count(), 0);
}
