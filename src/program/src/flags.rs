//! The flags that programs share.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::Sources;
use crate::daemon::Failure;
use crate::output;

/// Reads the address of a flag, for clap.
///
/// # Errors
///
/// It is not an IP address and a port.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "give an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051, not a name"
            .to_owned()
    })
}

/// The flags that every program with settings has.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigFlags {
    /// Read settings from this TOML file [env: MUSTER_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the settings, and end
    #[arg(long)]
    pub check_config: bool,
    /// Print the settings in force as TOML, without secrets, and end
    #[arg(long)]
    pub dump_config: bool,
}

impl ConfigFlags {
    /// Where the settings come from.
    pub fn sources(&self) -> Sources {
        Sources::of_process(self.config.clone())
    }

    /// Whether the settings are to be looked at alone.
    pub fn only_looks(&self) -> bool {
        self.check_config || self.dump_config
    }

    /// Shows the settings on standard output as one file, if that was asked for. What several
    /// programs share is the last one's.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    pub fn show(&self, programs: impl IntoIterator<Item = toml::Table>) -> Result<(), Failure> {
        if self.dump_config {
            let file: toml::Table = programs.into_iter().flatten().collect();
            output::print(&file.to_string())?;
        }
        Ok(())
    }
}

/// The flags of a program that opens the store and keeps a log. They override its settings.
#[derive(Clone, Debug, clap::Args, Serialize)]
pub struct StoreFlags {
    /// The store: redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER,
    /// redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…, ?ca=FILE&cert=FILE&key=FILE behind
    /// it) or file:PATH [default: redis://127.0.0.1:6379]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// A file that holds the URL of the store, for one with a password
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    #[serde(skip_serializing_if = "Option::is_none")]
    store_file: Option<PathBuf>,
    /// What "ok" means: accepted by the store, synced to its disk, or replicated; a file is always
    /// synced [default: accepted]
    #[arg(long, value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<String>,
    /// How many replicas have what is replicated [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u8>,
    /// What the keys on Redis begin with, so that several installations can share it
    /// [default: muster]
    #[arg(long, value_name = "PREFIX")]
    #[serde(skip_serializing_if = "Option::is_none")]
    key_prefix: Option<String>,
    /// The log's level, or a filter such as info,muster_queue=trace [default: info]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Where traces go, by OTLP: http(s)://HOST:PORT [default: nowhere]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<String>,
}
