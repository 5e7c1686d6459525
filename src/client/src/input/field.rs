//! The names of a record's fields.

/// One of a record's fields, or any other. The texts come first: each is at its place among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    UserName,
    Email,
    FirstName,
    LastName,
    IpAddress,
    Gender,
    Country,
    Agent,
    Id,
    Unknown,
}

impl Field {
    /// How many texts a record has.
    pub(super) const TEXTS: usize = Self::Id as usize;

    /// The field that has this name in the input: the one of the `.proto` file, or the one that
    /// protobuf's JSON mapping gives it (<https://protobuf.dev/programming-guides/json/>).
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"user_name" | b"userName" => Self::UserName,
            b"email" => Self::Email,
            b"first_name" | b"firstName" => Self::FirstName,
            b"last_name" | b"lastName" => Self::LastName,
            b"ip_address" | b"ipAddress" => Self::IpAddress,
            b"gender" => Self::Gender,
            b"country" => Self::Country,
            b"agent" => Self::Agent,
            b"id" => Self::Id,
            _ => Self::Unknown,
        }
    }

    /// All fields of a record.
    pub(super) const ALL: [Self; Self::TEXTS + 1] = [
        Self::Id,
        Self::UserName,
        Self::Email,
        Self::FirstName,
        Self::LastName,
        Self::IpAddress,
        Self::Gender,
        Self::Country,
        Self::Agent,
    ];

    /// The name in the `.proto` file. An unknown field has none.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UserName => "user_name",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::IpAddress => "ip_address",
            Self::Gender => "gender",
            Self::Country => "country",
            Self::Agent => "agent",
            Self::Id => "id",
            Self::Unknown => "",
        }
    }
}

/// The known field that a field of another name is likely to be.
pub(super) fn nearest(name: &str) -> Option<Field> {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let synonym = match &*wanted {
        "userid" | "uid" => Some(Field::Id),
        "nickname" | "login" | "handle" | "screenname" | "preferredusername" | "user" => {
            Some(Field::UserName)
        }
        "mail" | "emailaddress" | "emailaddr" => Some(Field::Email),
        "givenname" | "forename" | "fname" => Some(Field::FirstName),
        "familyname" | "surname" | "lname" | "sn" => Some(Field::LastName),
        "ip" | "ipaddr" | "remoteaddr" | "lastip" | "clientip" => Some(Field::IpAddress),
        "sex" => Some(Field::Gender),
        "countrycode" | "countryname" | "nation" => Some(Field::Country),
        "useragent" | "browser" => Some(Field::Agent),
        _ => None,
    };
    synonym.or_else(|| {
        let misspelt_by = match wanted.len() {
            0..=3 => 0,
            4..=5 => 1,
            _ => 2,
        };
        let distance = |field: &Field| strsim::damerau_levenshtein(&wanted, &plain(field.name()));
        let nearest = Field::ALL.into_iter().min_by_key(distance)?;
        (distance(&nearest) <= misspelt_by).then_some(nearest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_has_the_name_of_the_proto_file_and_that_of_its_json() {
        for (name, field) in [
            ("user_name", Field::UserName),
            ("userName", Field::UserName),
            ("ipAddress", Field::IpAddress),
            ("username", Field::Unknown),
            ("user-name", Field::Unknown),
            ("ID", Field::Unknown),
            ("", Field::Unknown),
        ] {
            assert_eq!(Field::named(name.as_bytes()), field, "{name}");
        }
    }

    #[test]
    fn misspelt_name_is_near_a_field_and_another_is_not() {
        for (name, field) in [
            ("username", Some(Field::UserName)),
            ("user-name", Some(Field::UserName)),
            ("UserName", Some(Field::UserName)),
            ("ID", Some(Field::Id)),
            ("_id", Some(Field::Id)),
            ("user_id", Some(Field::Id)),
            ("E-Mail", Some(Field::Email)),
            ("emial", Some(Field::Email)),
            ("firstname", Some(Field::FirstName)),
            ("surname", Some(Field::LastName)),
            ("contry", Some(Field::Country)),
            ("newsletter", None),
            ("ids", None),
            ("name", None),
            ("", None),
        ] {
            assert_eq!(nearest(name), field, "{name}");
        }
    }
}
