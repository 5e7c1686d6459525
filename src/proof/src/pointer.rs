//! JSON Pointers to records, in which `*` stands for each element or member.

use std::str::FromStr;

/// Where the records are in each value of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The containers that are walked, up to its last `*`; empty if it has none.
    pub(crate) walked: Vec<Token>,
    /// What is followed inside of each element, behind the last `*`.
    pub(crate) names: Vec<String>,
}

/// One step of a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Each element of an array, or the value of each member of an object.
    Each,
    /// The member of this name, or the element of this number.
    Named(String),
}

/// Why a text is not a pointer to records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It is empty.
    #[error("the pointer is empty: records at the top need none")]
    Empty,
    /// It does not begin with a slash.
    #[error("a pointer begins with /, for example /data/*")]
    NoSlash,
    /// It has a `~` that begins no escape.
    #[error("a ~ in a pointer is followed by 0 for ~ itself, or by 1 for /")]
    Escape,
}

impl Token {
    fn parse(text: &str) -> Result<Self, PointerError> {
        if text == "*" {
            return Ok(Self::Each);
        }
        if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            return Err(PointerError::Escape);
        }
        // In this order: `~01` stands for `~1`.
        Ok(Self::Named(text.replace("~1", "/").replace("~0", "~")))
    }
}

/// The number that a name is, if it can be the number of an element.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = name.len() > 1 && name.starts_with('0');
    if digits && !leading_zero { name.parse().ok() } else { None }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Err(PointerError::Empty);
        }
        let tokens = text.strip_prefix('/').ok_or(PointerError::NoSlash)?.split('/');
        let mut pointer = Self { walked: Vec::new(), names: Vec::new() };
        for token in tokens {
            match Token::parse(token)? {
                Token::Each => {
                    pointer.walked.extend(pointer.names.drain(..).map(Token::Named));
                    pointer.walked.push(Token::Each);
                }
                Token::Named(name) => pointer.names.push(name),
            }
        }
        Ok(pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_is_read_with_its_escapes() {
        let pointer: Pointer = "/a~1b/*/~01/*/0/".parse().unwrap();
        let named = |name: &str| Token::Named(name.to_owned());
        assert_eq!(pointer.walked, [named("a/b"), Token::Each, named("~1"), Token::Each]);
        assert_eq!(pointer.names, ["0", ""]);
        let pointer: Pointer = "/a/**".parse().unwrap();
        assert_eq!(pointer, Pointer { walked: Vec::new(), names: vec!["a".into(), "**".into()] });
        for (text, error) in [
            ("", PointerError::Empty),
            ("data", PointerError::NoSlash),
            ("/a~", PointerError::Escape),
            ("/a~2", PointerError::Escape),
        ] {
            assert_eq!(text.parse::<Pointer>(), Err(error), "{text}");
        }
    }

    #[test]
    fn numbers_of_elements_have_no_leading_zeros() {
        for (name, expected) in
            [("0", Some(0)), ("12", Some(12)), ("01", None), ("", None), ("-1", None), ("a", None)]
        {
            assert_eq!(number(name), expected, "{name}");
        }
    }
}
