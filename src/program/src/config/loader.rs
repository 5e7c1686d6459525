//! Reads the settings of a program: when it starts, and again for their secrets.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use figment::Figment;
use serde::Serialize;

use super::{Error, Layer, SECTIONS, Settings, Sources, environment, file, secret};
use crate::shutdown::Shutdown;
use crate::watched::{Unread, Watch as _, Watched};
use crate::{logging, metrics, output, printable, traces};

/// The label of secrets in the metrics.
const SECRETS: &str = "secrets";

/// What the settings `C` of a program are read from.
pub struct Loader<C> {
    defaults: Layer,
    sources: Sources,
    flags: Layer,
    settings: PhantomData<fn() -> C>,
}

impl<C: Settings> Loader<C> {
    /// Prepares for these sources, over these defaults. A flag that was not given must be left out when
    /// `flags` is serialized.
    ///
    /// # Errors
    ///
    /// The defaults or the flags cannot be serialized.
    pub fn new(defaults: &C, sources: Sources, flags: &impl Serialize) -> Result<Self, Error> {
        debug_assert!(SECTIONS.contains(&C::SECTION), "a section of the file");
        Ok(Self {
            defaults: Layer::new("the defaults", defaults)?,
            sources,
            flags: Layer::new("the command line", flags)?,
            settings: PhantomData,
        })
    }

    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// A file cannot be read; a key is unknown, or its value does not fit.
    pub fn load(&self) -> Result<C, Error> {
        let mut figment = Figment::new();
        for layer in self.layers()? {
            figment = figment.merge(layer);
        }
        let config: C = figment.extract().map_err(|error| Error::new(error, C::SECRETS))?;
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

    /// Gives the settings to `take`, which uses their secrets, whenever a file that holds a secret has
    /// changed, and at SIGHUP, until the shutdown begins. If a file cannot be read, or `take` refuses
    /// the settings, that is logged and nothing changes. All other settings need a restart.
    ///
    /// # Errors
    ///
    /// The settings cannot be read now, or `take` refuses them.
    pub fn watch_secrets(
        self,
        take: impl Fn(C) -> Result<(), String> + Send + Sync + 'static,
        shutdown: &Shutdown,
    ) -> Result<(), String>
    where
        C: 'static,
    {
        let layers = self.layers().map_err(|error| error.to_string())?;
        let files = layers
            .into_iter()
            .filter(|layer| C::SECRETS.iter().any(|secret| layer.values.contains_key(*secret)));
        let files: Vec<PathBuf> = files.filter_map(|layer| layer.file).collect();
        let reload = move |_, _: Option<&()>| {
            let config = self.load().map_err(|error| error.to_string())?;
            take(config)
        };
        metrics::declare_reloads(&[SECRETS]);
        let watched = Watched::open(SECRETS, files, reload);
        let watched = watched.map_err(|error: Unread<String>| error.to_string())?;
        let watching = async move { watched.watch().await };
        shutdown.spawn(shutdown.token().run_until_cancelled_owned(watching));
        Ok(())
    }

    /// All sources, the later one winning.
    fn layers(&self) -> Result<Vec<Layer>, Error> {
        let Sources { file, environment, warns } = &self.sources;
        let file = file.as_ref().map(|path| file::layer(path, C::SECTION)).transpose()?;
        let credentials = secret::credentials(environment, C::SECRETS)?;
        let environment = environment::read(environment, C::SECTION, C::SECRETS, &self.defaults)?;
        if *warns {
            warn_once(environment.warnings);
        }
        secret::refuse_in_arguments(&self.flags, C::SECRETS)?;
        let mut layers = vec![self.defaults.clone()];
        let given = file.into_iter().chain(credentials).chain(environment.layers);
        for layer in given.chain([self.flags.clone()]) {
            layers.extend(secret::read(layer, C::SECRETS)?);
        }
        Ok(layers)
    }
}

impl<C> fmt::Debug for Loader<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("file", &self.sources.file).finish_non_exhaustive()
    }
}

/// How much is shown of a warning, in characters: it names what others wrote.
const WARNING_CHARS_MAX: usize = 400;

/// Prints each warning once in a process: a program with a server and workers reads the environment
/// for each of the two.
fn warn_once(warnings: Vec<String>) {
    static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    for warning in warnings {
        if !printed.contains(&warning) {
            let shown = printable::beginning(&warning, WARNING_CHARS_MAX);
            output::complain(&format_args!("warning: {shown}"));
            printed.insert(warning);
        }
    }
}

fn origin(figment: &Figment, key: &str) -> String {
    figment.find_metadata(key).map_or_else(|| "the settings".into(), |found| found.name.to_string())
}
