//! What is measured, by the section that it is for.

pub(crate) mod latency;
pub(crate) mod rest;
pub(crate) mod scaling;
pub(crate) mod throughput;
