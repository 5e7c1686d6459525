//! What is special to the store on Redis: lost servers, flushed data, leases by pending entries,
//! what stays in memory.
//!
//! What every store does is tested for all of them elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/places.rs"]
mod places;
#[path = "support/redis_server.rs"]
mod redis_server;
mod redis_store {
    mod backlog;
    mod batches;
    mod bounds;
    mod clock;
    mod connection;
    mod ends;
    mod forget;
    mod given;
    mod lease;
    mod letters;
    mod lists;
    mod memory;
    mod operators;
    mod partitions;
    mod payloads;
    mod replay;
    mod retries;
}
