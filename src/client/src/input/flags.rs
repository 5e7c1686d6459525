//! The flags that name the input.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Pointer, SourceError, Sources};

/// What to read, and how.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct InputFlags {
    /// Files, folders (their JSON, NDJSON, CSV and TSV files, also compressed), or - for standard
    /// input
    #[arg(required_unless_present_any = ["check_config", "dump_config"], value_name = "INPUT")]
    pub inputs: Vec<OsString>,
    /// Read the folders inside folders as well
    #[arg(long)]
    pub recursive: bool,
    /// Where the records are in each file: a JSON Pointer, with * for each element, such as
    /// '/users/*' [default: no wrapper]
    #[arg(long, value_name = "POINTER")]
    pub records: Option<Pointer>,
    /// Write what is rejected to this file, an object a line
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

impl InputFlags {
    /// The sources, in the order in which they are read.
    ///
    /// # Errors
    ///
    /// As [`Sources::from_arguments`].
    pub fn sources(&self) -> Result<Sources, SourceError> {
        Sources::from_arguments(&self.inputs, self.recursive)
    }
}
