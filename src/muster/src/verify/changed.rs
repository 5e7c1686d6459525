//! Records that are in the inputs and were found too, but with other fields.

use std::fmt;

use muster_program::printable;
use muster_proto::users::UserRequest;
use serde::Serialize;

use super::difference::Difference;

/// A record whose fields are not those that were sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    /// Where it is in the inputs.
    inputs: String,
    /// Where it was found.
    found: String,
    /// The fields that differ.
    fields: Vec<&'static str>,
}

impl Changed {
    /// Pairs of these that have the same id and something else in common: each is in one pair.
    pub(super) fn among(missing: &[Difference], foreign: &[Difference]) -> Vec<Self> {
        let mut left: Vec<&Difference> = foreign.iter().collect();
        let mut pairs = Vec::new();
        for sent in missing {
            let same = |found: &&Difference| are_of_one(sent.record(), found.record());
            let Some(index) = left.iter().position(same) else { continue };
            let found = left.remove(index);
            pairs.push(Self {
                inputs: sent.to_string(),
                found: found.to_string(),
                fields: differing(sent.record(), found.record()),
            });
        }
        pairs
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.join("`, `");
        let [inputs, found] = [&self.inputs, &self.found].map(|place| printable::text(place));
        write!(f, "{inputs} was found as {found} with another `{fields}`")
    }
}

fn texts(record: &UserRequest) -> [(&'static str, &str); 8] {
    [
        ("user_name", &record.user_name),
        ("email", &record.email),
        ("first_name", &record.first_name),
        ("last_name", &record.last_name),
        ("ip_address", &record.ip_address),
        ("gender", &record.gender),
        ("country", &record.country),
        ("agent", &record.agent),
    ]
}

fn are_of_one(sent: &UserRequest, found: &UserRequest) -> bool {
    let mut both = texts(sent).into_iter().zip(texts(found));
    sent.id == found.id && both.any(|((_, sent), (_, found))| sent == found && !sent.is_empty())
}

fn differing(sent: &UserRequest, found: &UserRequest) -> Vec<&'static str> {
    let both = texts(sent).into_iter().zip(texts(found));
    both.filter(|(sent, found)| sent != found).map(|((name, _), _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_with_the_same_id_and_a_field_in_common_has_changed() {
        let record = |id, email: &str, agent: &str| UserRequest {
            id,
            email: email.to_owned(),
            agent: agent.to_owned(),
            ..UserRequest::default()
        };
        let sent = record(1, "a", "x");
        for (found, expected) in [
            (record(1, "a", ""), true),
            (record(1, "b", "x"), true),
            (record(2, "a", "x"), false),
            (record(1, "b", "y"), false),
        ] {
            assert_eq!(are_of_one(&sent, &found), expected, "{found:?}");
        }
        assert!(!are_of_one(&record(1, "", ""), &record(1, "", "x")));
        assert_eq!(differing(&sent, &record(1, "b", "y")), ["email", "agent"]);
    }
}
