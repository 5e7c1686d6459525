//! What a caller of the server notices: a real server, real clients, and the embedded store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod abandoned;
mod backpressure;
mod batches;
mod compression;
mod dead_letters;
mod deadline;
mod desk;
mod gate;
mod group_commit;
mod limits;
mod messages;
mod metadata;
mod probes;
mod protocol;
mod reflection;
mod resend;
mod store_away;
mod stream;
mod unary;
mod unknown;
