//! The fault suite: real programs and a real store, in seeded random schedules of faults.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`schedule`] | what is sent and what goes wrong when, all of it from a family and one number |
//! | [`fault`] | the faults |
//! | [`installation`] | the programs of one schedule, with relays between them |
//! | `commands` | what each program is started with |
//! | `src/bin/muster-flaky-worker.rs` | a worker whose processor fails at times |
//! | `inject` | how each fault is done to them, and undone |
//! | `reuse` | other records under the name of a batch, and another folder for the roll |
//! | `copies` | older copies of the roll and of the store's data |
//! | `power` | what a power cut leaves of the store's data |
//! | `operator` | what an operator does about a fault |
//! | `program`, `store` | a program that a supervisor starts again; the store, in its topologies |
//! | `clients` | the clients, and whether they have ended well |
//! | [`machine`] | what this machine lets the suite do |
//! | `lines` | the relays |
//! | `clock` | a clock that jumps |
//! | [`run`] | one schedule from its start to its outcome |
//! | [`verdict`] | whether the roll has every record exactly once |
//! | `watch` | whether Muster says why, whenever records wait |
//! | [`suite`] | many schedules, several at once |
//! | [`report`] | what came of them, as a table |

mod clients;
mod clock;
mod commands;
mod copies;
pub mod fault;
mod inject;
pub mod installation;
mod lines;
pub mod machine;
mod operator;
mod power;
mod program;
pub mod report;
mod reuse;
pub mod run;
pub mod schedule;
mod store;
pub mod suite;
pub mod verdict;
mod watch;
