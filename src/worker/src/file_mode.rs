//! Who may read and write a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// The permission bits of a file, written in octal: `0600`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FileMode(u32);

/// A text that is not a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the permissions of a file in octal that let its owner read and write, such as 0600"
)]
pub struct InvalidFileMode;

impl FileMode {
    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = InvalidFileMode;

    fn from_str(text: &str) -> Result<Self, InvalidFileMode> {
        let bits = u32::from_str_radix(text, 8).map_err(|_| InvalidFileMode)?;
        let is_usable = bits <= 0o777 && bits & 0o600 == 0o600;
        if is_usable { Ok(Self(bits)) } else { Err(InvalidFileMode) }
    }
}

impl TryFrom<String> for FileMode {
    type Error = InvalidFileMode;

    fn try_from(text: String) -> Result<Self, InvalidFileMode> {
        text.parse()
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_is_read_and_shown_in_octal() {
        for (text, shown) in [("0600", "0600"), ("640", "0640"), ("0o", ""), ("", ""), ("0888", "")]
        {
            let mode = text.parse::<FileMode>().map(|mode| mode.to_string());
            assert_eq!(mode.unwrap_or_default(), shown, "{text}");
        }
        assert!("0400".parse::<FileMode>().is_err() && "1777".parse::<FileMode>().is_err());
    }
}
