//! The wire: what clients, servers and workers say to each other.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`users`] | `proto/users.proto`: records in |
//! | [`v1`] | `proto/muster/v1/*.proto`: operations: batches, dead letters, the queue, workers, the roll |
//! | [`metadata`] | what travels beside the messages |
//! | [`user`] | a record where it stands, read and written without a copy |
//! | [`chunk`] | how the records of a chunk stand one after another in its payload |
//! | [`codec`] | how the servers of [`v1`] read messages |

pub mod chunk;
pub mod codec;
pub mod metadata;
pub mod user;
mod wire;

pub use wire::Malformed;

/// `proto/users.proto`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    missing_docs,
    reason = "generated; the .proto file has the comments"
)]
pub mod users {
    tonic::include_proto!("_");
}

/// `proto/muster/v1/*.proto`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    missing_docs,
    reason = "generated; the .proto files have the comments"
)]
pub mod v1 {
    tonic::include_proto!("muster.v1");
    include!(concat!(env!("OUT_DIR"), "/servers/muster.v1.rs"));
}

/// The descriptors of both packages, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
