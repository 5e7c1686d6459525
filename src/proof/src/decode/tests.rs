use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

/// What a file with this content is decoded to.
fn decoded(content: &[u8]) -> Result<Vec<u8>, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let mut text = Vec::new();
    let read = open(file.path()).and_then(|mut decoded| decoded.read_to_end(&mut text));
    read.map(|_| text).map_err(|error| error.to_string())
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

fn skippable(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_le_bytes();
    [&[0x5a, 0x2a, 0x4d, 0x18], &len[..], content].concat()
}

fn utf16(text: &str) -> [Vec<u8>; 2] {
    let text = format!("\u{feff}{text}");
    let little = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [little, big]
}

#[test]
fn compressed_files_are_decoded_whatever_their_parts() {
    let long = b"0123456789".repeat(100_000);
    for (content, expected) in [
        (b"plain".to_vec(), &b"plain"[..]),
        (vec![], b""),
        (vec![0x1f], &[0x1f]),
        (b"\xef\xbb\xbfa\xff".to_vec(), b"\xef\xbb\xbfa\xff"),
        (gzip(b"one"), b"one"),
        (gzip(&long), &long),
        ([gzip(b"one"), gzip(b""), gzip(b"two")].concat(), b"onetwo"),
        ([gzip(b"one"), vec![0; 100]].concat(), b"one"),
        (zstd(b"one"), b"one"),
        (zstd(&long), &long),
        ([zstd(b"one"), skippable(b"junk"), zstd(b"two")].concat(), b"onetwo"),
        ([skippable(&long), skippable(b""), zstd(b"two")].concat(), b"two"),
        (skippable(b"junk"), b""),
        (gzip(&gzip(b"one")), &gzip(b"one")),
        (zstd(&gzip(b"one")), &gzip(b"one")),
    ] {
        assert!(decoded(&content).unwrap() == expected, "{:?}", &content[..content.len().min(40)]);
    }
}

#[test]
fn damaged_compressed_files_cannot_be_read_on() {
    let mut wrong = zstd(b"one");
    *wrong.last_mut().unwrap() ^= 1;
    for content in [
        [&gzip(b"one")[..], b"x"].concat(),
        [&gzip(b"one")[..], b"more than a header of ten bytes"].concat(),
        [&gzip(b"one")[..], b"\0", &gzip(b"two")].concat(),
        gzip(b"one")[..15].to_vec(),
        [&zstd(b"one")[..], b"x"].concat(),
        [&zstd(b"one")[..], b"more"].concat(),
        zstd(b"one")[..8].to_vec(),
        skippable(b"junk")[..10].to_vec(),
        skippable(b"junk")[..6].to_vec(),
        wrong,
    ] {
        assert!(decoded(&content).is_err(), "{content:?}");
    }
}

#[test]
fn damaged_gzip_gives_what_it_has_before_the_error() {
    // A block that is stored, and one of a reserved type.
    let damaged = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0\x03\0\xfc\xffone\x07";
    let file = tempfile::NamedTempFile::new().unwrap();
    for (content, text) in [(&damaged[..], &b"one"[..]), (&gzip(b"one")[..14], b"one")] {
        std::fs::write(file.path(), content).unwrap();
        let mut decoded = Vec::new();
        assert!(open(file.path()).unwrap().read_to_end(&mut decoded).is_err());
        assert_eq!(decoded, text);
    }
}

#[test]
fn utf_16_becomes_utf_8_inside_of_compressed_files_too() {
    for content in utf16("{\"é\":\"\u{1f600}\"}\n") {
        for content in [content.clone(), gzip(&content), zstd(&content)] {
            let text = String::from_utf8(decoded(&content).unwrap()).unwrap();
            assert_eq!(text, "{\"é\":\"\u{1f600}\"}\n");
        }
    }
    let lone = [0xff, 0xfe, b'a', 0, 0x00, 0xd8, b'b', 0, b'c'];
    assert_eq!(decoded(&lone).unwrap(), "a\u{fffd}b\u{fffd}".as_bytes());
}
