//! What every program gives to those who package it: completions and manual pages.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::Shell;

use crate::daemon::Failure;
use crate::{exit, output};

/// The commands. They need no settings and no store.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what a shell needs to complete this program's command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages of this program and its commands into a folder
    #[command(hide = true)]
    Manual {
        /// The folder; it is made if it is missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

impl Command {
    /// Carries the command out for a program with this command line.
    ///
    /// # Errors
    ///
    /// What was made cannot be written.
    pub fn run(&self, mut program: clap::Command) -> Result<u8, (u8, Failure)> {
        let failed = |error: Failure| (exit::FAILURE, error);
        match self {
            Self::Completions { shell } => {
                let (name, mut script) = (program.get_name().to_owned(), Vec::new());
                clap_complete::generate(*shell, &mut program, name, &mut script);
                output::print(&String::from_utf8_lossy(&script))
                    .map_err(|error| failed(error.into()))?;
            }
            Self::Manual { folder } => std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(program, folder))
                .map_err(|error| {
                    let folder = folder.display();
                    failed(format!("cannot write the manual into {folder}: {error}").into())
                })?,
        }
        Ok(exit::OK)
    }
}
