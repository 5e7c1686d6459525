//! Chunks that fill while others are being appended.

use bytes::Bytes;
use muster_content::{ContentDigest, RecordHash};
use muster_proto::chunk::{Decoder, Encoder};
use muster_queue::{APPENDED_MAX, NewChunk, Places};

use super::chunk;

/// What is appended at once is full from here on, in bytes. The last chunk may lie beyond.
const BYTES_FULL: usize = 1 << 20;

/// Chunks that fill, one after another, to be appended together.
#[derive(Default)]
pub(super) struct Filling {
    whole: Vec<Filled>,
    /// The bytes of those that are whole, as pushed.
    bytes: usize,
    last: Encoder,
    /// Of the records in `last`.
    hashes: Vec<RecordHash>,
}

/// A chunk that takes no more records.
pub(super) struct Filled {
    pub(super) count: u32,
    payload: Bytes,
    /// One for each record.
    hashes: Vec<RecordHash>,
}

impl Filling {
    /// Adds a record as it is on the wire.
    pub(super) fn push(&mut self, wire: &[u8]) {
        self.last.push_raw(wire);
        self.hashes.push(RecordHash::of(wire));
        if chunk::is_full(&self.last) {
            self.end_chunk();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.last.is_empty()
    }

    /// Whether a chunk of them takes no more records.
    pub(super) fn has_whole(&self) -> bool {
        !self.whole.is_empty()
    }

    /// Whether the last chunk has records, and takes more.
    pub(super) fn is_amid_chunk(&self) -> bool {
        !self.last.is_empty()
    }

    /// Whether no more records are taken.
    pub(super) fn is_full(&self) -> bool {
        self.whole.len() == APPENDED_MAX || self.bytes >= BYTES_FULL
    }

    /// Takes all of them, the one that is not full as well.
    pub(super) fn take(&mut self) -> Vec<Filled> {
        if !self.last.is_empty() {
            self.end_chunk();
        }
        self.bytes = 0;
        std::mem::take(&mut self.whole)
    }

    fn end_chunk(&mut self) {
        self.bytes += self.last.len();
        let (count, payload) = (self.last.count(), self.last.take());
        let hashes = std::mem::take(&mut self.hashes);
        self.whole.push(Filled { count, payload, hashes });
    }
}

impl Filled {
    /// The digest of all records up to the end of the chunk, where `before` is that of those before it.
    pub(super) fn digest(&self, before: ContentDigest) -> ContentDigest {
        self.hashes.iter().copied().fold(before, ContentDigest::then)
    }

    /// The chunk as it is appended, when each record has its own index.
    pub(super) fn each(
        &self,
        indices: impl Iterator<Item = u64>,
        trace: Option<String>,
    ) -> NewChunk {
        self.at(Places::Each(indices.zip(self.hashes.iter().copied()).collect()), trace)
    }

    fn at(&self, places: Places, trace: Option<String>) -> NewChunk {
        NewChunk { places, count: self.count, payload: self.payload.clone(), trace }
    }

    /// Leaves out so many records at the front, fewer than it has.
    fn skip(&mut self, records: usize) {
        let all = Decoder::new(self.payload.clone()).map_while(Result::ok);
        let mut rest = Encoder::default();
        all.skip(records).for_each(|record| rest.push_raw(&record));
        (self.count, self.payload) = (rest.count(), rest.take());
        self.hashes.drain(..records);
    }
}

/// Chunks that follow one another from the index `first` on. `before` is the digest of the records before
/// it.
pub(super) fn in_a_row(
    mut first: u64,
    mut before: ContentDigest,
    chunks: &[Filled],
    trace: Option<&String>,
) -> Vec<NewChunk> {
    let in_a_row = chunks.iter().map(|chunk| {
        let after = chunk.digest(before);
        let places = Places::From { first, before, after };
        first += u64::from(chunk.count);
        before = after;
        chunk.at(places, trace.cloned())
    });
    in_a_row.collect()
}

/// Skips the first `records` records, or all. `before` is the digest of the records before them,
/// and then of those before the first that is left.
pub(super) fn skip(chunks: &mut Vec<Filled>, before: &mut ContentDigest, mut records: u64) {
    while let Some(first) = chunks.first_mut() {
        let count = u64::from(first.count);
        if records < count {
            let records = usize::try_from(records).unwrap_or(usize::MAX);
            *before = first.hashes[..records].iter().copied().fold(*before, ContentDigest::then);
            first.skip(records);
            break;
        }
        *before = first.digest(*before);
        records -= count;
        chunks.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks of these many records, each of one byte, that counts on.
    fn chunks(counts: &[u8]) -> Vec<Filled> {
        let mut record = 0;
        let chunks = counts.iter().map(|count| {
            let (mut chunk, mut hashes) = (Encoder::default(), Vec::new());
            for _ in 0..*count {
                chunk.push_raw(&[record]);
                hashes.push(RecordHash::of(&[record]));
                record += 1;
            }
            Filled { count: chunk.count(), payload: chunk.take(), hashes }
        });
        chunks.collect()
    }

    /// The digest of the first records of these chunks.
    fn digest(records: u8) -> ContentDigest {
        let hashes = (0..records).map(|record| RecordHash::of(&[record]));
        hashes.fold(ContentDigest::EMPTY, ContentDigest::then)
    }

    #[test]
    fn records_at_the_front_are_left_out_whole_chunks_first() {
        for records in 0..=9 {
            let (mut left, mut before) = (chunks(&[3, 1, 4]), ContentDigest::EMPTY);
            skip(&mut left, &mut before, records.into());
            assert_eq!(before, digest(records.min(8)));
            let after = left.iter().fold(before, |before, chunk| chunk.digest(before));
            assert_eq!(after, digest(8));
            let count: u32 = left.iter().map(|chunk| chunk.count).sum();
            assert_eq!(count, 8_u32.saturating_sub(records.into()), "without {records}");
            assert_eq!(left.len(), [3, 3, 3, 2, 1, 1, 1, 1, 0, 0][usize::from(records)]);
            let of_each = left.iter().map(|chunk| Decoder::new(chunk.payload.clone()));
            let rest: Vec<u8> = of_each.flatten().map(|record| record.unwrap()[0]).collect();
            assert_eq!(rest, (records.min(8)..8).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn chunks_in_a_row_begin_where_the_one_before_ends() {
        let in_a_row = in_a_row(0, ContentDigest::EMPTY, &chunks(&[3, 1, 4]), None);
        let places: Vec<_> = in_a_row.into_iter().map(|chunk| chunk.places).collect();
        let expected = [(0, 3), (3, 4), (4, 8)].map(|(first, end)| {
            let (before, after) = (digest(first), digest(end));
            Places::From { first: first.into(), before, after }
        });
        assert_eq!(places, expected);
    }

    #[test]
    fn it_is_full_with_as_many_chunks_as_one_step_takes_or_as_many_bytes() {
        for (bytes, chunks) in [(1, APPENDED_MAX), (64 << 10, APPENDED_MAX), (1 << 20, 1)] {
            let (record, mut filling) = (vec![b'a'; bytes], Filling::default());
            while !filling.is_full() {
                filling.push(&record);
            }
            assert_eq!(filling.take().len(), chunks, "of records of {bytes} bytes");
            assert!(filling.is_empty() && !filling.is_full());
        }
    }

    #[test]
    fn what_is_not_full_is_taken_as_well() {
        let mut filling = Filling::default();
        assert_eq!(filling.take().len(), 0);
        (0..300).for_each(|_| filling.push(b"a"));
        let counts: Vec<u32> = filling.take().iter().map(|chunk| chunk.count).collect();
        assert_eq!(counts, [256, 44]);
    }
}
