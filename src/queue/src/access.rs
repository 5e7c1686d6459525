//! Where a store is, and how to log in there. The login can be replaced while programs run.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;

use crate::embedded::EmbeddedQueue;
use crate::redis::RedisQueue;
use crate::{Queue, Result, StoreOptions, StoreUrl};

/// A password. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a store is, and how to log in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAccess {
    /// The store, with the login of its servers.
    pub url: StoreUrl,
    /// The user that sentinels log in (ACL); without one, their default user.
    pub sentinel_user: Option<String>,
    /// Its password. Without one, sentinels are asked without a login.
    pub sentinel_password: Option<Password>,
}

impl From<StoreUrl> for StoreAccess {
    fn from(url: StoreUrl) -> Self {
        Self { url, sentinel_user: None, sentinel_password: None }
    }
}

/// The access to a store as it is now. Clones share it.
///
/// Each new connection uses the login of that moment. Connections that are open keep theirs.
#[derive(Clone, Debug)]
pub struct CurrentAccess(Arc<RwLock<StoreAccess>>);

impl CurrentAccess {
    /// Begins with this one.
    pub fn new(access: StoreAccess) -> Self {
        Self(Arc::new(RwLock::new(access)))
    }

    /// The access now.
    pub(crate) fn get(&self) -> StoreAccess {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the login: the user and the password in the URL, and those of the sentinels.
    ///
    /// # Errors
    ///
    /// The new URL differs in more than the login. It may be another store: that takes a restart.
    pub fn replace(&self, new: StoreAccess) -> Result<(), String> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if new.url.without_login() != current.url.without_login() {
            return Err(format!(
                "`store` is {} now and was {}: only its user and its password can change without a \
                 restart",
                new.url, current.url
            ));
        }
        *current = new;
        Ok(())
    }

    /// Opens the store, as [`StoreUrl::open`] does.
    ///
    /// # Errors
    ///
    /// As [`StoreUrl::open`].
    pub async fn open(&self, options: &StoreOptions) -> Result<Arc<dyn Queue>> {
        Ok(match self.get().url {
            StoreUrl::Redis(_) => Arc::new(RedisQueue::connect_as(self.clone(), options)?),
            StoreUrl::Embedded(path) => Arc::new(EmbeddedQueue::open(&path, options)?),
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
        match self.get().url {
            StoreUrl::Redis(_) => self.open(options).await,
            StoreUrl::Embedded(path) => {
                Ok(Arc::new(EmbeddedQueue::open_in_background(&path, options)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str) -> StoreAccess {
        StoreAccess::from(url.parse::<StoreUrl>().unwrap())
    }

    #[test]
    fn a_login_is_replaced_and_another_store_is_refused() {
        for (before, after, is_taken) in [
            ("redis://ann:s3cret@one", "redis://bob:s3cret2@one", true),
            ("redis://one", "redis://:s3cret@one", true),
            ("redis-sentinel://:s3cret@a:1,b:2/main", "redis-sentinel://:x@a:1,b:2/main", true),
            ("rediss://:s3cret@one?ca=/a@b", "rediss://:x@one?ca=/a@b", true),
            ("rediss://:s3cret@one?ca=/a@b", "rediss://:x@one?ca=/c@b", false),
            ("redis://:s3cret@one", "redis://:s3cret@two", false),
            ("redis://:s3cret@one", "redis://:s3cret@one/1", false),
            ("redis://:s3cret@one:1", "redis-cluster://:s3cret@one:1", false),
            ("file:a", "file:a", true),
            ("file:a", "file:b", false),
        ] {
            let current = CurrentAccess::new(access(before));
            let replaced = current.replace(access(after));
            assert_eq!(replaced.is_ok(), is_taken, "{before} {after}");
            let expected = if is_taken { after } else { before };
            assert_eq!(current.get(), access(expected));
            assert!(!replaced.is_err_and(|problem| problem.contains("s3cret")));
        }
    }

    #[test]
    fn a_password_of_sentinels_is_not_shown() {
        let access = StoreAccess {
            sentinel_password: Some("s3cret".into()),
            ..access("redis-sentinel://a:1/main")
        };
        assert!(!format!("{access:?}").contains("s3cret"));
    }
}
