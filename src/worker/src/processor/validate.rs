//! Refuses records that cannot be right.

use std::net::IpAddr;

use muster_proto::user::User;

use super::{Processor, Verdict};

/// Which rules hold. All of them, by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `email`, when present, is an address.
    pub email: bool,
    /// `ip_address`, when present, is one, of version 4 or 6.
    pub ip_address: bool,
    /// One of `user_name` and `email` is present.
    pub identity: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { email: true, ip_address: true, identity: true }
    }
}

/// Refuses records that break a rule; the others it leaves as they are.
#[derive(Clone, Copy, Debug)]
pub struct Validate {
    rules: Rules,
}

impl Validate {
    /// Holds records to these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }
}

impl Processor for Validate {
    fn process(&self, record: &User<'_>) -> Verdict {
        let User { user_name, email, ip_address, .. } = *record;
        if self.rules.identity && user_name.is_empty() && email.is_empty() {
            return Verdict::Reject("`user_name` and `email` are both empty".to_owned());
        }
        if self.rules.email && !email.is_empty() && !is_email(email) {
            return Verdict::Reject(format!("`email` is no address: {}", quoted(email)));
        }
        if self.rules.ip_address && !ip_address.is_empty() && ip_address.parse::<IpAddr>().is_err()
        {
            return Verdict::Reject(format!("`ip_address` is none: {}", quoted(ip_address)));
        }
        Verdict::Keep
    }
}

/// The longest address, in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
const EMAIL_LEN_MAX: usize = 254;
/// The longest part of a domain between two dots, in bytes (RFC 1035, 2.3.4).
const LABEL_LEN_MAX: usize = 63;

/// Whether this is an address as the HTML standard has it ("valid email address", 4.10.5.1.5),
/// with letters of every script (RFC 6531).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_LEN_MAX
            && label.chars().all(|c| may_be_in(Part::Label, c))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= EMAIL_LEN_MAX
        && !local.is_empty()
        && local.chars().all(|c| may_be_in(Part::Local, c))
        && domain.split('.').all(is_label)
}

/// A part of an address.
#[derive(Clone, Copy)]
enum Part {
    /// What is before the `@`.
    Local = 1,
    /// What is between two dots of the domain.
    Label = 2,
}

/// In which parts an ASCII character may be: a bit for each.
const PARTS: [u8; 128] = {
    let mut parts = [0; 128];
    let mut c = 0_u8;
    while c.is_ascii() {
        if c.is_ascii_alphanumeric() || c == b'-' {
            parts[c as usize] = Part::Local as u8 | Part::Label as u8;
        }
        c += 1;
    }
    let others = b".!#$%&'*+/=?^_`{|}~";
    let mut i = 0;
    while i < others.len() {
        parts[others[i] as usize] = Part::Local as u8;
        i += 1;
    }
    parts
};

fn may_be_in(part: Part, c: char) -> bool {
    match PARTS.get(c as usize) {
        Some(parts) => parts & part as u8 != 0,
        None => c.is_alphanumeric(),
    }
}

/// A value for a message: quoted, without control characters, its beginning if it is long.
fn quoted(value: &str) -> String {
    const SHOWN_MAX: usize = 80;
    let shown: String = value.chars().take(SHOWN_MAX).collect();
    let more = if shown.len() < value.len() { "…" } else { "" };
    format!("\"{}{more}\"", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        let label = "a".repeat(63);
        for good in ["a@b", "agerber0@blogger.com", "łukasz+x@przykład.pl", &format!("a@{label}.b")]
        {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(250));
        let long_label = format!("a@{label}a.b");
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b..c",
            "a@-b",
            "a@b-",
            "a@b@c",
            "a\n@b",
            &long,
            &long_label,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    /// The parts, letter by letter as the standard says it.
    fn may_be_in_as_written(part: Part, c: char) -> bool {
        c.is_alphanumeric()
            || match part {
                Part::Local => ".!#$%&'*+/=?^_`{|}~-".contains(c),
                Part::Label => c == '-',
            }
    }

    #[test]
    fn every_letter_is_where_it_may_be() {
        for c in char::MIN..=char::MAX {
            for part in [Part::Local, Part::Label] {
                assert_eq!(may_be_in(part, c), may_be_in_as_written(part, c), "{c:?}");
            }
        }
    }

    #[test]
    fn each_rule_refuses_with_its_reason_and_can_be_switched_off() {
        let named = User { user_name: "a", ..User::default() };
        let off = Rules { email: false, ip_address: false, identity: false };
        let cases = [
            (User::default(), "`user_name` and `email` are both empty"),
            (User { email: "a.b", ..named }, "`email` is no address: \"a.b\""),
            (User { ip_address: "1.2.3\u{1b}", ..named }, "`ip_address` is none: \"1.2.3\\u{1b}\""),
        ];
        for (record, reason) in cases {
            let verdict = Validate::new(Rules::default()).process(&record);
            assert_eq!(verdict, Verdict::Reject(reason.to_owned()));
            assert_eq!(Validate::new(off).process(&record), Verdict::Keep);
        }
    }

    #[test]
    fn whole_records_are_kept() {
        for ip_address in ["", "172.6.28.178", "2001:db8::1"] {
            let record = User { email: "a@b.example", ip_address, ..User::default() };
            assert_eq!(Validate::new(Rules::default()).process(&record), Verdict::Keep);
        }
    }

    #[test]
    fn a_long_value_is_shown_in_part() {
        assert!(quoted(&"x".repeat(1000)).len() < 100);
    }
}
