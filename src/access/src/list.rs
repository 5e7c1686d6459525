//! Who may do what: the access list, a TOML file that is read again when it changes.
//!
//! ```toml
//! [[token]]
//! name = "berlin"
//! roles = ["send"]
//! sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//! records_per_second = 5000 # [default: the server's `records_per_second_max`]
//!
//! [[certificate]]
//! name = "ops"
//! roles = ["operate"]
//! subject = "ops.example.org"
//! ```
//!
//! The subject of a certificate is its common name, or one of its alternative names: a DNS name, an
//! address of e-mail, or a URI.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use muster_program::watched::{Unread, Watch, Watched};
use serde::Deserialize;

use crate::peer::Peer;
use crate::principal::Principal;
use crate::rate::Rate;
use crate::role::Role;
use crate::token::Digest;

/// How long a name may be, in characters.
const NAME_MAX: usize = 64;

/// The access list as it is now.
pub struct Access(Watched<List, String>);

/// Why the access list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);

/// Why somebody is nobody on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing says who it is.
    #[error("say who you are: give a token")]
    Nobody,
    /// There is a token, and it is none of the list.
    #[error("this token is not known: it may have been revoked")]
    UnknownToken,
    /// There is a certificate, and its subject is none of the list.
    #[error("the subject of this certificate is not on the access list")]
    UnknownCertificate,
}

#[derive(Debug)]
struct List {
    tokens: Vec<(Digest, Arc<Principal>)>,
    certificates: Vec<(String, Arc<Principal>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry<TokenKey>>,
    #[serde(default)]
    certificate: Vec<Entry<CertificateKey>>,
}

#[derive(Deserialize)]
struct Entry<K> {
    name: String,
    roles: Vec<Role>,
    records_per_second: Option<NonZeroU32>,
    #[serde(flatten)]
    key: K,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenKey {
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateKey {
    subject: String,
}

impl Access {
    /// Reads the list. Who has no rate of their own there may send `rate` records a second.
    ///
    /// # Errors
    ///
    /// It cannot be read or understood; the message names the file, and the entry.
    pub fn open(path: &Path, rate: Option<NonZeroU32>) -> Result<Self, AccessError> {
        let shown = path.display().to_string();
        let parse = move |mut contents: Vec<Vec<u8>>, before: Option<&List>| {
            let content = contents.pop().unwrap_or_default();
            let list = List::parse(&content, rate);
            let list = list.map_err(|problem| format!("{shown}: {problem}"))?;
            Ok(before.into_iter().fold(list, List::in_place_of))
        };
        let watched = Watched::open("access", vec![path.to_owned()], parse);
        watched.map(Self).map_err(|error: Unread<String>| AccessError(error.to_string()))
    }

    /// Checks a list that is, or is to be, in the file at `path`.
    ///
    /// # Errors
    ///
    /// It cannot be understood; the message names the file, and the entry.
    pub fn check(path: &Path, text: &str) -> Result<(), AccessError> {
        let checked = List::parse(text.as_bytes(), None);
        let of_file = |problem| AccessError(format!("{}: {problem}", path.display()));
        checked.map(|_| ()).map_err(of_file)
    }

    /// Who calls: by the token, if there is one, or else by the certificate of the connection.
    ///
    /// # Errors
    ///
    /// Nobody on the list.
    pub fn identify(&self, token: Option<&str>, peer: &Peer) -> Result<Arc<Principal>, Refusal> {
        if let Some(token) = token {
            return Digest::of(token)
                .and_then(|digest| self.of_digest(&digest))
                .ok_or(Refusal::UnknownToken);
        }
        if peer.subjects().is_empty() {
            return Err(Refusal::Nobody);
        }
        let list = self.0.current();
        let known = list.certificates.iter().find(|(subject, _)| peer.subjects().contains(subject));
        known.map(|(_, principal)| Arc::clone(principal)).ok_or(Refusal::UnknownCertificate)
    }

    /// Whose token has this digest.
    pub fn of_digest(&self, digest: &Digest) -> Option<Arc<Principal>> {
        let list = self.0.current();
        // All of them, each in constant time: how long it takes says nothing of any.
        let found =
            list.tokens.iter().fold(
                None,
                |found, (known, principal)| {
                    if known == digest { Some(principal) } else { found }
                },
            );
        found.cloned()
    }
}

impl Watch for Access {
    async fn watch(&self) {
        self.0.watch().await;
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Access").field(&self.0.current()).finish()
    }
}

impl List {
    fn parse(content: &[u8], rate: Option<NonZeroU32>) -> Result<Self, String> {
        let text = str::from_utf8(content).map_err(|_| "is not UTF-8".to_owned())?;
        let File { token, certificate } =
            toml::from_str(text).map_err(|error: toml::de::Error| one_line(text, &error))?;
        let mut names = HashSet::new();
        let mut list = Self { tokens: Vec::new(), certificates: Vec::new() };
        for Entry { name, roles, records_per_second, key } in token {
            let of = format!("the token `{}`", shown(&name));
            let digest = key.sha256.parse().map_err(|problem| format!("{of}: {problem}"))?;
            if list.tokens.iter().any(|(known, _)| *known == digest) {
                return Err(format!("{of}: its `sha256` is there twice"));
            }
            let principal = principal(&mut names, name, roles, records_per_second.or(rate));
            list.tokens.push((digest, principal.map_err(|problem| format!("{of}: {problem}"))?));
        }
        for Entry { name, roles, records_per_second, key } in certificate {
            let of = format!("the certificate `{}`", shown(&name));
            if key.subject.is_empty() {
                return Err(format!("{of}: its `subject` is empty"));
            }
            if list.certificates.iter().any(|(known, _)| *known == key.subject) {
                return Err(format!("{of}: its `subject` is there twice"));
            }
            let principal = principal(&mut names, name, roles, records_per_second.or(rate));
            let principal = principal.map_err(|problem| format!("{of}: {problem}"))?;
            list.certificates.push((key.subject, principal));
        }
        Ok(list)
    }

    /// This list in place of another: whose entry is the same is the same somebody, and all others
    /// of before are revoked.
    fn in_place_of(mut self, before: &Self) -> Self {
        keep(&mut self.tokens, &before.tokens);
        keep(&mut self.certificates, &before.certificates);
        self
    }
}

fn keep<K: PartialEq>(now: &mut [(K, Arc<Principal>)], before: &[(K, Arc<Principal>)]) {
    for (key, was) in before {
        match now.iter_mut().find(|(known, is)| known == key && is.is_as(was)) {
            Some((_, is)) => *is = Arc::clone(was),
            None => was.revoke(),
        }
    }
}

fn principal(
    names: &mut HashSet<String>,
    name: String,
    roles: Vec<Role>,
    rate: Option<NonZeroU32>,
) -> Result<Arc<Principal>, String> {
    if !is_name(&name) {
        return Err(format!("its `name` must have 1 to {NAME_MAX} of A-Z a-z 0-9 . _ - @"));
    }
    if roles.is_empty() {
        return Err("its `roles` are none: it may do nothing".to_owned());
    }
    if !names.insert(name.clone()) {
        return Err("its `name` is there twice".to_owned());
    }
    Ok(Arc::new(Principal::new(name, roles, rate.map(Rate::new))))
}

/// Whether a name can stand in a log, on a page, and in a terminal as it is: 1 to 64 of
/// `A-Z a-z 0-9 . _ - @`.
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

fn shown(name: &str) -> String {
    name.escape_default().take(NAME_MAX).collect()
}

/// What is wrong, and in which line, without the line.
fn one_line(text: &str, error: &toml::de::Error) -> String {
    let problem = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            format!("line {}: {problem}", before.matches('\n').count() + 1)
        }
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Token;

    fn parse(text: &str) -> Result<List, String> {
        List::parse(text.as_bytes(), None)
    }

    fn entry(name: &str, token: &Token) -> String {
        token.entry(name, &[Role::Send], None)
    }

    #[test]
    fn who_calls_is_known_by_token_or_certificate_until_the_list_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        let (berlin, paris) = (Token::random(), Token::random());
        let certificate =
            "[[certificate]]\nname = \"ops\"\nroles = [\"operate\"]\nsubject = \"ops.example\"\n";
        std::fs::write(&path, entry("berlin", &berlin) + &entry("paris", &paris) + certificate)
            .unwrap();
        let access = Access::open(&path, None).unwrap();
        let name = |token, subjects: &[&str]| {
            let principal = access.identify(token, &Peer::of_test(subjects))?;
            Ok(principal.name().to_owned())
        };
        assert_eq!(name(Some(berlin.reveal()), &[]), Ok("berlin".to_owned()));
        assert_eq!(name(Some(paris.reveal()), &["ops.example"]), Ok("paris".to_owned()));
        assert_eq!(name(None, &["x", "ops.example"]), Ok("ops".to_owned()));
        assert_eq!(name(None, &["x"]), Err(Refusal::UnknownCertificate));
        assert_eq!(name(None, &[]), Err(Refusal::Nobody));
        let longer = format!("{} ", berlin.reveal());
        for wrong in ["", "muster_", &berlin.reveal()[..49], &longer] {
            assert_eq!(name(Some(wrong), &["ops.example"]), Err(Refusal::UnknownToken), "{wrong}");
        }
        let ops = access.identify(None, &Peer::of_test(&["ops.example"])).unwrap();
        assert!(ops.may(Role::Operate) && ops.may(Role::Read) && !ops.may(Role::Send));

        std::fs::write(&path, entry("paris", &paris)).unwrap();
        access.0.check();
        access.0.check();
        assert_eq!(name(Some(berlin.reveal()), &[]), Err(Refusal::UnknownToken));
        assert_eq!(name(Some(paris.reveal()), &[]), Ok("paris".to_owned()));
    }

    #[tokio::test]
    async fn whose_entry_stays_as_it_is_has_the_same_rate_and_others_are_revoked() {
        let (berlin, paris, rome) = (Token::random(), Token::random(), Token::random());
        let list = |entries: &[(&str, &Token, &[Role])]| {
            let entry = |(name, token, roles): &(&str, &Token, &[Role])| {
                token.entry(name, roles, NonZeroU32::new(1))
            };
            parse(&entries.iter().map(entry).collect::<String>()).unwrap()
        };
        let before = list(&[
            ("berlin", &berlin, &[Role::Send]),
            ("paris", &paris, &[Role::Send]),
            ("rome", &rome, &[Role::Send]),
        ]);
        let was: Vec<_> = before.tokens.iter().map(|(_, was)| Arc::clone(was)).collect();
        was[0].rate().unwrap().take(1).unwrap();
        let now = list(&[("paris", &paris, &[Role::Read]), ("berlin", &berlin, &[Role::Send])]);
        let now = now.in_place_of(&before);
        assert!(now.tokens[1].1.rate().unwrap().take(1).is_err(), "what was taken is taken");
        was[1].revoked().await;
        was[2].revoked().await;
        for stays in [&was[0], &now.tokens[0].1] {
            assert!(futures::FutureExt::now_or_never(stays.revoked()).is_none(), "{stays}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_list_is_said_without_its_lines() {
        let token = Token::random();
        let good = entry("a", &token);
        for (text, problem) in [
            (good.clone() + &good, "the token `a`: its `sha256` is there twice"),
            (entry("a", &Token::random()) + &good, "the token `a`: its `name` is there twice"),
            (entry("a b", &token), "the token `a b`: its `name` must have 1 to 64 of"),
            (good.replace("[\"send\"]", "[]"), "the token `a`: its `roles` are none"),
            (good.replace("send", "sent"), "line 3: unknown variant `sent`"),
            (good.replace("sha256 = \"", "sha256 = \"0"), "the token `a`: a digest is 64"),
            (good.replace("sha256", "sha"), "missing field `sha256`"),
            ("token = 1".to_owned(), "line 1: invalid type"),
            ("[[tokens]]\nname = 1".to_owned(), "line 1: unknown field `tokens`"),
        ] {
            let message = parse(&text).unwrap_err();
            assert!(message.contains(problem), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
        assert!(parse("").unwrap().tokens.is_empty());
    }
}
