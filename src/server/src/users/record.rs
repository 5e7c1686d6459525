//! A record as it came: its bytes on the wire, looked at and not copied.

use bytes::{Buf as _, Bytes};
use muster_proto::user::User;
use muster_proto::users::UserResponse;
use prost::Message as _;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// What a unary call has room for at first, in bytes: most records, and most answers, fit in. By
/// default it would be 8 KiB each.
const RECORD_ROOM: usize = 512;
const ANSWER_ROOM: usize = 64;

/// The bytes of one record, which can be read.
#[derive(Debug)]
pub(crate) struct Record(Bytes);

impl Record {
    /// Its bytes on the wire.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.0
    }
}

/// Reads records, and writes answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecordCodec;

impl Codec for RecordCodec {
    type Encode = UserResponse;
    type Decode = Record;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RecordCodec {
    type Item = UserResponse;
    type Error = Status;

    fn encode(&mut self, answer: UserResponse, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer.encode(to).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(ANSWER_ROOM, ANSWER_ROOM)
    }
}

impl Decoder for RecordCodec {
    type Item = Record;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Record>, Status> {
        let wire = from.copy_to_bytes(from.remaining());
        match User::read(&wire) {
            Ok(_) => Ok(Some(Record(wire))),
            Err(reason) => {
                Err(Status::invalid_argument(format!("the message is no UserRequest: {reason}")))
            }
        }
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(RECORD_ROOM, RECORD_ROOM)
    }
}
