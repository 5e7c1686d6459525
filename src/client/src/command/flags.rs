//! The flags that all commands share.

use std::path::PathBuf;

use muster_program::config::{self, Sources};
use muster_program::logging;
use serde::Serialize;

use super::{Ended, block_on, usage};
use crate::config::Config;
use crate::operations::Operations;

/// The settings of a connection.
#[derive(Debug, clap::Args, Serialize)]
pub(super) struct ServerFlags {
    /// The server, by http or https [default: http://127.0.0.1:50051]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// The authorities to trust, as PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ca: Option<PathBuf>,
    /// The client's own certificate, as PEM [default: none]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert: Option<PathBuf>,
    /// The key of --tls-cert, as PEM [default: none]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_key: Option<PathBuf>,
    /// A file with the token that says who asks [default: none]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<PathBuf>,
    /// Let a token travel unencrypted
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    plain_text: bool,
    /// How long to try again while nothing gets through [default: 60s]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_for: Option<String>,
    /// The log's level, or a filter [default: warn]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

/// The flags of an operation.
#[derive(Debug, clap::Args)]
pub(super) struct OperationFlags {
    #[command(flatten)]
    settings: ServerFlags,
    /// Read settings from this TOML file [env: MUSTER_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl OperationFlags {
    /// Reads the settings, starts the log, and does the work.
    pub(super) fn run(
        &self,
        work: impl AsyncFnOnce(Operations) -> Result<u8, Ended>,
    ) -> Result<u8, Ended> {
        let sources = Sources::of_process(self.config.clone());
        let config: Config = config::load(&sources, &self.settings).map_err(usage)?;
        logging::start(&config.log).map_err(usage)?;
        block_on(async { work(Operations::new(&config).map_err(usage)?).await })
    }
}
