//! Files that are read again when they change, and at SIGHUP, without a restart.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};

use crate::metrics;

/// How often the files are checked for changes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The bytes of a file.
type Content = Vec<u8>;

/// The value of some files, as of the last time that they could be read and parsed.
pub struct Watched<T, E> {
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

/// Something that reads its files again, when they change or at SIGHUP, while it is polled.
pub trait Watch: Send + Sync {
    /// Watches the files. It never ends.
    fn watch(&self) -> impl Future<Output = ()> + Send;
}

/// Why files are not used.
#[derive(Debug, thiserror::Error)]
pub enum Unread<E> {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// What is in the files cannot be used.
    #[error(transparent)]
    Bad(E),
}

impl<T, E: fmt::Display> Watched<T, E> {
    /// Reads the files for the first time. `what` is their label in the metrics. `parse` is given the
    /// contents of the files, in order, and the value before.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or `parse` fails.
    pub fn open(
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

    /// The value now in use.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again if they have changed. If they cannot be used, that is logged once, and the
    /// value before stays in use. A program may be writing them at this moment, so a change counts
    /// from the second check that finds it.
    pub fn check(&self) {
        let read = read(&self.files);
        let now = digest_of(&read);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut seen.looked_at, now);
            if now == seen.read || now != before {
                return;
            }
            seen.read = now;
        }
        self.replace(read, "changed files were read again");
    }

    /// Reads the files again, whether they have changed or not.
    fn reload(&self) {
        let read = read(&self.files);
        let now = digest_of(&read);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Seen { looked_at: now, read: now };
        self.replace(read, "files were read again at SIGHUP");
    }

    fn replace(&self, read: Result<Vec<Content>, Unread<E>>, done: &str) {
        let what = self.what;
        let parse = |contents| (self.parse)(contents, Some(&self.current()));
        let parsed = read.and_then(|contents| parse(contents).map_err(Unread::Bad));
        metrics::reloaded(what, parsed.is_ok());
        match parsed {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!(what, "{done}");
            }
            Err(error) => {
                tracing::error!(what, %error, "reload failed; the previous version is still in use");
            }
        }
    }
}

impl<T, E> fmt::Debug for Watched<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("files", &self.files).finish_non_exhaustive()
    }
}

impl<T: Send + Sync, E: fmt::Display> Watch for Watched<T, E> {
    async fn watch(&self) {
        let mut hangups = signal(SignalKind::hangup()).ok();
        loop {
            let hangup = async {
                match &mut hangups {
                    Some(hangups) => hangups.recv().await,
                    None => std::future::pending().await,
                }
            };
            // The files are small: reading them needs no thread of its own.
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => self.check(),
                Some(()) = hangup => self.reload(),
            }
        }
    }
}

fn digest_of<E>(read: &Result<Vec<Content>, Unread<E>>) -> [u8; 32] {
    read.as_ref().map_or([0; 32], |contents| digest(contents))
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
            watched.check();
            assert_eq!(*watched.current(), before, "it may be half written");
            watched.check();
            assert_eq!(*watched.current(), current, "{text}");
        }
        std::fs::write(&path, "4").unwrap();
        watched.reload();
        assert_eq!(*watched.current(), 4, "at SIGHUP one look is enough: the file is complete");
        std::fs::remove_file(&path).unwrap();
        watched.check();
        watched.check();
        watched.reload();
        assert_eq!(*watched.current(), 4);
        let again = Watched::open("number", vec![path.clone()], number).err().unwrap();
        assert_eq!(
            again.to_string(),
            format!("{} cannot be read: No such file or directory (os error 2)", path.display())
        );
    }
}
