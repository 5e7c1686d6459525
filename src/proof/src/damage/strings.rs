//! Strings in text that may be damaged.

/// What a byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    Outside,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
    /// Behind a quote, which ends the string if the right byte follows.
    Quote,
}

/// Tells strings from what is outside of them, one byte after another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strings {
    state: State,
}

impl Strings {
    /// Takes the next byte.
    pub(crate) fn step(&mut self, byte: u8) -> Role {
        let (state, role) = match (self.state, byte) {
            (State::Quote, b' ' | b'\t' | b'\r') => (State::Quote, Role::Text),
            (State::Quote, b',' | b':' | b'}' | b']' | b'\n' | 0x1e) => {
                (State::Outside, Role::Outside)
            }
            (State::Quote, _) => {
                self.state = State::Inside;
                return self.step(byte);
            }
            (State::Inside | State::Escaped, b'\n') => (State::Outside, Role::Outside),
            (State::Inside, b'\\') => (State::Escaped, Role::Text),
            (State::Inside, b'"') => (State::Quote, Role::Text),
            (State::Inside | State::Escaped, _) | (State::Outside, b'"') => {
                (State::Inside, Role::Text)
            }
            (State::Outside, _) => (State::Outside, Role::Outside),
        };
        self.state = state;
        role
    }

    /// Whether a string is open if the source ends here.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Inside | State::Escaped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_close_strings_only_before_what_can_follow_them() {
        // `s` stands for a byte of a string.
        for (text, roles, open) in [
            ("\"a\" , 1", "sssso..", false),
            ("\"a\"b\":1", "sssssoo", false),
            ("\"a\"\"", "ssss", false),
            ("\"a\\\"b\"", "sssssss", false),
            ("\"a\n,", "ssoo", false),
            ("\"a\\\n\"", "sssos", true),
            ("\"a\"\n", "ssso", false),
            ("\"a\" {\"", "sssssss", false),
            ("\"a", "ss", true),
        ] {
            let mut strings = Strings::default();
            for (byte, expected) in text.bytes().zip(roles.bytes()) {
                let role = strings.step(byte);
                let expected = if expected == b's' { Role::Text } else { Role::Outside };
                assert_eq!(role, expected, "{text:?} {}", byte as char);
            }
            assert_eq!(strings.is_open(), open, "{text:?}");
        }
    }
}
