//! One file a target.

pub(crate) mod chunk;
pub(crate) mod config;
pub(crate) mod dashboard;
pub(crate) mod json;
pub(crate) mod metadata;
pub(crate) mod printable;
pub(crate) mod record;
pub(crate) mod server;
pub(crate) mod store_url;
