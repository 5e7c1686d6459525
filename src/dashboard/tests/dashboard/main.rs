//! The dashboard before services that are doubles: what a person sees, and what reaches them.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic; its helpers too")]

mod actions;
mod asked;
mod base_path;
mod double;
mod escaping;
mod guard;
mod html;
mod live;
mod pages;
mod roll;
mod world;
