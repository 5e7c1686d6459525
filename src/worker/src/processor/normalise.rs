//! Tidies records up, without changing what they say.

use std::borrow::Cow;
use std::net::IpAddr;

use muster_proto::user::User;

use super::{Processor, Verdict};

/// Takes blanks off both ends of every value, writes the domain of `email` in lower case, and
/// `ip_address` in its usual form (RFC 5952 for version 6).
#[derive(Clone, Copy, Debug)]
pub struct Normalise;

impl Processor for Normalise {
    fn process(&self, record: &User<'_>) -> Verdict {
        let (email, ip_address) = (email(record.email), ip_address(record.ip_address));
        let tidy = User {
            id: record.id,
            user_name: record.user_name.trim(),
            email: &email,
            first_name: record.first_name.trim(),
            last_name: record.last_name.trim(),
            ip_address: &ip_address,
            gender: record.gender.trim(),
            country: record.country.trim(),
            agent: record.agent.trim(),
        };
        if tidy == *record { Verdict::Keep } else { Verdict::Replace(Box::new(tidy.into())) }
    }
}

fn email(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    match value.rsplit_once('@') {
        Some((local, domain)) if domain.chars().any(char::is_uppercase) => {
            format!("{local}@{}", domain.to_lowercase()).into()
        }
        _ => value.into(),
    }
}

fn ip_address(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    value.parse::<IpAddr>().map_or(value.into(), |address| address.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_tidied_and_tidy_ones_are_kept() {
        let untidy = User {
            id: 1,
            user_name: "\tann ",
            email: " Ann@Example.ORG",
            ip_address: "2001:DB8:0::1 ",
            ..User::default()
        };
        let Verdict::Replace(tidy) = Normalise.process(&untidy) else { panic!("was kept") };
        assert_eq!(tidy.user_name, "ann");
        assert_eq!(tidy.email, "Ann@example.org");
        assert_eq!(tidy.ip_address, "2001:db8::1");
        assert_eq!(Normalise.process(&User::from(&*tidy)), Verdict::Keep);
    }
}
