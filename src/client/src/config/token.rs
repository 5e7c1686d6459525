//! The token that says who asks: a secret.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use tonic::codegen::http::HeaderValue;

/// A token, as it goes out with every call. It is shown nowhere.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// The text is no token. It is not part of the message.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a token is one or more visible ASCII characters, without blanks")]
pub struct BadToken;

impl Token {
    /// What the header `authorization` is: `Bearer` and the token. HTTP/2 keeps it in no table.
    pub(crate) fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadToken);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| BadToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Takes text alone, and quotes nothing that it refuses.
struct Text;

impl Text {
    fn refuse<E: de::Error>() -> Result<Token, E> {
        Err(E::custom("looks like a number or a switch: put it in quotes, or into a file"))
    }
}

impl Visitor<'_> for Text {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Token, E> {
        Self::refuse()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Token, E> {
        Self::refuse()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Token, E> {
        Self::refuse()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Token, E> {
        Self::refuse()
    }
}
