//! A record as a form. What cannot be seen, or typed, is written as Rust does it: `\n`, `\u{202e}`,
//! and so `\\` for the backslash itself.

use muster_program::printable;
use muster_proto::users::UserRequest;
use prost::Message as _;
use serde::Deserialize;

use crate::error::Failure;

/// The nine fields as they are typed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct RecordForm {
    id: String,
    user_name: String,
    email: String,
    first_name: String,
    last_name: String,
    ip_address: String,
    gender: String,
    country: String,
    agent: String,
}

impl RecordForm {
    /// The name of each field, and what is typed in it.
    pub(crate) fn fields(&self) -> [(&'static str, &str); 9] {
        [
            ("id", &self.id),
            ("user_name", &self.user_name),
            ("email", &self.email),
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("ip_address", &self.ip_address),
            ("gender", &self.gender),
            ("country", &self.country),
            ("agent", &self.agent),
        ]
    }

    /// The record, encoded.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        let id = self.id.trim().parse().map_err(|_| {
            Failure::Unreadable(format!(
                "`id` must be a whole number from {} to {}, and is \"{}\".",
                i32::MIN,
                i32::MAX,
                self.id
            ))
        })?;
        let record = UserRequest {
            id,
            user_name: unspelt("user_name", &self.user_name)?,
            email: unspelt("email", &self.email)?,
            first_name: unspelt("first_name", &self.first_name)?,
            last_name: unspelt("last_name", &self.last_name)?,
            ip_address: unspelt("ip_address", &self.ip_address)?,
            gender: unspelt("gender", &self.gender)?,
            country: unspelt("country", &self.country)?,
            agent: unspelt("agent", &self.agent)?,
        };
        Ok(record.encode_to_vec())
    }
}

impl From<&UserRequest> for RecordForm {
    fn from(record: &UserRequest) -> Self {
        Self {
            id: record.id.to_string(),
            user_name: spelt(&record.user_name),
            email: spelt(&record.email),
            first_name: spelt(&record.first_name),
            last_name: spelt(&record.last_name),
            ip_address: spelt(&record.ip_address),
            gender: spelt(&record.gender),
            country: spelt(&record.country),
            agent: spelt(&record.agent),
        }
    }
}

fn spelt(text: &str) -> String {
    printable::text(&text.replace('\\', r"\\"))
}

fn unspelt(field: &str, typed: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let mut rest = typed;
    while let Some((before, after)) = rest.split_once('\\') {
        let (c, len) = escaped(after).ok_or_else(|| {
            Failure::Unreadable(format!(
                r"In `{field}` a backslash stands before something else than \, n, r, t, 0, or u{{…}}."
            ))
        })?;
        text.push_str(before);
        text.push(c);
        rest = &after[len..];
    }
    Ok(text + rest)
}

/// The character that stands behind a backslash, and how much of the text it takes.
fn escaped(after: &str) -> Option<(char, usize)> {
    let c = match after.chars().next()? {
        '\\' => '\\',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'u' => {
            let (code, _) = after.strip_prefix("u{")?.split_once('}')?;
            let c = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
            return Some((c, "u{}".len() + code.len()));
        }
        _ => return None,
    };
    Some((c, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back_from_its_form(text: String, id: i32) {
            let record = UserRequest { id, agent: text.clone(), email: text, ..Default::default() };
            let form = RecordForm::from(&record);
            prop_assert!(!form.agent.chars().any(printable::is_obeyed));
            prop_assert_eq!(form.read().unwrap(), record.encode_to_vec());
        }
    }

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(spelt("C:\\new\n\u{202e}"), r"C:\\new\n\u{202e}");
        assert_eq!(unspelt("agent", r"C:\\new\n\u{202E}!").unwrap(), "C:\\new\n\u{202e}!");
    }

    #[test]
    fn what_is_mistyped_is_refused() {
        for typed in [r"C:\windows", r"a\", r"\u{}", r"\u{d800}", r"\u202e", r"\u{202e"] {
            let failure = unspelt("agent", typed).unwrap_err();
            assert!(matches!(failure, Failure::Unreadable(what) if what.contains("`agent`")));
        }
        let form = RecordForm { id: "1e3".into(), ..(&UserRequest::default()).into() };
        assert!(matches!(form.read(), Err(Failure::Unreadable(what)) if what.contains("1e3")));
    }
}
