//! Which store, as a URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use ::redis::IntoConnectionInfo as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Queue, Result, embedded, redis};

/// `redis://…`, `rediss://…`, or `file:PATH`.
///
/// Showing it (`Display`, `Debug`, `Serialize`) leaves out the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// A Redis or Valkey server, with the whole URL.
    Redis(String),
    /// The embedded store, in this file.
    Embedded(PathBuf),
}

impl StoreUrl {
    /// Opens the store.
    ///
    /// The embedded store is opened at once, by one process at a time. A Redis store connects by
    /// itself, now and whenever the connection is lost: until it has, what is asked of it fails
    /// with [`Error::Unavailable`](crate::Error::Unavailable).
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the URL does not say what Redis needs.
    pub async fn open(&self) -> Result<Arc<dyn Queue>> {
        Ok(match self {
            Self::Redis(url) => Arc::new(redis::RedisQueue::connect(url).await?),
            Self::Embedded(path) => Arc::new(embedded::EmbeddedQueue::open(path)?),
        })
    }
}

impl Default for StoreUrl {
    /// A Redis on this machine, at its usual port.
    fn default() -> Self {
        Self::Redis("redis://127.0.0.1:6379".to_owned())
    }
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, InvalidStoreUrl> {
        if text.starts_with("redis://") || text.starts_with("rediss://") {
            // What is wrong with it is not said: it may be the password.
            return match text.into_connection_info() {
                Ok(_) => Ok(Self::Redis(text.to_owned())),
                Err(_) => Err(InvalidStoreUrl),
            };
        }
        match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() => Ok(Self::Embedded(PathBuf::from(path))),
            _ => Err(InvalidStoreUrl),
        }
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = InvalidStoreUrl;

    fn try_from(text: String) -> Result<Self, InvalidStoreUrl> {
        text.parse()
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(url) => f.write_str(&without_password(url)),
            Self::Embedded(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// `redis://user:secret@host` as `redis://user:***@host`.
fn without_password(url: &str) -> String {
    let (Some(scheme_end), Some(at)) = (url.find("://"), url.rfind('@')) else {
        return url.to_owned();
    };
    let user_start = scheme_end + "://".len();
    let Some(colon) = url.get(user_start..at).and_then(|login| login.find(':')) else {
        return url.to_owned();
    };
    format!("{}:***{}", &url[..user_start + colon], &url[at..])
}

/// A text that names no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store is redis://HOST:PORT, rediss://HOST:PORT, or file:PATH")]
pub struct InvalidStoreUrl;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("redis://localhost:6379/2", "redis://localhost:6379/2"),
            ("redis://:s3cret@localhost", "redis://:***@localhost"),
            ("rediss://ann:p@ss:word@localhost", "rediss://ann:***@localhost"),
            ("redis://ann@localhost", "redis://ann@localhost"),
        ] {
            let url: StoreUrl = url.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("s3cret"));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "file:",
            "localhost:6379",
            "http://localhost",
            "Redis://x",
            "redis://",
            "redis://localhost:abc",
        ] {
            assert_eq!(text.parse::<StoreUrl>(), Err(InvalidStoreUrl), "{text}");
        }
    }
}
