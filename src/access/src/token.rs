//! Secrets that say who calls, and their digests, by which the server knows them.
//!
//! A token is 32 random bytes. Nobody can guess it, however fast the digest is to compute, so that
//! a plain SHA-256 is kept, as no slow password hash is needed for what no person has thought up.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::role::Role;

/// What every token begins with, so that a search for leaked secrets finds it.
const PREFIX: &str = "muster_";
/// How long a text may be that is looked up, in bytes. A token has 50.
const LOOKED_UP_MAX: usize = 128;

/// A secret that says who calls. It is shown only when it is asked for by [`reveal`](Self::reveal).
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::rng().random();
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Its text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its entry in an access list, for somebody of this name with these roles.
    pub fn entry(&self, name: &str, roles: &[Role], rate: Option<NonZeroU32>) -> String {
        let mut names: Vec<&str> = Vec::new();
        for role in roles.iter().map(|role| role.name()) {
            if !names.contains(&role) {
                names.push(role);
            }
        }
        let rate = rate.map(|rate| format!("records_per_second = {rate}\n")).unwrap_or_default();
        let digest = self.digest();
        format!("[[token]]\nname = \"{name}\"\nroles = {names:?}\nsha256 = \"{digest}\"\n{rate}")
    }

    /// What the access list has of it.
    pub fn digest(&self) -> Digest {
        Digest::hash(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// The SHA-256 of a token. Two of them are compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of a text which may be a token; `None` if it is longer than any.
    pub fn of(text: &str) -> Option<Self> {
        (text.len() <= LOOKED_UP_MAX).then(|| Self::hash(text.as_bytes()))
    }

    fn hash(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits: the SHA-256 of a token")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| NoDigest)?;
        }
        Ok(Self(bytes))
    }
}

/// An `authorization` that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`authorization` must be `Bearer TOKEN`")]
pub struct NoBearer;

/// The token that a call comes with, if it has one (RFC 6750).
///
/// # Errors
///
/// It says otherwise who calls.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NoBearer> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    match value.to_str().ok().and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token)),
        _ => Err(NoBearer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_alone() {
        let (token, other) = (Token::random(), Token::random());
        let written: Digest = token.digest().to_string().parse().unwrap();
        assert_eq!(Digest::of(token.reveal()), Some(written));
        assert_ne!(Digest::of(other.reveal()), Some(written));
        assert!(token.reveal().starts_with(PREFIX) && token.reveal().len() == 50);
        assert!(!format!("{token:?}").contains(token.reveal()));
    }

    #[test]
    fn a_digest_is_the_sha_256_of_the_text() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").unwrap().to_string(), known);
        assert_eq!(known.to_uppercase().parse(), Ok(Digest::of("abc").unwrap()));
    }

    #[test]
    fn a_call_has_a_token_or_none_and_nothing_else_in_its_place() {
        let of = |value: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.try_into().unwrap());
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(bearer(&HeaderMap::new()), Ok(None));
        for value in ["Bearer muster_x", "bearer muster_x", "BEARER muster_x"] {
            assert_eq!(of(value.as_bytes()), Ok(Some("muster_x".to_owned())), "{value}");
        }
        for value in [&b"Basic eA=="[..], b"muster_x", b"Bearer", b"", b"Bearer \xff"] {
            assert_eq!(of(value), Err(NoBearer), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(text.parse::<Digest>(), Err(NoDigest), "{text}");
        }
        assert_eq!(Digest::of(&"a".repeat(129)), None);
    }
}
