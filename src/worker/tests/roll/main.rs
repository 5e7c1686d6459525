//! The roll on the embedded store: how it grows, and what it is after any crash.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changed;
mod crash;
mod desk;
mod growth;
mod identity;
mod rotate;
mod writers;
