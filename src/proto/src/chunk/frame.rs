//! Frames: what a payload is made of. Each is compressed for itself, and says how long it is, so that
//! they can stand one after another.
//!
//! A byte for the form; then, for `LZ4`, the length of the records as a varint; then the length of
//! what follows as a varint; then that: the records, or a block of LZ4
//! (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>). At the end stands the checksum of all
//! that: the last 32 bits of XXH3, 64 bits, without a seed
//! (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>), big-endian. So records
//! that are damaged in a store are noticed, and do not become wrong records in the roll.

use bytes::{Buf as _, Bytes, BytesMut};
use lz4_flex::block;
use twox_hash::XxHash3_64;

use super::Unreadable;
use crate::wire::{self, Wire};

/// The records as they are, without a checksum: as an earlier version wrote them.
const PLAIN_UNCHECKED: u8 = 0;
/// The records, compressed, without a checksum: likewise.
const LZ4_UNCHECKED: u8 = 1;
/// The records as they are.
const PLAIN: u8 = 2;
/// The records, compressed.
const LZ4: u8 = 3;

/// How long a checksum is, in bytes.
const CHECKSUM_LEN: usize = 4;

/// Records of fewer bytes are not compressed: there is next to nothing to gain.
const COMPRESSED_MIN: usize = 512;
/// LZ4 makes nothing smaller than by this: what claims more is broken, and not worth the memory.
const RATIO_MAX: usize = 255;

/// Makes a frame of these records. `room` is for the frame's bytes in the making.
pub(super) fn close(records: &[u8], room: &mut Vec<u8>) -> Bytes {
    if records.len() >= COMPRESSED_MIN {
        room.resize(block::get_maximum_output_size(records.len()), 0);
        let compressed = block::compress_into(records, room).expect("there is room");
        if compressed < records.len() {
            return frame(LZ4, &[records.len(), compressed], &room[..compressed]);
        }
    }
    frame(PLAIN, &[records.len()], records)
}

fn frame(form: u8, lengths: &[usize], bytes: &[u8]) -> Bytes {
    let len = lengths.iter().map(|len| wire::varint_len(*len as u64)).sum::<usize>();
    let mut frame = BytesMut::with_capacity(1 + len + bytes.len() + CHECKSUM_LEN);
    frame.extend_from_slice(&[form]);
    lengths.iter().for_each(|len| wire::put_varint(&mut frame, *len as u64));
    frame.extend_from_slice(bytes);
    let checksum = checksum(&frame);
    frame.extend_from_slice(&checksum);
    frame.freeze()
}

fn checksum(frame: &[u8]) -> [u8; CHECKSUM_LEN] {
    let [.., a, b, c, d] = XxHash3_64::oneshot(frame).to_be_bytes();
    [a, b, c, d]
}

/// Takes the first frame off, which is there. Returns its records, at least one byte of them.
///
/// # Errors
///
/// It is cut short, or broken, or of a form that is not known.
pub(super) fn open(frames: &mut Bytes) -> Result<Bytes, Unreadable> {
    let mut rest = Wire(frames.get(1..).ok_or(Unreadable::Cut)?);
    let form = frames[0];
    let compressed_from = match form {
        PLAIN | PLAIN_UNCHECKED => None,
        LZ4 | LZ4_UNCHECKED => Some(length(&mut rest)?),
        form => return Err(Unreadable::Form(form)),
    };
    let len = rest.bytes().map_err(|_| Unreadable::Cut)?.len();
    let end = frames.len() - rest.0.len();
    let bytes = frames.slice(end - len..end);
    let mut checksum_end = end;
    if matches!(form, PLAIN | LZ4) {
        checksum_end += CHECKSUM_LEN;
        let found = frames.get(end..checksum_end).ok_or(Unreadable::Cut)?;
        if found != checksum(&frames[..end]) {
            return Err(Unreadable::Damaged);
        }
    }
    frames.advance(checksum_end);
    let records = match compressed_from {
        None => bytes,
        Some(plain) if plain / RATIO_MAX > bytes.len() => return Err(Unreadable::Broken),
        Some(plain) => decompress(&bytes, plain)?,
    };
    if records.is_empty() { Err(Unreadable::Broken) } else { Ok(records) }
}

fn length(rest: &mut Wire<'_>) -> Result<usize, Unreadable> {
    let length = rest.varint().map_err(|_| Unreadable::Cut)?;
    usize::try_from(length).map_err(|_| Unreadable::Broken)
}

fn decompress(bytes: &[u8], plain: usize) -> Result<Bytes, Unreadable> {
    match block::decompress(bytes, plain) {
        Ok(records) if records.len() == plain => Ok(records.into()),
        _ => Err(Unreadable::Broken),
    }
}
