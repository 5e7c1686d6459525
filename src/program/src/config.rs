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
//! In the environment `server.listen` is `MUSTER_SERVER_LISTEN`, and `store` is `MUSTER_STORE`.
//! `REDIS_HOST`, `REDIS_PORT` and `LOG_LEVEL` stand for `store` and `log`, and
//! `OTEL_EXPORTER_OTLP_ENDPOINT` for `traces`, beneath the `MUSTER_…`.
//! `store_file`, in the file or as `MUSTER_STORE_FILE`, names a file that holds the `store`.

mod environment;
mod error;
mod file;
mod secret;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::Error;

use crate::{logging, traces};

/// The sections of the file: each is read by the program of that name, and skipped by the others.
const SECTIONS: [&str; 3] = ["client", "server", "worker"];

/// The keys that all programs with a store share, and those that all have, at the top of the file.
const SHARED: [&str; 6] = ["store", "durability", "replicas", "log", "traces", "traces_ratio"];

/// Where settings come from, beside the defaults and the flags.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment, as pairs of name and value.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// This file, and this process's environment. A variable that is not text is left out.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment }
    }
}

/// The settings of one program.
///
/// Unknown fields must be refused, so that a misspelt key is found.
pub trait Settings: Default + Serialize + DeserializeOwned {
    /// The program's section in the file.
    const SECTION: &'static str;

    /// Checks what the types do not say.
    ///
    /// # Errors
    ///
    /// The key that is wrong, and why.
    fn validate(&self) -> Result<(), (&'static str, String)>;

    /// The log's level or filter.
    fn log(&self) -> &str;

    /// Where traces go, by OTLP: `http://HOST:PORT`. Nowhere if it is not said.
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
}

/// Reads settings. A flag that was not given must be left out when `flags` is serialized.
///
/// # Errors
///
/// The file cannot be read; a key is unknown, or its value does not fit.
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
    debug_assert!(SECTIONS.contains(&C::SECTION), "a section of the file");
    let defaults = Layer::new("the defaults", defaults)?;
    let has_store = defaults.values.contains_key("store");
    let file = sources.file.as_ref().map(|path| file::layer(path, C::SECTION)).transpose()?;
    let environment = environment::layers(&sources.environment, C::SECTION);
    let mut figment = Figment::from(defaults);
    for layer in file.into_iter().chain(environment) {
        figment = figment.merge(secret::read_store(layer, has_store)?);
    }
    figment = figment.merge(Layer::new("the command line", flags)?);
    let config: C = figment.extract()?;
    let log_is_valid = || match logging::parse_filter(config.log()) {
        Ok(_) => Ok(()),
        Err(error) => Err(("log", error.to_string())),
    };
    let is_valid = || {
        config.validate()?;
        log_is_valid()?;
        traces::check(&config)
    };
    is_valid().map_err(|(key, problem)| Error::BadValue {
        key: key.to_owned(),
        origin: origin(&figment, key),
        problem,
    })?;
    Ok(config)
}

fn origin(figment: &Figment, key: &str) -> String {
    figment.find_metadata(key).map_or_else(|| "the settings".into(), |found| found.name.to_string())
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
struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    fn new(name: impl Into<String>, values: &impl Serialize) -> Result<Self, Error> {
        let name = name.into();
        let values = figment::value::Value::serialize(values)?.into_dict().unwrap_or_default();
        Ok(Self { name, values })
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
