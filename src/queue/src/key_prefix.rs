//! What the keys of a queue begin with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// The longest prefix, in bytes.
const LEN_MAX: usize = 32;

/// What the keys of a queue on Redis begin with: with different prefixes, several installations can share
/// a server. 1 to 32 of `a`–`z`, `A`–`Z`, `0`–`9`, `.`, `_` and `-`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyPrefix {
    bytes: [u8; LEN_MAX],
    len: usize,
}

/// A text that is not a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key prefix has 1 to {LEN_MAX} characters: letters, digits, `.`, `_` and `-`")]
pub struct InvalidKeyPrefix;

impl KeyPrefix {
    /// The prefix without a setting: `muster`.
    pub const DEFAULT: Self = {
        let mut bytes = [0; LEN_MAX];
        let default = b"muster";
        let mut index = 0;
        while index < default.len() {
            bytes[index] = default[index];
            index += 1;
        }
        Self { bytes, len: default.len() }
    };

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FromStr for KeyPrefix {
    type Err = InvalidKeyPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPrefix> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > LEN_MAX || !text.bytes().all(is_allowed) {
            return Err(InvalidKeyPrefix);
        }
        let mut bytes = [0; LEN_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: text.len() })
    }
}

impl TryFrom<String> for KeyPrefix {
    type Error = InvalidKeyPrefix;

    fn try_from(text: String) -> Result<Self, InvalidKeyPrefix> {
        text.parse()
    }
}

impl Serialize for KeyPrefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPrefix({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_what_no_key_needs_escapes_for() {
        assert_eq!(KeyPrefix::DEFAULT.as_str(), "muster");
        for text in ["a", "acme.test_2-b", &"a".repeat(LEN_MAX)] {
            assert_eq!(text.parse::<KeyPrefix>().unwrap().as_str(), text);
        }
        for text in ["", "a:b", "{a}", "a b", "ä", &"a".repeat(LEN_MAX + 1)] {
            assert_eq!(text.parse::<KeyPrefix>(), Err(InvalidKeyPrefix), "{text}");
        }
    }
}
