//! A record where it stands: read from the wire and written to it without a copy of its own.
//!
//! What is a record here and what is none is what the generated code says of a `UserRequest`.

use bytes::BufMut;
use serde::Serialize;

use crate::users::UserRequest;
use crate::wire::{self, Kind, Malformed, Wire};

/// A record whose texts lie in the bytes that it was read from.
///
/// As JSON: the nine fields in the order of the `.proto` file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "they are those of the .proto file")]
pub struct User<'a> {
    pub id: i32,
    pub user_name: &'a str,
    pub email: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub ip_address: &'a str,
    pub gender: &'a str,
    pub country: &'a str,
    pub agent: &'a str,
}

/// The number of the field `id`; those of the texts follow it.
const ID: u32 = 1;
/// The names of the texts, in order.
const TEXTS: [&str; 8] =
    ["user_name", "email", "first_name", "last_name", "ip_address", "gender", "country", "agent"];

impl<'a> User<'a> {
    /// Reads a protobuf message. Fields that a record does not have are left out, and of those that
    /// are there several times the last one counts.
    ///
    /// # Errors
    ///
    /// It is no `UserRequest`.
    pub fn read(wire: &'a [u8]) -> Result<Self, Malformed> {
        let mut user = Self::default();
        let mut wire = Wire(wire);
        while let Some((field, kind)) = wire.key()? {
            if field == ID {
                kind.expect(Kind::Varint, field)?;
                user.id = of_wire(wire.varint()?);
            } else if let Some(text) = user.text_mut(field) {
                kind.expect(Kind::Bytes, field)?;
                *text = std::str::from_utf8(wire.bytes()?)
                    .map_err(|source| Malformed::Text { field, source })?;
            } else {
                wire.skip(field, kind)?;
            }
        }
        Ok(user)
    }

    fn text_mut(&mut self, field: u32) -> Option<&mut &'a str> {
        Some(match field {
            2 => &mut self.user_name,
            3 => &mut self.email,
            4 => &mut self.first_name,
            5 => &mut self.last_name,
            6 => &mut self.ip_address,
            7 => &mut self.gender,
            8 => &mut self.country,
            9 => &mut self.agent,
            _ => return None,
        })
    }

    /// The texts, each with the number of its field, in order.
    fn texts(&self) -> [(u32, &'a str); 8] {
        [
            (2, self.user_name),
            (3, self.email),
            (4, self.first_name),
            (5, self.last_name),
            (6, self.ip_address),
            (7, self.gender),
            (8, self.country),
            (9, self.agent),
        ]
    }

    /// The texts, each with its name.
    pub fn named_texts(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.texts().into_iter().zip(TEXTS).map(|((_, text), name)| (name, text))
    }

    /// How long [`write`](Self::write) makes it, in bytes.
    pub fn wire_len(&self) -> usize {
        let id = if self.id == 0 { 0 } else { KEY_LEN + wire::varint_len(to_wire(self.id)) };
        let text = |text: &str| match text.len() {
            0 => 0,
            len => KEY_LEN + wire::varint_len(len as u64) + len,
        };
        id + self.texts().iter().map(|(_, value)| text(value)).sum::<usize>()
    }

    /// Writes it as a protobuf message: the fields in order, without those that are empty or 0.
    pub fn write(&self, to: &mut impl BufMut) {
        if self.id != 0 {
            to.put_u8(Kind::Varint.key(ID));
            wire::put_varint(to, to_wire(self.id));
        }
        for (field, text) in self.texts() {
            if !text.is_empty() {
                to.put_u8(Kind::Bytes.key(field));
                wire::put_varint(to, text.len() as u64);
                to.put_slice(text.as_bytes());
            }
        }
    }
}

/// How long the key of each field is, in bytes.
const KEY_LEN: usize = 1;

/// An `int32` as it is written: with its sign in all 64 bits.
fn to_wire(id: i32) -> u64 {
    i64::from(id).cast_unsigned()
}

/// An `int32` as it is read: the lower half of what was written.
#[expect(clippy::cast_possible_truncation, reason = "the protocol wants it so")]
fn of_wire(id: u64) -> i32 {
    id as i32
}

impl<'a> From<&'a UserRequest> for User<'a> {
    fn from(request: &'a UserRequest) -> Self {
        Self {
            id: request.id,
            user_name: &request.user_name,
            email: &request.email,
            first_name: &request.first_name,
            last_name: &request.last_name,
            ip_address: &request.ip_address,
            gender: &request.gender,
            country: &request.country,
            agent: &request.agent,
        }
    }
}

impl From<User<'_>> for UserRequest {
    fn from(user: User<'_>) -> Self {
        Self {
            id: user.id,
            user_name: user.user_name.to_owned(),
            email: user.email.to_owned(),
            first_name: user.first_name.to_owned(),
            last_name: user.last_name.to_owned(),
            ip_address: user.ip_address.to_owned(),
            gender: user.gender.to_owned(),
            country: user.country.to_owned(),
            agent: user.agent.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    /// Records of every kind: empty texts, long ones, numbers below zero.
    fn requests() -> impl Strategy<Value = UserRequest> {
        let text = || "\\PC{0,3}|[a-z]{0,40}|x{128,200}";
        let texts = (text(), text(), text(), text(), text(), text(), text(), text());
        (any::<i32>(), texts).prop_map(|(id, texts)| {
            let (user_name, email, first_name, last_name, ip_address, gender, country, agent) =
                texts;
            UserRequest {
                id,
                user_name,
                email,
                first_name,
                last_name,
                ip_address,
                gender,
                country,
                agent,
            }
        })
    }

    /// Messages that are nearly records: pieces of some, with bytes between.
    fn nearly_records() -> impl Strategy<Value = Vec<u8>> {
        let field = prop_oneof![
            requests().prop_map(|request| request.encode_to_vec()),
            prop::collection::vec(any::<u8>(), 0..12),
            // A field that is unknown, of each kind, with what may be its value.
            (10_u8..16, 0_u8..8, prop::collection::vec(any::<u8>(), 0..12)).prop_map(
                |(field, kind, mut value)| {
                    value.insert(0, field << 3 | kind);
                    value
                }
            ),
            // One that is known, of each kind.
            (0_u8..10, 0_u8..8, 0_u8..4).prop_map(|(field, kind, value)| {
                vec![field << 3 | kind, value, b'a', b'b', b'c']
            }),
            Just(b"\x53\x58\x01\x54".to_vec()),
            Just(vec![0x53; 101]),
        ];
        (prop::collection::vec(field, 0..5), any::<prop::sample::Index>()).prop_map(
            |(fields, cut)| {
                let mut wire = fields.concat();
                let len = wire.len();
                if len > 0 && cut.index(3) == 0 {
                    wire.truncate(cut.index(len));
                }
                wire
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_read_is_what_the_generated_code_reads(wire in nearly_records()) {
            let read = User::read(&wire).map(UserRequest::from);
            let generated = UserRequest::decode(&wire[..]);
            prop_assert_eq!(read.is_ok(), generated.is_ok(), "{:?} {:?}", read, generated);
            if let (Ok(read), Ok(generated)) = (read, generated) {
                prop_assert_eq!(read, generated);
            }
        }

        #[test]
        fn what_is_written_is_what_the_generated_code_writes(request in requests()) {
            let (user, mut written) = (User::from(&request), Vec::new());
            user.write(&mut written);
            prop_assert_eq!(user.wire_len(), written.len());
            prop_assert_eq!(written, request.encode_to_vec());
        }

        #[test]
        fn as_json_it_is_the_same_record(request in requests()) {
            let json = |value: Result<String, _>| value.expect("it can be written");
            prop_assert_eq!(
                json(serde_json::to_string(&User::from(&request))),
                json(serde_json::to_string(&request)),
            );
        }
    }

    #[test]
    fn why_a_message_is_no_record_is_said() {
        for (wire, reason) in [
            (&b"\x08"[..], "it is cut short"),
            (b"\x12\x02a", "it is cut short"),
            (b"\x12\x01\xff", "field 2 is no UTF-8"),
            (b"\x10\x01", "field 2 is of the wrong kind"),
            (b"\x0f", "there is no kind 7"),
            (b"\x00\x01", "there is no field 0"),
            (b"\x54", "the group 10 ends before it begins"),
        ] {
            assert_eq!(User::read(wire).unwrap_err().to_string(), reason, "{wire:?}");
        }
    }
}
