//! The keys of a keyboard, as the protocol wants them.

use serde_json::{Value, json};

/// Keys with a name: their code, their number, and the text that they write.
const NAMED: &[(&str, &str, u32, Option<&str>)] = &[
    ("ArrowDown", "ArrowDown", 40, None),
    ("ArrowLeft", "ArrowLeft", 37, None),
    ("ArrowRight", "ArrowRight", 39, None),
    ("ArrowUp", "ArrowUp", 38, None),
    ("Backspace", "Backspace", 8, None),
    ("Delete", "Delete", 46, None),
    ("End", "End", 35, None),
    ("Enter", "Enter", 13, Some("\r")),
    ("Escape", "Escape", 27, None),
    ("Home", "Home", 36, None),
    ("PageDown", "PageDown", 34, None),
    ("PageUp", "PageUp", 33, None),
    ("Space", "Space", 32, Some(" ")),
    ("Tab", "Tab", 9, None),
];

/// Keys that are held, and their bits.
const HELD: &[(&str, u32)] = &[("Alt", 1), ("Control", 2), ("Shift", 8)];

/// What `Input.dispatchKeyEvent` gets when a key goes down: `Tab`, `a`, `Shift+Tab`, `Control+Enter`.
///
/// # Panics
///
/// When there is no such key.
pub(super) fn down(key: &str) -> Value {
    // A plus sign is a key too.
    let (held, key) = match key.strip_suffix("++") {
        Some(held) => (held, "+"),
        None => key.rsplit_once('+').filter(|(_, key)| !key.is_empty()).unwrap_or(("", key)),
    };
    let modifiers = held.split('+').filter(|name| !name.is_empty()).fold(0, |bits, name| {
        let held = HELD.iter().find(|(held, _)| *held == name);
        bits | held.unwrap_or_else(|| panic!("{name} is no key that is held")).1
    });
    let mut down = match NAMED.iter().find(|(name, ..)| *name == key) {
        Some((name, code, number, text)) => {
            let name = if *name == "Space" { " " } else { name };
            json!({ "key": name, "code": code, "windowsVirtualKeyCode": number, "text": text })
        }
        None => {
            assert_eq!(key.chars().count(), 1, "{key:?} is no key");
            let number = u32::from(key.to_ascii_uppercase().chars().next().unwrap_or_default());
            json!({ "key": key, "windowsVirtualKeyCode": number, "text": key })
        }
    };
    // With Control or Alt held, a key is a command and writes nothing.
    if modifiers & 0b11 != 0 || down["text"].is_null() {
        down["text"] = "".into();
    }
    down["type"] = "keyDown".into();
    down["modifiers"] = modifiers.into();
    down
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> (String, u64, String) {
        let down = down(name);
        let text = |field: &str| down[field].as_str().unwrap().to_owned();
        (text("key"), down["modifiers"].as_u64().unwrap(), text("text"))
    }

    #[test]
    fn keys_alone_and_with_others_held() {
        let is = |name, key_name: &str, modifiers, text: &str| {
            assert_eq!(key(name), (key_name.to_owned(), modifiers, text.to_owned()), "{name}");
        };
        is("a", "a", 0, "a");
        is("+", "+", 0, "+");
        is("Space", " ", 0, " ");
        is("Shift+Tab", "Tab", 8, "");
        is("Control+Shift+a", "a", 10, "");
        is("Shift++", "+", 8, "+");
    }

    #[test]
    #[should_panic(expected = "\"Tabb\" is no key")]
    fn a_key_that_is_none() {
        down("Tabb");
    }

    #[test]
    #[should_panic(expected = "Hyper is no key that is held")]
    fn a_key_that_cannot_be_held() {
        down("Hyper+a");
    }
}
