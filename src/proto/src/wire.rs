//! Protobuf's encoding, as far as it is needed to find the fields of a message
//! (<https://protobuf.dev/programming-guides/encoding/>).

use std::str::Utf8Error;

use bytes::BufMut;

/// How deep unknown groups may lie in each other.
const DEPTH_MAX: u32 = 100;

/// Why bytes are not the message that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The message ends inside a field.
    #[error("it is cut short")]
    Cut,
    /// A number of more than 64 bits.
    #[error("a number is too long")]
    Varint,
    /// A field's key is more than 32 bits.
    #[error("a key is too long")]
    Key,
    /// Fields are numbered from 1.
    #[error("there is no field 0")]
    Field,
    /// Values are of six kinds.
    #[error("there is no kind {0}")]
    Kind(u32),
    /// A field that is known has a value of another kind.
    #[error("field {0} is of the wrong kind")]
    WrongKind(u32),
    /// A text is none.
    #[error("field {field} is no UTF-8")]
    Text {
        /// The number of the field.
        field: u32,
        /// Where it ends to be one.
        source: Utf8Error,
    },
    /// A group ends that has not begun.
    #[error("the group {0} ends before it begins")]
    Group(u32),
    /// Groups lie in groups, more than a hundred of them.
    #[error("its groups are too deep")]
    Depth,
}

/// The kinds of values; to the protocol they are its wire types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Varint = 0,
    SixtyFourBits = 1,
    Bytes = 2,
    GroupStart = 3,
    GroupEnd = 4,
    ThirtyTwoBits = 5,
}

impl Kind {
    /// The key of a field of this kind: one byte, since the number is below 16.
    #[expect(clippy::cast_possible_truncation, reason = "the number is below 16")]
    pub(crate) const fn key(self, field: u32) -> u8 {
        (field as u8) << 3 | self as u8
    }

    pub(crate) fn expect(self, kind: Self, field: u32) -> Result<(), Malformed> {
        if self == kind { Ok(()) } else { Err(Malformed::WrongKind(field)) }
    }
}

/// What is left of a message.
#[derive(Clone, Copy)]
pub(crate) struct Wire<'a>(pub(crate) &'a [u8]);

impl<'a> Wire<'a> {
    /// The number and the kind of the next field; `None` at the end.
    pub(crate) fn key(&mut self) -> Result<Option<(u32, Kind)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed::Key)?;
        let kind = match key & 7 {
            0 => Kind::Varint,
            1 => Kind::SixtyFourBits,
            2 => Kind::Bytes,
            3 => Kind::GroupStart,
            4 => Kind::GroupEnd,
            5 => Kind::ThirtyTwoBits,
            none => return Err(Malformed::Kind(none)),
        };
        match key >> 3 {
            0 => Err(Malformed::Field),
            field => Ok(Some((field, kind))),
        }
    }

    /// A number of up to 64 bits.
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        // Most are short.
        if let [byte @ ..0x80, rest @ ..] = self.0 {
            self.0 = rest;
            return Ok(u64::from(*byte));
        }
        let mut value = 0;
        for (shift, byte) in (0..64).step_by(7).zip(self.0) {
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                self.0 = &self.0[shift / 7 + 1..];
                // The tenth byte has room for one bit.
                return if shift == 63 && *byte > 1 { Err(Malformed::Varint) } else { Ok(value) };
            }
        }
        Err(if self.0.len() < VARINT_LEN_MAX { Malformed::Cut } else { Malformed::Varint })
    }

    /// Bytes behind their length.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.varint()?).map_err(|_| Malformed::Cut)?;
        self.take(len)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Malformed::Cut)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Goes on behind the value of a field.
    pub(crate) fn skip(&mut self, field: u32, kind: Kind) -> Result<(), Malformed> {
        self.skip_in(field, kind, DEPTH_MAX)
    }

    fn skip_in(&mut self, field: u32, kind: Kind, depth: u32) -> Result<(), Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed::Depth)?;
        match kind {
            Kind::Varint => self.varint().map(drop),
            Kind::SixtyFourBits => self.take(8).map(drop),
            Kind::Bytes => self.bytes().map(drop),
            Kind::ThirtyTwoBits => self.take(4).map(drop),
            Kind::GroupEnd => Err(Malformed::Group(field)),
            Kind::GroupStart => loop {
                match self.key()?.ok_or(Malformed::Cut)? {
                    (inner, Kind::GroupEnd) if inner == field => break Ok(()),
                    (inner, kind) => self.skip_in(inner, kind, depth)?,
                }
            },
        }
    }
}

/// The longest number, in bytes.
const VARINT_LEN_MAX: usize = 10;

/// How long a number is, in bytes.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Writes a number.
pub(crate) fn put_varint(to: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        to.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.put_u8((value & 0x7f) as u8);
}
