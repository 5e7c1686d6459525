//! Those who have signed in by a browser.
//!
//! A browser keeps a random secret in a cookie; the server keeps its digest, beside that of the
//! token that was given. The token is looked up again at each request: who is taken off the list is
//! signed out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::list::Access;
use crate::principal::Principal;
use crate::token::{Digest, Token};

/// How long one may be signed in.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// How many may be signed in at once; beyond, the oldest one is signed out.
const SESSIONS_MAX: usize = 1024;

/// Those who have signed in.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    token: Digest,
    since: Instant,
}

/// The secret of somebody who has signed in, for the cookie.
#[derive(Clone, Debug)]
pub struct Session(Token);

impl Session {
    /// Its text.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl Sessions {
    /// Signs in whoever has this token; nobody if it is not on the list.
    pub fn sign_in(&self, access: &Access, token: &str) -> Option<(Session, Arc<Principal>)> {
        let digest = Digest::of(token)?;
        let principal = access.of_digest(&digest)?;
        let session = Session(Token::random());
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.since.elapsed() < LIFE);
        if entries.len() >= SESSIONS_MAX {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                entries.remove(&key);
            }
        }
        let entry = Entry { token: digest, since: Instant::now() };
        entries.insert(session.0.digest().to_string(), entry);
        Some((session, principal))
    }

    /// Who has signed in with this secret.
    pub fn find(&self, access: &Access, session: &str) -> Option<Arc<Principal>> {
        let key = Digest::of(session)?.to_string();
        let token = {
            let entries = self.entries();
            entries.get(&key).filter(|entry| entry.since.elapsed() < LIFE)?.token
        };
        access.of_digest(&token)
    }

    /// Signs out.
    pub fn sign_out(&self, session: &str) {
        if let Some(digest) = Digest::of(session) {
            self.entries().remove(&digest.to_string());
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    fn access(folder: &std::path::Path, tokens: &[(&str, &Token)]) -> Access {
        let entry = |(name, token): &(&str, &Token)| token.entry(name, &[Role::Read], None);
        let path = folder.join("access.toml");
        std::fs::write(&path, tokens.iter().map(entry).collect::<String>()).unwrap();
        Access::open(&path, None).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_signed_in_is_known_until_the_end_of_the_session_or_of_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let (token, sessions) = (Token::random(), Sessions::default());
        let list = access(folder.path(), &[("ann", &token)]);
        assert!(sessions.sign_in(&list, "muster_wrong").is_none());
        let (session, ann) = sessions.sign_in(&list, token.reveal()).unwrap();
        assert_eq!(ann.name(), "ann");
        assert_eq!(sessions.find(&list, session.reveal()).unwrap().name(), "ann");
        assert!(sessions.find(&list, token.reveal()).is_none(), "a token is no session");

        let revoked = access(folder.path(), &[]);
        assert!(sessions.find(&revoked, session.reveal()).is_none());
        assert!(sessions.find(&list, session.reveal()).is_some());
        sessions.sign_out(session.reveal());
        assert!(sessions.find(&list, session.reveal()).is_none());

        let (session, _) = sessions.sign_in(&list, token.reveal()).unwrap();
        tokio::time::advance(LIFE).await;
        assert!(sessions.find(&list, session.reveal()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_one_is_signed_out_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let (token, sessions) = (Token::random(), Sessions::default());
        let list = access(folder.path(), &[("ann", &token)]);
        let (first, _) = sessions.sign_in(&list, token.reveal()).unwrap();
        for _ in 0..SESSIONS_MAX {
            tokio::time::advance(Duration::from_millis(1)).await;
            sessions.sign_in(&list, token.reveal()).unwrap();
        }
        assert!(sessions.find(&list, first.reveal()).is_none());
        assert_eq!(sessions.entries().len(), SESSIONS_MAX);
    }
}
