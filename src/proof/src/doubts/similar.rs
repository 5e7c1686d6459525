//! Names that are close to that of a field.

use super::Field;

/// The usual other names of the fields.
const SYNONYMS: [(Field, &[&str]); 9] = [
    (Field::Id, &["user_id", "userid", "uid", "_id"]),
    (Field::UserName, &["nickname", "login", "handle", "screen_name", "preferred_username"]),
    (Field::Email, &["mail", "email_address", "emailaddress"]),
    (Field::FirstName, &["given_name", "forename", "fname", "givenname"]),
    (Field::LastName, &["family_name", "surname", "lname", "familyname", "sn"]),
    (Field::IpAddress, &["ip", "ip_addr", "ipaddr", "remote_addr", "last_ip"]),
    (Field::Gender, &["sex"]),
    (Field::Country, &["country_code", "country_name", "nation"]),
    (Field::Agent, &["user_agent", "useragent", "browser"]),
];

/// The length of the longest name that is compared, in bytes.
const NAME_BYTES: usize = 64;

/// The field that an unknown name is close to.
pub(super) fn field(name: &str) -> Option<Field> {
    if name.len() > NAME_BYTES {
        return None;
    }
    let name = name.trim().to_lowercase();
    let bare = bare(&name);
    let same = |field: &Field| bare == self::bare(field.name());
    let synonym = || {
        let known = |names: &[&str]| names.iter().any(|known| self::bare(known) == bare);
        SYNONYMS.iter().find(|(_, names)| known(names)).map(|(field, _)| *field)
    };
    Field::ALL.into_iter().find(same).or_else(synonym).or_else(|| misspelt(&name))
}

/// A name without everything but its letters and digits.
fn bare(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).collect()
}

/// The field that is the fewest edits away, if these are few.
fn misspelt(name: &str) -> Option<Field> {
    let edits = match name.chars().count() {
        0..4 => return None,
        4..6 => 1,
        _ => 2,
    };
    let distance = |field: Field| strsim::damerau_levenshtein(name, field.name());
    let (distance, field) =
        Field::ALL.map(|field| (distance(field), field)).into_iter().min_by_key(|pair| pair.0)?;
    (distance <= edits).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_close_to_a_field_are_told_from_others() {
        for (name, expected) in [
            ("user-name", Some(Field::UserName)),
            ("UserName", Some(Field::UserName)),
            ("USERNAME", Some(Field::UserName)),
            ("e-mail", Some(Field::Email)),
            ("ID", Some(Field::Id)),
            ("First Name", Some(Field::FirstName)),
            ("_id", Some(Field::Id)),
            ("userId", Some(Field::Id)),
            ("screenName", Some(Field::UserName)),
            ("sn", Some(Field::LastName)),
            ("Sex", Some(Field::Gender)),
            ("last_nmae", Some(Field::LastName)),
            ("lst_nam", Some(Field::LastName)),
            ("emial", Some(Field::Email)),
            ("agen", Some(Field::Agent)),
            ("contry", Some(Field::Country)),
            ("address", None),
            ("age", None),
            ("name", None),
            ("ids", None),
            ("emal2", None),
            ("created_at", None),
            ("", None),
        ] {
            assert_eq!(field(name), expected, "{name}");
        }
        assert_eq!(field(&format!("id{}", "-".repeat(100))), None);
    }
}
