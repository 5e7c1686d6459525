//! The client: reads user records from JSON files and sends them, and operates a server.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`command`] | the command line: what is asked for, and what is printed |
//! | [`config`] | its settings |
//! | [`input`] | from files to records |
//! | [`send`] | from records to a batch on the server, by stream or by unary calls |
//! | `operations` | calls on batches, dead letters, the queue, workers and the roll |
//! | `download` | the roll, fetched and checked |
//! | `top` | the queue and its workers, live on a terminal |
//! | `wait` | until nothing more happens to a batch |
//! | `wire` | a connection to a server |
//! | `retry` | when a failed call is made again |
//! | `stalled` | when to say that nothing moves |
//! | [`progress`], [`report`] | what a person sees during a job, and after it |
//! | `metrics`, `watch` | what a job measures, and who may ask for it |
//! | `view` | what a person, or a program, sees of what a server keeps |

pub mod command;
pub mod config;
mod download;
pub mod input;
mod metrics;
mod operations;
pub mod progress;
pub mod report;
mod retry;
pub mod send;
mod stalled;
mod top;
mod view;
mod wait;
mod watch;
mod wire;

use muster_program::printable;
