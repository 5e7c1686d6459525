//! What the tests on real processes stand on, and the generator of the sample data.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`users`] | made-up user records: the same seed gives the same records everywhere |
//! | `words` | the words they are made of |
//! | [`examples`] | the sample folder `examples/users`, with its traps, and what becomes of it |
//! | [`roll`] | the roll that a program must write, and the comparison with the one it wrote |
//! | [`programs`] | where the built programs are |
//! | [`process`] | one running program: its lines, its end, its death |
//! | [`redis_server`] | a real Redis that can be killed and started again |
//! | [`certificates`] | a certificate authority, and what it issues |
//! | [`sentinel`], [`cluster`] | several of them, which go on when a master is killed |
//! | [`resp`] | a command for a Redis |
//! | [`relay`] | a TCP relay that stops, slows, delays and cuts what goes through it |
//! | [`disk`] | a disk that can be full |
//! | [`system_calls`] | system calls that fail or hang for one path |
//! | [`browser`] | a real browser, and what goes wrong in it |
//! | [`http`] | a GET for the probes and the metrics |
//! | [`scrape`] | what a program answers at `/metrics`, read |
//! | [`ports`] | a port that is free |
//! | [`stack`] | Redis, a server and workers that belong together |
//! | [`feed`] | a batch that stays open while records are sent |
//! | [`skip`] | a test that this machine cannot do |
//! | [`summary`] | what `--json` prints |
//! | [`wait`] | waiting for a condition, with a limit |
//!
//! All but [`users`], [`examples`] and [`roll`] are for tests, and panic with words when something
//! is not as it must be.

pub mod browser;
pub mod certificates;
pub mod cluster;
pub mod disk;
pub mod examples;
pub mod feed;
pub mod http;
pub mod ports;
pub mod process;
pub mod programs;
pub mod redis_server;
pub mod relay;
pub mod resp;
pub mod roll;
pub mod scrape;
pub mod sentinel;
pub mod skip;
pub mod stack;
pub mod summary;
pub mod system_calls;
pub mod users;
pub mod wait;
mod words;
