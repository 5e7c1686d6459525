//! Files, which both readers decode by themselves: compressed ones with damage, and tables.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;

use flate2::write::GzEncoder;
use muster_client::input::{Item, Reader, Sources};
use muster_proof::{Inputs, Options};
use muster_proto::users::UserRequest;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// What both readers read of a file with this content, first the client.
fn read(name: &str, content: &[u8]) -> [Vec<UserRequest>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let mut client = Vec::new();
    if let Ok(sources) = Sources::from_arguments(&[&path], false) {
        let mut reader = Reader::new(sources, None);
        while let Some(item) = reader.next_item() {
            if let Item::Record { record, .. } = item {
                client.push(record.user().into());
            }
        }
    }
    let inputs = Inputs::from_arguments(&[path.into()], &[], Options::default()).unwrap();
    [client, inputs.records().collect()]
}

fn lines(records: usize) -> String {
    (0..records).map(|id| format!("{{\"id\":{id},\"email\":\"{}\"}}\n", id * id % 9973)).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_compressed_file_has_the_same_records_for_both(
        compress in select(&[gzip, zstd][..]),
        parts in 1..3_usize,
        at: Index,
        byte: u8,
        cut: bool,
    ) {
        let mut content = compress(&lines(3000)).repeat(parts);
        // The signature says how the file is read.
        let at = 4 + at.index(content.len() - 4);
        content[at] ^= byte;
        if cut {
            content.truncate(at);
        }
        let [client, proof] = read("users.json", &content);
        prop_assert_eq!(client, proof);
    }

    #[test]
    fn table_has_the_same_records_for_both(
        header in select(&["id,email", "email;id;x", "\u{feff}agent\tid", "id,email,userName"][..]),
        end in select(&["\n", "\r\n", "\n\n"][..]),
        rows in proptest::collection::vec(
            select(&[
                "1", "2", "a", "\"", "\"\"", "\"b\"", "\"c,\n;\td\"", " ", ",", ";", "\t", "\n",
                "\r\n", "\\", "\\\"", "\n3,e\n", "\n4;5;6\n", "\nf\t7\n", "1.0", "\u{e9}",
            ][..]),
            0..40,
        ),
    ) {
        let text = format!("{header}{end}{}", rows.concat());
        let [client, proof] = read("users.csv", text.as_bytes());
        prop_assert_eq!(client, proof, "of {:?}", text);
    }
}
