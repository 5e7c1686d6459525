//! Files that are read again when they change, without a restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::metrics;

/// How often it is looked whether they have changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// The bytes of a file.
type Content = Vec<u8>;

/// What files say, as they said it last when it could be understood.
pub(crate) struct Watched<T, E> {
    what: &'static str,
    files: Vec<PathBuf>,
    parse: Box<Parse<T, E>>,
    /// The digest of what was looked at last, and of what was read last, understood or not.
    seen: Mutex<Seen>,
    current: RwLock<Arc<T>>,
}

#[derive(Clone, Copy)]
struct Seen {
    looked_at: [u8; 32],
    read: [u8; 32],
}

/// From the files, and from what they said before.
type Parse<T, E> = dyn Fn(Vec<Content>, Option<&T>) -> Result<T, E> + Send + Sync;

/// Something that looks for changes as long as it is polled.
pub trait Watch: Send + Sync {
    /// Looks, now and again. It never ends.
    fn watch(&self) -> impl Future<Output = ()> + Send;
}

/// Why files are not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread<E> {
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Bad(E),
}

impl<T, E: fmt::Display> Watched<T, E> {
    /// Reads them for the first time. `what` names them for the metrics.
    pub(crate) fn open(
        what: &'static str,
        files: Vec<PathBuf>,
        parse: impl Fn(Vec<Content>, Option<&T>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Self, Unread<E>> {
        let contents = read(&files)?;
        let read = digest(&contents);
        let seen = Mutex::new(Seen { looked_at: read, read });
        let first = parse(contents, None).map_err(Unread::Bad)?;
        Ok(Self {
            what,
            files,
            parse: Box::new(parse),
            seen,
            current: RwLock::new(Arc::new(first)),
        })
    }

    pub(crate) fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether they have changed, and takes what they say now if it can be understood. What
    /// cannot be is said once, and what was taken before stays. Who writes them may be amid it: a
    /// change is taken at the second look that sees it.
    pub(crate) fn look(&self) {
        let files = self.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        let files = files.join(", ");
        let read = read(&self.files);
        let now = read.as_ref().map_or([0; 32], |contents| digest(contents));
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut seen.looked_at, now);
            if now == seen.read || now != before {
                return;
            }
            seen.read = now;
        }
        let parse = |contents| (self.parse)(contents, Some(&self.current()));
        let taken = read.and_then(|contents| parse(contents).map_err(Unread::Bad));
        metrics::reloaded(self.what, taken.is_ok());
        match taken {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(files, "read again, since it has changed");
            }
            Err(error) => {
                tracing::error!(%error, "not taken: what was read before is still in force; mend it");
            }
        }
    }
}

impl<T: Send + Sync, E: fmt::Display> Watch for Watched<T, E> {
    async fn watch(&self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            // A few files of some kilobytes, once a second: no thread of its own is worth it.
            self.look();
        }
    }
}

fn read<E>(files: &[PathBuf]) -> Result<Vec<Content>, Unread<E>> {
    let read = |path: &PathBuf| read_file(path);
    files.iter().map(read).collect()
}

fn read_file<E>(path: &Path) -> Result<Content, Unread<E>> {
    std::fs::read(path).map_err(|source| Unread::Unreadable { path: path.to_owned(), source })
}

fn digest(contents: &[Content]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for content in contents {
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_taken_and_what_cannot_be_understood_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        let number = |contents: Vec<Content>, _: Option<&u32>| {
            String::from_utf8_lossy(&contents[0]).parse::<u32>()
        };
        std::fs::write(&path, "1").unwrap();
        let watched = Watched::open("number", vec![path.clone()], number).unwrap();
        for (text, current) in [("2", 2), ("two", 2), ("", 2), ("3", 3)] {
            std::fs::write(&path, text).unwrap();
            let before = *watched.current();
            watched.look();
            assert_eq!(*watched.current(), before, "it may be half written");
            watched.look();
            assert_eq!(*watched.current(), current, "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        watched.look();
        watched.look();
        assert_eq!(*watched.current(), 3);
        let again = Watched::open("number", vec![path.clone()], number).err().unwrap();
        assert_eq!(
            again.to_string(),
            format!("{} cannot be read: No such file or directory (os error 2)", path.display())
        );
    }
}
