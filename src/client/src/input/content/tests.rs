use proptest::prelude::*;

use super::*;

const JSON: Content = Content::Plain(Ok(Format::Json));

fn table(delimiter: u8) -> Content {
    Content::Plain(Ok(Format::Table { delimiter }))
}

fn refused(file_type: FileType) -> Content {
    Content::Plain(Err(Refusal::FileType(file_type)))
}

/// What a whole stream is.
fn whole(bytes: impl AsRef<[u8]>) -> Content {
    named(bytes, Named::Other)
}

fn named(bytes: impl AsRef<[u8]>, named: Named) -> Content {
    recognise(Head { bytes: bytes.as_ref(), ended: true }, named).unwrap()
}

/// What a stream is that begins so, if that can be told already.
fn beginning(bytes: impl AsRef<[u8]>) -> Option<Content> {
    recognise(Head { bytes: bytes.as_ref(), ended: false }, Named::Other)
}

/// An archive of `users.json`, as far as the signature.
fn tar() -> Vec<u8> {
    let mut head = b"users.json".to_vec();
    head.resize(100, 0);
    head.extend(b"0000644\x000001750\x000001750\x0000000000017\x0014726543210\x00012345\x00 0");
    head.resize(257, 0);
    head.extend(b"ustar\x0000");
    head
}

/// A zip archive with a first file of this name.
fn zip(name: &[u8]) -> Vec<u8> {
    let mut head = b"PK\x03\x04\x14\0\0\0\x08\0\x21\x5a\x21\x5a".to_vec();
    head.resize(26, 7);
    head.extend([u8::try_from(name.len()).unwrap(), 0, 0, 0]);
    head.extend(name);
    head
}

#[test]
fn binary_file_is_recognised_by_its_signature() {
    let cases: [(&[u8], FileType); 32] = [
        (b"PAR1\x15\x04\x15\x20\x15", FileType::Parquet),
        (b"ARROW1\0\0\xff\xff\xff\xff", FileType::ArrowFile),
        (b"\xff\xff\xff\xff\x58\x01\0\0\x10\0\0\0", FileType::ArrowStream),
        (b"FEA1\0\0\0\0\0\0\0\0", FileType::Feather1),
        (b"ORC\x0a\x0b\x0a\x03\0\0\0", FileType::Orc),
        (b"Obj\x01\x04\x14avro.codec", FileType::Avro),
        (b"SQLite format 3\0\x10\0\x01\x01", FileType::Sqlite),
        (b"PK\x05\x06\0\0\0\0", FileType::Zip),
        (b"7z\xbc\xaf\x27\x1c\0\x04", FileType::SevenZip),
        (b"\xfd7zXZ\0\0\x04", FileType::Xz),
        (b"BZh91AY&SY\x2f\x9d", FileType::Bzip2),
        (b"BZh11AY&SY\x2f\x9d", FileType::Bzip2),
        (b"BZh9\x17\x72\x45\x38\x50\x90\0\0", FileType::Bzip2),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", FileType::Lz4),
        (b"\x02\x21\x4c\x18\x10\0\0\0", FileType::Lz4),
        (b"\xff\x06\0\0sNaPpY\x01", FileType::Snappy),
        (b"\x1f\x9d\x90\x7b", FileType::Compress),
        (b"\x80\x02}q\0", FileType::Pickle),
        (b"\x80\x03]q\0", FileType::Pickle),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0", FileType::Pickle),
        (b"\x80\x05\x95\x10\0\0\0\0\0\0\0", FileType::Pickle),
        (b"\x93NUMPY\x01\0v\0{'descr'", FileType::Numpy),
        (b"PGDMP\x01\x0e\0\x04", FileType::PostgresDump),
        (b"bplist00\xd2\x01\x02", FileType::BinaryPropertyList),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", FileType::Excel97),
        (b"\xff\xfe\0\0[\0\0\0", FileType::Utf32),
        (b"\0\0\xfe\xff\0\0\0[", FileType::Utf32),
        (b"\x22\x01\0\0\x07_id\0\x66\x77", FileType::Bson),
        (b"\x7b\x01\0\0\x02email\0\x09\0\0\0", FileType::Bson),
        (&tar(), FileType::Tar),
        (&zip(b"users.json"), FileType::Zip),
        (&zip(b"[Content_Types].xml"), FileType::Spreadsheet),
    ];
    for (bytes, file_type) in cases {
        assert_eq!(whole(bytes), refused(file_type), "{file_type:?}");
    }
    for first in [b"xl/workbook.xml".as_slice(), b"docProps/app.xml", b"_rels/.rels"] {
        assert_eq!(whole(zip(first)), refused(FileType::Spreadsheet));
    }
    let ods = zip(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet");
    assert_eq!(whole(ods), refused(FileType::Spreadsheet));
}

#[test]
fn text_that_begins_with_the_letters_of_a_signature_is_text() {
    for text in ["ORC,email\n", "PAR1,email\n", "FEA1,email\n", "Object,email\n", "BZh9,email"] {
        assert_eq!(whole(text), table(b','), "{text}");
    }
    for text in ["ORC", "PAR1", "PK", "SQLite format", "P", "PGDMP", "\u{1f}"] {
        assert_eq!(whole(text), JSON, "{text}");
    }
    // Neither the length of a document, nor a type, nor the name of a field.
    for bytes in [b"\0\0\0\0\x02email\0", b"\x22\x01\0\0\x22email\0", b"\x22\x01\0\0\x02mails\0"] {
        assert_eq!(whole(bytes), JSON, "{bytes:?}");
    }
    // Not the length of a schema.
    assert_eq!(whole(b"\xff\xff\xff\xff\xff\xff\xff\xff"), JSON);
}

#[test]
fn encodings_are_recognised_by_their_first_bytes() {
    for (bytes, content) in [
        (b"\x1f\x8b\x08\0".as_slice(), Content::Compressed(Compression::Gzip)),
        (b"\x28\xb5\x2f\xfd\x04", Content::Compressed(Compression::Zstd)),
        (b"\x50\x2a\x4d\x18\0\0\0\0", Content::Compressed(Compression::Zstd)),
        (b"\x5b\x2a\x4d\x18\0\0\0\0", Content::Compressed(Compression::Zstd)),
        (b"\x5f\x2a\x4d\x18\0\0\0\0", Content::Compressed(Compression::Zstd)),
        (b"\xff\xfe[\0", Content::Utf16(ByteOrder::Little)),
        (b"\xff\xfe", Content::Utf16(ByteOrder::Little)),
        (b"\xfe\xff\0[", Content::Utf16(ByteOrder::Big)),
    ] {
        assert_eq!(whole(bytes), content, "{bytes:?}");
    }
    assert_eq!(beginning(b"\xff\xfe"), None);
    assert_eq!(beginning(b"\xff\xfe[\0"), Some(Content::Utf16(ByteOrder::Little)));
}

#[test]
fn json_is_recognised_at_its_first_byte() {
    for text in ["{", "[", "\x1e", " \r\n\t{", "\u{feff}[", "\u{feff}\n{", "[*"] {
        assert_eq!(beginning(text), Some(JSON), "{text:?}");
    }
    for text in ["", " ", "\u{feff}", "\n\n"] {
        assert_eq!(beginning(text), None, "{text:?}");
        assert_eq!(whole(text), JSON, "{text:?}");
    }
}

#[test]
fn text_before_the_first_bracket_is_json() {
    for text in [
        "users: {",
        "HTTP/1.1 200 OK\nContent-Type: application/json\n\n[",
        "\"id\": 1, \"email\": \"a@b.c\"}\n{",
        "# comment\n{\"id\": 1}",
        "-- comment\n{\"id\": 1}",
        "----+----\n{\"id\": 1}",
        "copy of the users, from stdin\n[",
        "var users = [{\"id\": 1}]",
        "users:\n[",
    ] {
        assert_eq!(whole(text), JSON, "{text}");
    }
    assert_eq!(beginning("users"), None);
    assert_eq!(beginning("the users\n"), Some(JSON));
    assert_eq!(whole(vec![b'x'; HEAD_BYTES_MAX]), JSON);
    assert_eq!(beginning(vec![b'x'; HEAD_BYTES_MAX]), Some(JSON));
    assert_eq!(beginning(vec![b'x'; HEAD_BYTES_MAX - 1]), None);
}

#[test]
fn table_is_recognised_by_the_names_in_its_header() {
    for (text, delimiter) in [
        ("id,user_name\n1,a\n", b','),
        ("id\tuser_name\r\n", b'\t'),
        ("id;user_name", b';'),
        ("\u{feff}id;x\n", b';'),
        ("\n\r\nid,x\n", b','),
        ("\"id\",\"user_name\"\n", b','),
        ("\"x,\"\"y\";id;email\n", b';'),
        (" id , x\n", b','),
        ("userName,x\n", b','),
        ("x,firstName\n", b','),
        // An index without a name comes first.
        ("\tid\temail\n", b'\t'),
        (",id\n", b','),
        // Most names win, then the comma.
        ("id;email;a,gender\n", b';'),
        ("id,x;id\n", b','),
    ] {
        assert_eq!(whole(text), table(delimiter), "{text:?}");
    }
    for text in ["id\n1\n", "Id,Name\n", "id|email\n", "\"id,email\"\n", "mail,name\n"] {
        assert_eq!(whole(text), JSON, "{text:?}");
    }
    assert_eq!(beginning("id,email"), None);
    assert_eq!(beginning("id,email\n"), Some(table(b',')));
}

#[test]
fn name_of_a_table_allows_one_column_and_demands_a_known_one() {
    assert_eq!(named("email\na@b.c\n", Named::Csv), table(b','));
    assert_eq!(named("email\na@b.c\n", Named::Tsv), table(b'\t'));
    assert_eq!(named("email\na@b.c\n", Named::Other), JSON);
    assert_eq!(named("id;email\n", Named::Csv), table(b';'));
    assert_eq!(named("", Named::Csv), JSON);
    assert_eq!(named("[{\"id\": 1}]", Named::Csv), JSON);
    assert_eq!(named("<p>", Named::Csv), refused(FileType::Xml));

    let Content::Plain(Err(Refusal::InvalidHeader(header))) =
        named("\u{feff}Name;\"E-Mail\";Größe\r\nx;y;z\n", Named::Csv)
    else {
        panic!("the header has no known name");
    };
    assert_eq!(
        header.to_string(),
        "no known column in the header: found Name, E-Mail, Größe; expected at least one of \
         id, user_name, email, first_name, last_name, ip_address, gender, country, agent"
    );

    let many = (0..25).map(|n| format!("c{n}")).collect::<Vec<_>>().join("\t");
    let Content::Plain(Err(Refusal::InvalidHeader(header))) = named(many, Named::Tsv) else {
        panic!("the header has no known name");
    };
    assert!(header.to_string().contains(", c19 and 5 more; expected"), "{header}");
}

#[test]
fn name_announces_a_table_in_any_case_and_under_the_ending_of_a_compressed_file() {
    for (path, expected) in [
        ("a.csv", Named::Csv),
        ("a.CSV.Gz", Named::Csv),
        ("b/a.tsv.zst", Named::Tsv),
        ("a.csv.txt", Named::Other),
        ("csv", Named::Other),
        (".csv", Named::Other),
        ("a.gz", Named::Other),
    ] {
        assert_eq!(Named::of(Path::new(path)), expected, "{path}");
    }
}

#[test]
fn markup_yaml_and_sql_are_recognised_by_their_first_lines() {
    for (text, file_type) in [
        ("<?xml version=\"1.0\"?>\n<users>", FileType::Xml),
        ("\u{feff} \n<users><user/>", FileType::Xml),
        ("<!DOCTYPE html>\n", FileType::Html),
        ("<HTML lang=en>", FileType::Html),
        ("---\nusers:\n", FileType::Yaml),
        ("%YAML 1.2\n---\n", FileType::Yaml),
        ("- id: 1\n  email: a@b.c\n", FileType::Yaml),
        ("id: 1\n", FileType::Yaml),
        ("# users\n\nusers:\n  - id: 1\n", FileType::Yaml),
        ("users:\n- email:\n", FileType::Yaml),
        ("-\n  id: 1\n", FileType::Yaml),
        ("-- MySQL dump 10.13  Distrib 8.0.36\n", FileType::Sql),
        ("/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", FileType::Sql),
        ("--\n-- PostgreSQL database dump\n--\n", FileType::Sql),
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", FileType::Sql),
        ("INSERT INTO users VALUES (1,'a');\n", FileType::Sql),
        ("-- users\n\ninsert into users (id, email) values\n", FileType::Sql),
        ("COPY public.users (id, email) FROM stdin;\n1\ta\n", FileType::Sql),
        ("CREATE TABLE users (\n", FileType::Sql),
    ] {
        assert_eq!(whole(text), refused(file_type), "{text}");
    }
    assert_eq!(beginning("<!doc"), None);
    assert_eq!(beginning("<u>"), Some(refused(FileType::Xml)));
    assert_eq!(beginning("--\n"), None);
    assert_eq!(beginning("users:\n"), None);
}

#[test]
fn advice_names_the_file_in_commands_that_need_no_quotes() {
    let advice = |file_type: FileType, path: &str| file_type.advice(Some(Path::new(path)), None);
    assert_eq!(
        advice(FileType::Parquet, "in/users.parquet"),
        "convert it, for example with: duckdb -c \"COPY (FROM \
         read_parquet('in/users.parquet')) TO 'users.ndjson' (FORMAT json)\""
    );
    assert_eq!(
        advice(FileType::Xz, "it's.xz"),
        "decompress it, for example with: xz -dc FILE | muster-client send -"
    );
    assert_eq!(
        FileType::Xz.advice(None, None),
        "decompress it, for example with: xz -dc FILE | muster-client send -"
    );
}

#[test]
fn advice_on_a_file_inside_another_decompresses_first() {
    let advice = |file_type: FileType, path: &str, compression| {
        file_type.advice(Some(Path::new(path)), Some(compression))
    };
    assert_eq!(
        advice(FileType::Tar, "in/users.tar.gz", Compression::Gzip),
        "decompress it with gzip -dc in/users.tar.gz > users.tar, and unpack it, \
         for example with: tar -xOf users.tar | muster-client send -"
    );
    assert_eq!(
        advice(FileType::Tar, "users.tgz", Compression::Gzip),
        "decompress it with gzip -dc users.tgz > OTHER_FILE, and unpack it, \
         for example with: tar -xOf OTHER_FILE | muster-client send -"
    );
    assert_eq!(
        advice(FileType::Gzip, "a.gz.zst", Compression::Zstd),
        "decompress it once, for example with: zstd -dc a.gz.zst | muster-client send -"
    );
}

proptest! {
    #[test]
    fn any_stream_is_recognised_at_its_end(bytes: Vec<u8>, tag in 0..31_usize) {
        let signed = [signature::SIGNATURES[tag].0, &bytes].concat();
        for bytes in [bytes, signed] {
            for name in [Named::Other, Named::Csv, Named::Tsv] {
                let ended = Head { bytes: &bytes, ended: true };
                prop_assert!(recognise(ended, name).is_some());
                prop_assert!(text(ended, name).is_some());
                // More bytes change nothing once it is recognised.
                let open = Head { bytes: &bytes[..bytes.len() / 2], ended: false };
                if let Some(content @ (Content::Compressed(_) | Content::Utf16(_))) =
                    recognise(open, name)
                {
                    prop_assert_eq!(recognise(ended, name), Some(content));
                }
            }
        }
    }

    #[test]
    fn lines_of_words_are_recognised_at_their_end(text in "[-#:a-z \"\n,\t]{0,40}") {
        let ended = Head { bytes: text.as_bytes(), ended: true };
        for name in [Named::Other, Named::Csv] {
            prop_assert!(recognise(ended, name).is_some());
        }
    }
}
