//! Any bytes, and inputs that are nearly those of the corpus.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// What others may write, and what readers stumble over.
const PIECES: [&[u8]; 30] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\x1b[2J",
    b"\x07",
    b"\x7f",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xc2\x9b",
    "\u{202e}".as_bytes(),
    "\u{2066}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"<script>",
    b"\"",
    b"'",
    b"&lt;",
    b"\\",
    b"\\u0000",
    b"%00",
    b"../",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"[[[[[[[[",
    b"{\"id\":1}",
    b"\n--\n",
    b"\n++\n",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

/// A change to an input.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Index),
    Remove(Index, Index),
    Double(Index, Index),
    Splice(Index, Index, Index),
}

impl Change {
    fn make(&self, data: &mut Vec<u8>, others: &[Vec<u8>]) {
        let range = |data: &[u8], from: &Index, len: &Index| {
            let from = from.index(data.len() + 1);
            from..from + len.index((data.len() - from).min(64) + 1)
        };
        match self {
            Self::Set(at, byte) if !data.is_empty() => {
                let at = at.index(data.len());
                data[at] = *byte;
            }
            Self::Set(..) => {}
            Self::Insert(at, piece) => {
                let at = at.index(data.len() + 1);
                data.splice(at..at, piece.get(&PIECES).iter().copied());
            }
            Self::Remove(from, len) => drop(data.drain(range(data, from, len))),
            Self::Double(from, len) => {
                let range = range(data, from, len);
                let twice = data[range.clone()].to_vec();
                data.splice(range.end..range.end, twice);
            }
            Self::Splice(at, other, from) => {
                let other = other.get(others);
                data.truncate(at.index(data.len() + 1));
                data.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<(Index, Index)>().prop_map(|(at, piece)| Change::Insert(at, piece)),
        any::<(Index, Index)>().prop_map(|(from, len)| Change::Remove(from, len)),
        any::<(Index, Index)>().prop_map(|(from, len)| Change::Double(from, len)),
        any::<(Index, Index, Index)>()
            .prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

/// The inputs that are kept for a target.
fn kept(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

fn inputs(name: &str) -> impl Strategy<Value = Vec<u8>> {
    let kept = kept(name);
    let others = kept.clone();
    let mutated = (prop::sample::select(kept), prop::collection::vec(changes(), 1..6)).prop_map(
        move |(mut data, changes)| {
            changes.iter().for_each(|change| change.make(&mut data, &others));
            data
        },
    );
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => prop::collection::vec(prop::sample::select(&PIECES[..]), 0..20)
            .prop_map(|pieces| pieces.concat()),
        6 => mutated,
    ]
}

macro_rules! holds {
    ($($name:ident: $cases:literal)*) => {
        $(
            #[test]
            fn $name() {
                let config = ProptestConfig {
                    failure_persistence: None,
                    ..ProptestConfig::with_cases($cases)
                };
                proptest!(config, |(data in inputs(stringify!($name)))| muster_fuzz::$name(&data));
            }
        )*
    };
}

holds! {
    chunk: 1000
    config: 100
    dashboard: 40
    json: 1000
    metadata: 1000
    printable: 1000
    record: 1000
    server: 60
    store_url: 1000
}
