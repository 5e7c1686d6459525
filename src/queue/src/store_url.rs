//! Which store, as a URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize, Serializer};

use crate::redis::address::Address;
use crate::redis::tls;
use crate::{CurrentAccess, Durability, KeyPrefix, Queue, Result, StoreAccess, StoreOptions};

/// Which store, as one of
///
/// | URL | store |
/// | --- | --- |
/// | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | a Redis or Valkey server |
/// | `redis-sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…/MASTER[/DATABASE]` | the server that these sentinels say is the master of that name; the login is the master's, that of the sentinels is in [`StoreAccess`] |
/// | `redis-cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT,…` | a cluster, by some of its nodes |
/// | `rediss://…`, `rediss-sentinel://…`, `rediss-cluster://…` | the same over TLS |
/// | `rediss…://…?ca=FILE&cert=FILE&key=FILE` | by TLS, with these PEM files |
/// | `file:PATH` | the embedded store in this file |
///
/// `ca` has the certificates of whoever vouches for the servers, in place of those that the system
/// trusts; `cert` and `key` are what the servers know this program by. Each may be left out, but one
/// of the last two goes with the other. The files are read for each connection.
///
/// In USER and PASSWORD, `#`, `/`, `?` and `%` are written as `%23`, `%2F`, `%3F` and `%25`.
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
        CurrentAccess::new(StoreAccess::from(self.clone())).open(options).await
    }

    /// Whether its servers are reached by TLS.
    pub(crate) fn has_tls(&self) -> bool {
        matches!(self, Self::Redis(url) if url.starts_with("rediss"))
    }

    /// Whether it is a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        let kinds = ["redis-cluster:", "rediss-cluster:"];
        matches!(self, Self::Redis(url) if kinds.iter().any(|kind| url.starts_with(kind)))
    }

    /// The URL without its login: the scheme, and what comes behind the login.
    pub(crate) fn without_login(&self) -> (String, String) {
        match self {
            Self::Redis(url) => {
                let (servers, query) = url.split_once('?').unwrap_or((url, ""));
                let (scheme, rest) = servers.split_once("://").unwrap_or(("", servers));
                let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
                (scheme.to_owned(), format!("{hosts}?{query}"))
            }
            Self::Embedded(path) => ("file".to_owned(), path.display().to_string()),
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
        let read = tls::split(text).and_then(|(servers, _)| match Address::parse(servers) {
            Some(_) => Ok(Self::Redis(text.to_owned())),
            None => Err(InvalidStoreUrl::NoStore),
        });
        read.map_err(|problem| if has_bad_login(text) { InvalidStoreUrl::Login } else { problem })
    }
}

/// Whether a URL of Redis that cannot be read has an `@` behind a character that ends a login, or a
/// login that is not text once it is decoded.
fn has_bad_login(url: &str) -> bool {
    let Some(("redis" | "rediss", rest)) = url
        .split_once("://")
        .map(|(scheme, rest)| (scheme.split('-').next().unwrap_or_default(), rest))
    else {
        return false;
    };
    let Some((login, _)) = rest.rsplit_once('@') else { return false };
    match login.find(['/', '?', '#']) {
        // The names of files may have an `@`.
        Some(end) => !["?ca=", "?cert=", "?key="].iter().any(|file| login[end..].starts_with(file)),
        None => percent_decode_str(login).decode_utf8().is_err(),
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
    /// Its user or its password has a character that must be encoded.
    #[error(
        "an `@` stands behind a `/`, `?` or `#`, or a `%` is not one that encodes: in the user and the \
         password of a store, write `#` as %23, `/` as %2F, `?` as %3F and `%` as %25"
    )]
    Login,
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
        ] {
            assert_eq!(text.parse::<StoreUrl>(), Err(InvalidStoreUrl::NoStore), "{text}");
        }
        assert_eq!("redis://one?ca=a".parse::<StoreUrl>(), Err(InvalidStoreUrl::NoTls));
        assert_eq!("rediss://one?db=1".parse::<StoreUrl>(), Err(InvalidStoreUrl::Query));
        assert_eq!("rediss://one?cert=a".parse::<StoreUrl>(), Err(InvalidStoreUrl::Half));
        assert_eq!("rediss://one?ca=a@b&x".parse::<StoreUrl>(), Err(InvalidStoreUrl::Query));
    }

    #[test]
    fn a_login_with_a_character_that_must_be_encoded_is_refused_with_how_to_write_it() {
        for text in [
            "redis://:s3#cret@localhost",
            "redis://ann:s3/cret@localhost:6379",
            "redis://ann:s3?cret@localhost",
            "rediss://ann:s3?cret@localhost?ca=a",
            "redis-sentinel://ann:s3/cret@localhost:26379/main",
            "redis-cluster://ann:s3#cret@localhost:1",
            "redis://ann:s3%ffcret@localhost",
            "redis://localhost#:s3cret@b",
            "redis-sentinel://localhost:26379/main@b",
        ] {
            assert_eq!(text.parse::<StoreUrl>(), Err(InvalidStoreUrl::Login), "{text}");
        }
        for text in ["redis://ann:s3%23%2F%3F%25cret@localhost", "redis://ann:s3@cr:et@localhost"] {
            assert!(text.parse::<StoreUrl>().is_ok(), "{text}");
        }
    }
}
