//! The client: reads user records from JSON files and sends them.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`config`] | its settings |
//! | [`input`] | from files to records |
//! | [`send`] | from records to a batch on the server, by stream or by unary calls |
//! | `wire` | a connection to a server |
//! | `retry` | when a failed call is made again |
//! | [`progress`], [`report`] | what a person sees during a job, and after it |

pub mod config;
pub mod input;
pub mod progress;
pub mod report;
mod retry;
pub mod send;
mod wire;
