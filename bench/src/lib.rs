//! The benchmark: Muster, the limit of the machine, and peers, in one run.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`load`] | the load generator |
//! | [`bare`] | the bare path: the limit |
//! | [`echo`] | gRPC alone |
//! | [`hot`] | the hot functions, to be called for themselves |
//! | [`instructions`] | what the hot functions take, against what they took before |
//! | [`report`] | all of it measured, and the page about it |
//! | `cases` | what is measured, by section |
//! | `installation`, `store`, `program`, `generator` | what runs in a case |
//! | `measure`, `files`, `peers` | one run of it |
//! | `usage` | what processes use |
//! | `records`, `digest` | what is sent, and whether it is all there |
//! | `case`, `results`, `figures` | what was measured |
//! | `plot` | pictures of it |

pub mod bare;
mod case;
mod cases;
mod circumstances;
mod clock;
mod digest;
pub mod echo;
mod figures;
mod files;
mod generator;
mod grpc;
mod home;
pub mod hot;
mod installation;
pub mod instructions;
pub mod load;
mod measure;
mod number;
mod peers;
mod plot;
mod program;
mod records;
pub mod report;
mod results;
mod runtime;
mod say;
pub mod section;
mod spread;
mod store;
mod usage;
