//! Settings: defaults, then a TOML file, then the environment, then flags; the later one wins.
//!
//! One file serves every program. Its top level holds what they share, a section each the rest:
//!
//! ```toml
//! store = "redis://127.0.0.1:6379"
//! log = "info"
//!
//! [server]
//! listen = "0.0.0.0:50051"
//!
//! [worker]
//! roll = "/var/lib/muster"
//! ```
//!
//! In the environment `server.listen` is `MUSTER_SERVER_LISTEN`, and `store` is `MUSTER_STORE`; the
//! items of a list are separated by commas. `REDIS_HOST`, `REDIS_PORT` and `LOG_LEVEL` stand for `store` and `log`, and
//! `OTEL_EXPORTER_OTLP_ENDPOINT` for `traces`, beneath the `MUSTER_…`. An empty variable counts as
//! absent. One that is not a setting is ignored with a warning, since it may belong to others, unless
//! it is almost the name of a setting; an unknown key of the file is an error.
//!
//! **Secrets** ([`Settings::SECRETS`]), such as a `store` with a password, need not stand in any of
//! these. `store_file`, in the file, as `MUSTER_STORE_FILE` or as `--store-file`, names a file that
//! holds the `store`, and counts as if that stood in its place. The credential `muster.store` that
//! systemd hands to a unit (`$CREDENTIALS_DIRECTORY/muster.store`) counts more than the TOML file,
//! and less than the environment: who sets a variable means it. A password in a flag is refused,
//! and no message shows what a secret was. Secrets are read again when a file that holds one changes,
//! and at SIGHUP ([`Loader::watch_secrets`]).

mod environment;
mod error;
mod file;
mod loader;
mod secret;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::Error;
pub use loader::Loader;
pub use secret::has_password;

/// The sections of the file: each is read by the program of that name, and skipped by the others.
const SECTIONS: [&str; 3] = ["client", "server", "worker"];

/// The keys that all programs with a store share, and those that all have, at the top of the file.
const SHARED: [&str; 9] = [
    "store",
    "store_connect_timeout",
    "sentinel_user",
    "durability",
    "replicas",
    "key_prefix",
    "log",
    "traces",
    "traces_ratio",
];

/// Where settings come from, beside the defaults and the flags.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment, as pairs of name and value.
    pub environment: Vec<(String, String)>,
    /// Whether variables that are ignored are named on standard error.
    pub warns: bool,
}

/// The variable that names the TOML file.
const FILE: &str = "MUSTER_CONFIG";

impl Sources {
    /// This file, or the one that `MUSTER_CONFIG` names, and this process's environment. A variable
    /// that is not text is left out.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let named = || std::env::var_os(FILE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = file.or_else(named);
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment, warns: true }
    }
}

/// The settings of one program.
///
/// Unknown fields must be refused, so that a misspelt key is found.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// The program's section in the file.
    const SECTION: &'static str;

    /// The keys that are secrets: for each `K` of them `K_file` names a file that holds it, and
    /// `muster.K` is its credential of systemd.
    const SECRETS: &'static [&'static str] = &[];

    /// Checks what the types do not say.
    ///
    /// # Errors
    ///
    /// The key that is wrong, and why.
    fn validate(&self) -> Result<(), (&'static str, String)>;

    /// The log's level or filter.
    fn log(&self) -> &str;

    /// Where traces go, by OTLP: `http(s)://HOST:PORT`. Nowhere if it is not said.
    fn traces(&self) -> Option<&str> {
        None
    }

    /// How many of the traces that begin in the program are sent, from 0 to 1. Those that begin
    /// elsewhere are sent if they are there.
    fn traces_ratio(&self) -> f64 {
        1.0
    }

    /// How long the end may take.
    fn grace(&self) -> Duration;

    /// Where the program says whether it is ready, if it does.
    fn http(&self) -> Option<SocketAddr> {
        None
    }

    /// The certificate that it shows there, if it speaks TLS.
    fn tls_cert(&self) -> Option<&Path> {
        None
    }
}

/// Reads settings. A flag that was not given must be left out when `flags` is serialized. Variables
/// that are ignored are named on standard error, if the sources say so.
///
/// # Errors
///
/// The file cannot be read; a key is unknown, a variable is misspelt, or a value does not fit.
pub fn load<C: Settings>(sources: &Sources, flags: &impl Serialize) -> Result<C, Error> {
    load_over(&C::default(), sources, flags)
}

/// Reads settings as [`load`] does, over other defaults than the usual.
///
/// # Errors
///
/// As [`load`].
pub fn load_over<C: Settings>(
    defaults: &C,
    sources: &Sources,
    flags: &impl Serialize,
) -> Result<C, Error> {
    Loader::new(defaults, sources.clone(), flags)?.load()
}

/// The settings as TOML, secrets left out, for `--dump-config`.
///
/// # Errors
///
/// A value that TOML cannot hold.
pub fn dump<C: Settings>(config: &C) -> Result<toml::Table, Error> {
    let mut all = toml::Table::try_from(config).map_err(|error| Error::Dump(error.to_string()))?;
    let shared = SHARED.map(|key| (key.to_owned(), all.remove(key)));
    let mut table = toml::Table::new();
    table.extend(shared.into_iter().filter_map(|(key, value)| Some((key, value?))));
    table.insert(C::SECTION.to_owned(), toml::Value::Table(all));
    Ok(table)
}

/// One source's values, under the name that error messages call it by.
#[derive(Clone)]
struct Layer {
    name: String,
    values: Dict,
    /// The file that it was read from, if it was.
    file: Option<PathBuf>,
}

impl Layer {
    fn new(name: impl Into<String>, values: &impl Serialize) -> Result<Self, Error> {
        let name = name.into();
        let values = figment::value::Value::serialize(values)?.into_dict().unwrap_or_default();
        Ok(Self { name, values, file: None })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

#[cfg(test)]
mod tests;
