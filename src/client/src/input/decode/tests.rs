use std::collections::VecDeque;
use std::io::{Cursor, Write as _};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use flate2::write::GzEncoder;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const DAMAGED: &str = "the gzip data is damaged; text before this place may be wrong as well";

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    compress_to_vec(bytes.as_ref(), CompressionLevel::Fastest)
}

fn utf16(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(of).collect()
}

fn little(text: &str) -> Vec<u8> {
    utf16(text, u16::to_le_bytes)
}

fn big(text: &str) -> Vec<u8> {
    utf16(text, u16::to_be_bytes)
}

/// Text that compresses badly, of about this many bytes.
fn records(bytes: usize) -> String {
    let mut random = 1_u64;
    let mut text = String::new();
    while text.len() < bytes {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text += &format!("{{\"id\": {}, \"user_name\": \"ü{random:x}\"}}\n", text.len());
    }
    text
}

fn open(bytes: impl Into<Vec<u8>>) -> Result<Opened, OpenError> {
    decode(Cursor::new(bytes.into()), Named::Other)
}

/// All the bytes that can be decoded, and what then went wrong.
fn read(bytes: impl Into<Vec<u8>>) -> (Vec<u8>, Option<String>) {
    let mut decoded = Vec::new();
    let error = match open(bytes) {
        Ok(mut opened) => opened.stream.read_to_end(&mut decoded).err().map(OpenError::from),
        Err(error) => Some(error),
    };
    (decoded, error.map(|error| error.to_string()))
}

fn text_of(bytes: impl Into<Vec<u8>>) -> String {
    let (decoded, error) = read(bytes);
    assert_eq!(error, None);
    String::from_utf8(decoded).unwrap()
}

fn error_of(bytes: impl Into<Vec<u8>>) -> String {
    read(bytes).1.unwrap()
}

#[test]
fn plain_text_is_given_as_it_is() {
    for text in ["", " ", "{}", "\u{feff}[{}]", "id,email\n1,a\n"] {
        assert_eq!(text_of(text), text);
    }
    let text = records(500_000);
    assert_eq!(text_of(&*text), text);
    assert_eq!(read(b"{\xff\xfe}").0, b"{\xff\xfe}");
}

#[test]
fn compressed_text_is_decompressed() {
    let text = records(3_000_000);
    assert_eq!(text_of(gzip(&text)), text);
    assert_eq!(text_of(zstd(&text)), text);
    assert_eq!(text_of(gzip("")), "");
    assert_eq!(text_of(zstd("")), "");
}

#[test]
fn parts_that_follow_each_other_are_one_text() {
    assert_eq!(text_of([gzip("[1,"), gzip(""), gzip("2]")].concat()), "[1,2]");
    let skipped = b"\x5e\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let frames = [skipped.clone(), zstd("[1,"), skipped.clone(), zstd("2]"), skipped].concat();
    assert_eq!(text_of(frames), "[1,2]");
}

#[test]
fn zeros_behind_gzip_are_padding_and_anything_else_is_an_error() {
    let text = "{\"id\": 1}";
    assert_eq!(text_of([gzip(text), vec![0; 100_000]].concat()), text);
    for rest in [b"x".to_vec(), vec![0, 0, 1], [vec![0], gzip(text)].concat()] {
        let (decoded, error) = read([gzip(text), rest].concat());
        assert_eq!(decoded, text.as_bytes());
        assert_eq!(error.unwrap(), "something else follows the gzip data");
    }
    let (decoded, error) = read([zstd(text), b"garbage".to_vec()].concat());
    assert_eq!(decoded, text.as_bytes());
    assert_eq!(error.unwrap(), "something else follows the zstd data");
}

#[test]
fn cut_stream_gives_what_is_before_the_cut_and_then_an_error() {
    let text = records(1_000_000);
    for (whole, name) in [(gzip(&text), "gzip"), (zstd(&text), "zstd")] {
        let said = format!("the {name} data ends early");
        // All but the checksum.
        let (decoded, error) = read(&whole[..whole.len() - 1]);
        assert_eq!(decoded, text.as_bytes(), "{name}");
        assert_eq!(error.unwrap(), said);
        // Half of it, less at most one block.
        let (decoded, error) = read(&whole[..whole.len() / 2]);
        assert!(decoded.len() > text.len() / 2 - 140_000, "{name} {}", decoded.len());
        assert_eq!(decoded, text.as_bytes()[..decoded.len()], "{name}");
        assert_eq!(error.unwrap(), said);
        // In the header.
        let (decoded, error) = read(&whole[..5]);
        assert_eq!(decoded, b"");
        assert_eq!(error.unwrap(), said);
        // In the header of the next part.
        let (decoded, error) = read([&whole, &whole[..3]].concat());
        assert_eq!(decoded, text.as_bytes(), "{name}");
        assert_eq!(error.unwrap(), said);
    }
    let skipped = b"\x50\x2a\x4d\x18\x09\0\0\0abc";
    assert_eq!(error_of(skipped), "the zstd data ends early");
}

#[test]
fn damaged_stream_is_an_error() {
    let text = records(1000);
    let mut gzip = gzip(&text);
    let sum = gzip.len() - 8;
    gzip[sum] ^= 1;
    let (decoded, error) = read(gzip);
    assert_eq!(decoded, text.as_bytes());
    assert_eq!(error.unwrap(), DAMAGED);

    let mut zstd = zstd(&text);
    assert!(zstd[4] & 4 != 0, "the frame has a checksum");
    let sum = zstd.len() - 4;
    zstd[sum] ^= 1;
    let (decoded, error) = read(zstd);
    assert_eq!(decoded, text.as_bytes());
    assert_eq!(error.unwrap(), "the zstd data is damaged: its checksum is another");

    // The method is not deflate; the block is of a reserved type.
    assert_eq!(error_of(b"\x1f\x8b\x07\0\0\0\0\0\0\0"), DAMAGED);
    let reserved = error_of(b"\x28\xb5\x2f\xfd\0\0\x07\0\0");
    assert!(reserved.starts_with("the zstd data is damaged: "), "{reserved}");
}

#[test]
fn what_was_decompressed_before_the_damage_is_given() {
    let text = records(50_000);
    let len = u16::try_from(text.len()).unwrap();
    // A block that is stored, and one of a reserved type.
    let header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0".to_vec();
    let lengths = [len.to_le_bytes(), (!len).to_le_bytes()].concat();
    let (decoded, error) = read([header, lengths, text.clone().into(), vec![7; 100]].concat());
    assert_eq!(decoded, text.as_bytes());
    assert_eq!(error.unwrap(), DAMAGED);
}

#[test]
fn window_that_is_too_large_is_an_error_that_names_the_command() {
    // A frame whose only block has one byte, repeated 6 times.
    let frame = |window| {
        let mut frame = b"\x28\xb5\x2f\xfd\0".to_vec();
        frame.extend([window, 0x33, 0, 0, b' ']);
        frame
    };
    assert_eq!(text_of(frame(17 << 3)), "      ");
    assert_eq!(
        error_of(frame(17 << 3 | 1)),
        "the zstd data needs a window of 144 MiB, more than the 128 MiB that are taken: \
         use zstd -dc --long=28 FILE | muster-client send -"
    );
    let second = [frame(17 << 3), frame(21 << 3)].concat();
    let (decoded, error) = read(second);
    assert_eq!(decoded, b"      ");
    assert!(error.unwrap().contains("a window of 2048 MiB"));
    let single_segment = b"\x28\xb5\x2f\xfd\xe0\0\0\0\0\x01\0\0\0\x01\0\0";
    assert!(error_of(single_segment).contains("--long=32"));
    assert_eq!(
        error_of(b"\x28\xb5\x2f\xfd\x01\0\x07\x01\0\0"),
        "the zstd data needs a dictionary: use zstd -dc -D DICTIONARY FILE | muster-client send -"
    );
}

#[test]
fn block_that_would_take_too_much_memory_is_an_error() {
    // Eight blanks, and a block of 1000 copies of them, each 65539 bytes long.
    let mut frame = b"\x28\xb5\x2f\xfd\0\x38\x40\0\0        ".to_vec();
    let block = [b"\0\x83\xe8\x54\0\0\x34".to_vec(), vec![0; 2000], vec![1]].concat();
    let header = u32::try_from(block.len() << 3).unwrap() | 2 << 1 | 1;
    frame.extend(&header.to_le_bytes()[..3]);
    frame.extend(block);
    let (decoded, error) = read(frame);
    assert!(decoded.len() < 300_000, "{}", decoded.len());
    assert!(error.unwrap().starts_with("the zstd data is damaged: "));
}

#[test]
fn utf16_is_converted_in_both_orders_and_inside_compressed_files() {
    let text = format!("[{{\"user_name\": \"Zoë 🙂\"}}]{}", "🙂".repeat(50_000));
    let marked = format!("\u{feff}{text}");
    for utf16 in [little(&text), big(&text)] {
        assert_eq!(text_of(gzip(&utf16)), marked);
        assert_eq!(text_of(zstd(&utf16)), marked);
        assert_eq!(text_of(utf16), marked);
    }
}

#[test]
fn half_a_character_of_utf16_is_replaced() {
    let lone = |text: &[u16]| text.iter().copied().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let [high, low] = [0xd83d, 0xde42];
    assert_eq!(text_of(lone(&[0xfeff, 0x5b, high, 0x5d, low])), "\u{feff}[\u{fffd}]\u{fffd}");
    assert_eq!(text_of(lone(&[0xfeff, 0x5b, high])), "\u{feff}[\u{fffd}");
    assert_eq!(text_of([little("["), vec![0x5d]].concat()), "\u{feff}[\u{fffd}");
    assert_eq!(text_of([lone(&[0xfeff, high]), vec![0x42]].concat()), "\u{feff}\u{fffd}\u{fffd}");
}

#[test]
fn format_is_that_of_the_decoded_text() {
    let table = Format::Table { delimiter: b'\t' };
    let text = "id\temail\n1\ta@b.c\n";
    for bytes in [text.into(), gzip(text), zstd(text), little(text), gzip(big(text))] {
        assert_eq!(open(bytes).unwrap().format, table);
    }
    assert_eq!(open(gzip("[]")).unwrap().format, Format::Json);
    let named = decode(Cursor::new(gzip("email\n")), Named::Csv).unwrap();
    assert_eq!(named.format, Format::Table { delimiter: b',' });
}

#[test]
fn refused_type_is_recognised_inside_what_is_decoded() {
    let said = "is a Parquet file inside a gzip file, which Muster does not read: decompress it";
    let parquet = b"PAR1\x15\x04\x15\x20";
    let error = error_of(gzip(parquet));
    assert!(error.starts_with(&format!("this {said} with gzip -dc FILE > OTHER_FILE")), "{error}");
    assert!(error_of(zstd(parquet)).starts_with("this is a Parquet file inside a zstd file"));
    assert!(error_of(parquet).starts_with("this is a Parquet file, which Muster does not read"));
    assert!(error_of(little("<users>")).starts_with("this is an XML file, which"));
    assert!(error_of(gzip(big("---\n"))).starts_with("this is a YAML file inside a gzip file"));
    assert_eq!(
        error_of(zstd(gzip("[]"))),
        "this is a gzip file inside a zstd file, which Muster does not read: decompress it once, \
         for example with: zstd -dc FILE | muster-client send -"
    );
    assert!(error_of(gzip(zstd("[]"))).starts_with("this is a zstd file inside a gzip file"));
    assert!(error_of(gzip(gzip("[]"))).starts_with("this is a gzip file inside a gzip file"));
}

#[test]
fn raw_bytes_are_those_of_the_file_itself() {
    let text = records(100_000);
    for bytes in [text.clone().into_bytes(), gzip(&text), zstd(&text)] {
        let len = bytes.len() as u64;
        let mut opened = open(bytes).unwrap();
        io::copy(&mut opened.stream, &mut io::sink()).unwrap();
        assert_eq!(opened.raw_bytes.load(Ordering::Relaxed), len);
    }
}

/// Gives the bytes one at a time, and notes each read of the end.
struct Slow {
    bytes: VecDeque<u8>,
    ends: Arc<AtomicU64>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(byte) = self.bytes.pop_front() else {
            self.ends.fetch_add(1, Ordering::Relaxed);
            return Ok(0);
        };
        buffer[0] = byte;
        Ok(1)
    }
}

#[test]
fn stream_of_single_bytes_is_decoded_and_its_end_is_read_once() {
    let text = "id,email\n1,Zoë@b.c 🙂\n".repeat(20);
    for bytes in [text.clone().into_bytes(), gzip(&text), zstd(&text), little(&text)] {
        let ends = Arc::default();
        let slow = Slow { bytes: bytes.into(), ends: Arc::clone(&ends) };
        let mut opened = decode(slow, Named::Other).unwrap();
        let mut decoded = String::new();
        opened.stream.read_to_string(&mut decoded).unwrap();
        assert_eq!(decoded.trim_start_matches('\u{feff}'), text);
        assert_eq!(opened.format, Format::Table { delimiter: b',' });
    }
    let ends = Arc::default();
    let slow = Slow { bytes: b"no bracket".to_vec().into(), ends: Arc::clone(&ends) };
    let mut decoded = String::new();
    decode(slow, Named::Other).unwrap().stream.read_to_string(&mut decoded).unwrap();
    assert_eq!(decoded, "no bracket");
    assert_eq!(ends.load(Ordering::Relaxed), 1);
}

#[test]
fn live_feed_is_given_on_as_it_comes() {
    for (first, format) in [
        ("{", Format::Json),
        ("\n [", Format::Json),
        ("{\"id\": 1}\n", Format::Json),
        ("id;email\n", Format::Table { delimiter: b';' }),
    ] {
        let (mut feed, stream) = pipe();
        feed.write_all(first.as_bytes()).unwrap();
        let (sender, found) = mpsc::channel();
        thread::spawn(move || {
            let mut opened = decode(stream, Named::Other).unwrap();
            let mut buffer = vec![0; 100_000];
            loop {
                let len = opened.stream.read(&mut buffer).unwrap();
                let Ok(()) = sender.send((opened.format, buffer[..len].to_vec())) else { break };
            }
        });
        // The feed is still open: to wait for more would be to wait for ever.
        assert_eq!(found.recv().unwrap(), (format, first.as_bytes().to_vec()));
        feed.write_all(b"x").unwrap();
        assert_eq!(found.recv().unwrap(), (format, b"x".to_vec()));
        drop(feed);
        assert_eq!(found.recv().unwrap(), (format, Vec::new()));
    }
}

fn pipe() -> (io::PipeWriter, io::PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    (writer, reader)
}

/// Fails behind its bytes.
struct Failing(&'static [u8]);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            len => Ok(len),
        }
    }
}

#[test]
fn stream_that_fails_gives_what_it_has_and_its_own_error() {
    let gzip = gzip("[{}]").leak();
    let zstd = zstd("[{}]").leak();
    for (bytes, expected) in [
        (b"[{}".as_slice(), "[{}"),
        (b"id", "id"),
        (b"", ""),
        (&gzip[..gzip.len() - 1], "[{}]"),
        (&zstd[..zstd.len() - 1], "[{}]"),
        (&zstd[..5], ""),
        (&zstd[..3], ""),
    ] {
        let mut decoded = String::new();
        let error = match decode(Failing(bytes), Named::Other) {
            Ok(mut opened) => opened.stream.read_to_string(&mut decoded).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!((&*decoded, &*error), (expected, "the disk is gone"), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn damage_anywhere_never_panics(at in 4..400_usize, byte: u8, len in 0..400_usize) {
        for mut bytes in [gzip(records(1000)), zstd(records(1000))] {
            bytes.truncate(len.max(4));
            if let Some(damaged) = bytes.get_mut(at) {
                *damaged = byte;
            }
            read(bytes);
        }
    }
}
