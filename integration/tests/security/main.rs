//! Attacks, each of which docs/security.md names with its test: who may enter, what may come in, and
//! what is never shown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod another_origin;
mod crowd;
mod limits;
mod raw;
mod shown;
mod site;
mod tls;
mod tokens;
mod web;
