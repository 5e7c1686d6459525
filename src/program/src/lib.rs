//! What every program shares.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`config`] | settings: defaults, a TOML file, the environment, flags |
//! | [`daemon`] | the life of a program that stays until it is told to end |
//! | [`exit`] | the exit codes |
//! | [`flags`] | the flags that programs share |
//! | [`health`] | asking a program that runs whether it is ready |
//! | [`http`] | its answer: `/livez`, `/readyz`; and `/metrics` |
//! | [`logging`] | the log: text on a terminal, JSON otherwise |
//! | [`metrics`] | what is measured, for Prometheus |
//! | [`output`] | what is printed, whether or not anyone reads it |
//! | [`packaging`] | completions and manual pages |
//! | `pinned` | TLS with a program whose certificate is known |
//! | [`printable`] | texts of others, made fit to be shown |
//! | [`readiness`] | whether the program is ready |
//! | [`resources`] | what the system lets the process have |
//! | [`shutdown`] | the end: signals, and the tasks that it waits for |
//! | `supervisor` | what systemd is told |
//! | [`tls`] | certificates and keys that cannot be used, in words |
//! | [`traces`] | what was done about a record, from one program to the next |
//! | [`watched`] | files that are read again when they change, and at SIGHUP |

pub mod config;
pub mod daemon;
pub mod exit;
pub mod flags;
pub mod health;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod output;
pub mod packaging;
mod pinned;
pub mod printable;
pub mod readiness;
pub mod resources;
pub mod shutdown;
mod supervisor;
pub mod tls;
pub mod traces;
pub mod watched;
