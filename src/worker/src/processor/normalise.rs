//! Tidies records up, without changing what they say.

use std::net::IpAddr;

use muster_proto::users::UserRequest;

use super::{Processor, Verdict};

/// Takes blanks off both ends of every value, writes the domain of `email` in lower case, and
/// `ip_address` in its usual form (RFC 5952 for version 6).
#[derive(Clone, Copy, Debug)]
pub struct Normalise;

impl Processor for Normalise {
    fn process(&self, record: &UserRequest) -> Verdict {
        let tidy = UserRequest {
            id: record.id,
            user_name: trimmed(&record.user_name),
            email: email(&record.email),
            first_name: trimmed(&record.first_name),
            last_name: trimmed(&record.last_name),
            ip_address: ip_address(&record.ip_address),
            gender: trimmed(&record.gender),
            country: trimmed(&record.country),
            agent: trimmed(&record.agent),
        };
        if tidy == *record { Verdict::Keep } else { Verdict::Replace(Box::new(tidy)) }
    }
}

fn trimmed(value: &str) -> String {
    value.trim().to_owned()
}

fn email(value: &str) -> String {
    match value.trim().rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => trimmed(value),
    }
}

fn ip_address(value: &str) -> String {
    value.trim().parse::<IpAddr>().map_or_else(|_| trimmed(value), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_tidied_and_tidy_ones_are_kept() {
        let untidy = UserRequest {
            id: 1,
            user_name: "\tann ".to_owned(),
            email: " Ann@Example.ORG".to_owned(),
            ip_address: "2001:DB8:0::1 ".to_owned(),
            ..UserRequest::default()
        };
        let Verdict::Replace(tidy) = Normalise.process(&untidy) else { panic!("was kept") };
        assert_eq!(tidy.user_name, "ann");
        assert_eq!(tidy.email, "Ann@example.org");
        assert_eq!(tidy.ip_address, "2001:db8::1");
        assert_eq!(Normalise.process(&tidy), Verdict::Keep);
    }
}
