//! Which store, as a URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::embedded::EmbeddedQueue;
use crate::redis::RedisQueue;
use crate::redis::address::Address;
use crate::redis::tls;
use crate::{Durability, KeyPrefix, Queue, Result, StoreOptions};

/// Which store, as one of
///
/// | URL | store |
/// | --- | --- |
/// | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | a Redis or Valkey server |
/// | `redis-sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…/MASTER[/DATABASE]` | the server that these sentinels say is the master of that name; the login is the master's |
/// | `redis-cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…` | a cluster, by some of its nodes |
/// | `rediss://…`, `rediss-sentinel://…`, `rediss-cluster://…` | the same over TLS |
/// | `rediss…://…?ca=FILE&cert=FILE&key=FILE` | by TLS, with these PEM files |
/// | `file:PATH` | the embedded store in this file |
///
/// `ca` has the certificates of whoever vouches for the servers, in place of those that the system
/// trusts; `cert` and `key` are what the servers know this program by. Each may be left out, but one
/// of the last two goes with the other. The files are read for each connection.
///
/// Showing it (`Display`, `Debug`, `Serialize`) leaves out the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// Redis or Valkey, with the whole URL.
    Redis(String),
    /// The embedded store, in this file.
    Embedded(PathBuf),
}

impl StoreUrl {
    /// Opens the store.
    ///
    /// The embedded store is opened by one process at a time, and after a crash checked as a whole first.
    /// A Redis store connects by itself, now and whenever the connection is lost: until it has, what is
    /// asked of it fails with [`Error::Unavailable`](crate::Error::Unavailable).
    ///
    /// The embedded store is always synced, whatever `options` say.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the URL does not say what Redis needs.
    pub async fn open(&self, options: &StoreOptions) -> Result<Arc<dyn Queue>> {
        Ok(match self {
            Self::Redis(url) => Arc::new(RedisQueue::connect(url, options).await?),
            Self::Embedded(path) => Arc::new(EmbeddedQueue::open(path, options)?),
        })
    }

    /// The same for a program that serves: it is alive while the embedded store is checked after a crash.
    /// Until then, what is asked of the store fails with
    /// [`Error::Unavailable`](crate::Error::Unavailable), as it does before a Redis store has connected.
    ///
    /// # Errors
    ///
    /// As [`StoreUrl::open`].
    pub async fn open_in_background(&self, options: &StoreOptions) -> Result<Arc<dyn Queue>> {
        match self {
            Self::Redis(_) => self.open(options).await,
            Self::Embedded(path) => Ok(Arc::new(EmbeddedQueue::open_in_background(path, options)?)),
        }
    }

    /// Checks that this store can have that key prefix.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn check_key_prefix(&self, prefix: KeyPrefix) -> Result<(), String> {
        match self {
            Self::Embedded(_) if prefix != KeyPrefix::DEFAULT => {
                Err(format!("is `{prefix}`, but the store is a file, which has no keys"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that this store can be as durable as that.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    pub fn check(&self, durability: Durability) -> Result<(), String> {
        match self {
            Self::Embedded(_) if durability == Durability::Replicated => {
                Err(format!("is `{durability}`, but the store is a file, which has no replicas"))
            }
            _ => Ok(()),
        }
    }

    /// How durable this store is when it is to be as durable as that.
    pub fn durability(&self, asked: Durability) -> Durability {
        match self {
            Self::Redis(_) => asked,
            Self::Embedded(_) => Durability::Synced,
        }
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
        // It is shown, on terminals too, and none needs them: a URL writes them as `%1B`.
        if text.contains(char::is_control) {
            return Err(InvalidStoreUrl::NoStore);
        }
        match text.strip_prefix("file:") {
            Some("") => return Err(InvalidStoreUrl::NoStore),
            Some(path) => return Ok(Self::Embedded(PathBuf::from(path))),
            None => {}
        }
        let (servers, _) = tls::split(text)?;
        match Address::parse(servers) {
            Some(_) => Ok(Self::Redis(text.to_owned())),
            None => Err(InvalidStoreUrl::NoStore),
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
            Self::Redis(url) => {
                let (servers, query) = url.split_once('?').unwrap_or((url, ""));
                f.write_str(&without_password(servers))?;
                match tls::split(url) {
                    Ok((_, Some(_))) => write!(f, "?{query}"),
                    Ok((_, None)) => Ok(()),
                    // It may be the rest of a password.
                    Err(_) => f.write_str("?***"),
                }
            }
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

/// A text that names no store. It is not repeated: it may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStoreUrl {
    /// It has none of the forms.
    #[error(
        "a store is redis://HOST:PORT, redis-sentinel://HOST:PORT,HOST:PORT/MASTER, \
         redis-cluster://HOST:PORT,HOST:PORT (with TLS: rediss…), or file:PATH"
    )]
    NoStore,
    /// It has a query, and is one without TLS.
    #[error(
        "only a store with TLS (rediss://…, rediss-sentinel://…, rediss-cluster://…) has something \
         behind a `?`"
    )]
    NoTls,
    /// Its query is not what TLS needs.
    #[error(
        "behind the `?` of a store with TLS come ca=FILE, cert=FILE and key=FILE, each once at \
         most, with `&` between, and nothing else"
    )]
    Query,
    /// It has a `cert` and no `key`, or the other way round.
    #[error("`cert` and `key` of a store with TLS go together: there is one without the other")]
    Half,
}

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
            (
                "rediss-sentinel://ann:s3cret@one:1,two:2/main/3",
                "rediss-sentinel://ann:***@one:1,two:2/main/3",
            ),
            ("redis-sentinel://one:26379/main", "redis-sentinel://one:26379/main"),
            ("redis-cluster://:s3cret,:@one:1,[::1]:2", "redis-cluster://:***@one:1,[::1]:2"),
            ("rediss-cluster://one:1", "rediss-cluster://one:1"),
            ("rediss://ann:s3cret@one/2?ca=/etc/a@b.pem", "rediss://ann:***@one/2?ca=/etc/a@b.pem"),
        ] {
            let url: StoreUrl = url.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("s3cret"));
        }
        let unread = StoreUrl::Redis("redis://:pass?s3cret@one".to_owned());
        assert_eq!(unread.to_string(), "redis://:pass?***");
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
            "redis-sentinel://localhost:26379",
            "redis-sentinel://localhost:26379/",
            "redis-sentinel://localhost/main",
            "redis-sentinel://localhost:26379/main/two",
            "redis-sentinel:///main",
            "redis-cluster://",
            "redis-cluster://one:1,",
            "redis-cluster://one:1/2",
            "redis-unix:///tmp/redis",
            "rediss://localhost:abc?ca=a",
            "rediss-cluster://one?ca=a",
            "file:/tmp/\u{1b}[31m",
            "redis://\u{1b}[31m@localhost",
            "redis://localhost#:s3cret@b",
            "redis-sentinel://localhost:26379/main@b",
        ] {
            assert_eq!(text.parse::<StoreUrl>(), Err(InvalidStoreUrl::NoStore), "{text}");
        }
        assert_eq!("redis://localhost:?a@b".parse::<StoreUrl>(), Err(InvalidStoreUrl::NoTls));
        assert_eq!("redis://one?ca=a".parse::<StoreUrl>(), Err(InvalidStoreUrl::NoTls));
        assert_eq!("rediss://one?db=1".parse::<StoreUrl>(), Err(InvalidStoreUrl::Query));
        assert_eq!("rediss://one?cert=a".parse::<StoreUrl>(), Err(InvalidStoreUrl::Half));
    }
}
