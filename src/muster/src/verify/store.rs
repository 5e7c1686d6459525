//! Which store has the dead letters, by flags.

use std::path::PathBuf;

use muster_program::config;
use muster_program::daemon::Failure;
use muster_queue::{BatchId, KeyPrefix, StoreUrl};

#[derive(clap::Args)]
pub(super) struct StoreFlags {
    /// The store, for the dead letters in it: file:PATH, redis://HOST:PORT, redis-sentinel://… or
    /// redis-cluster://… (with TLS: rediss…). What has a file open must have ended
    #[arg(long, value_name = "URL", group = "a_store")]
    store: Option<String>,
    /// A file that holds the URL of the store, for one with a password
    #[arg(long, value_name = "FILE", group = "a_store")]
    store_file: Option<PathBuf>,
    /// What the keys on Redis begin with [default: muster]
    #[arg(
        long,
        value_name = "PREFIX",
        requires = "a_store",
        default_value_t,
        hide_default_value = true
    )]
    pub(super) key_prefix: KeyPrefix,
    /// Of the store take the dead letters of this batch alone; may be given several times
    #[arg(long, value_name = "ID", requires = "a_store")]
    pub(super) batch: Vec<BatchId>,
}

impl StoreFlags {
    /// The store, if one is named.
    ///
    /// # Errors
    ///
    /// It is none, there is a password among the arguments, or the file cannot be read. The URL is
    /// not repeated: it may have a password.
    pub(super) fn url(&self) -> Result<Option<StoreUrl>, Failure> {
        let (origin, text) = match (&self.store, &self.store_file) {
            (Some(url), _) if config::has_password(url) => {
                return Err("--store has a password in it, and everyone on this machine can read \
                            the arguments of a process: name a file that holds it, by --store-file"
                    .into());
            }
            (Some(url), _) => ("--store".to_owned(), url.clone()),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| super::unreadable(path, error))?;
                (path.display().to_string(), text)
            }
            (None, None) => return Ok(None),
        };
        let url = text.trim().parse();
        url.map(Some).map_err(|error| format!("{origin}: {error}").into())
    }
}
