//! The nine fields of a record.

use muster_proto::users::UserRequest;

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Id,
    UserName,
    Email,
    FirstName,
    LastName,
    IpAddress,
    Gender,
    Country,
    Agent,
}

impl Field {
    /// All fields, in the order of the message.
    pub(crate) const ALL: [Self; 9] = [
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

    /// The field of this name, in the spelling of the message or of protobuf's JSON.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "user_name" | "userName" => Self::UserName,
            "email" => Self::Email,
            "first_name" | "firstName" => Self::FirstName,
            "last_name" | "lastName" => Self::LastName,
            "ip_address" | "ipAddress" => Self::IpAddress,
            "gender" => Self::Gender,
            "country" => Self::Country,
            "agent" => Self::Agent,
            _ => return None,
        })
    }

    /// The name in the message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "user_name",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::IpAddress => "ip_address",
            Self::Gender => "gender",
            Self::Country => "country",
            Self::Agent => "agent",
        }
    }

    /// The value in a record; `None` for the id, the only field that is not a text.
    pub(crate) fn text_of(self, record: &mut UserRequest) -> Option<&mut String> {
        Some(match self {
            Self::Id => return None,
            Self::UserName => &mut record.user_name,
            Self::Email => &mut record.email,
            Self::FirstName => &mut record.first_name,
            Self::LastName => &mut record.last_name,
            Self::IpAddress => &mut record.ip_address,
            Self::Gender => &mut record.gender,
            Self::Country => &mut record.country,
            Self::Agent => &mut record.agent,
        })
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(u16);

impl Fields {
    /// Adds a field, and tells whether it is new.
    pub(crate) fn insert(&mut self, field: Field) -> bool {
        let new = !self.contains(field);
        self.0 |= 1 << field as u16;
        new
    }

    pub(crate) fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |field| self.contains(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_names_and_values() {
        let mut record = UserRequest::default();
        let mut fields = Fields::default();
        for field in Field::ALL {
            assert_eq!(Field::named(field.name()), Some(field));
            if let Some(text) = field.text_of(&mut record) {
                *text = field.name().to_owned();
            }
            assert!(fields.insert(field));
            assert!(!fields.insert(field));
        }
        assert_eq!(fields.len(), 9);
        assert_eq!(record.ip_address, "ip_address");
        assert_eq!(Field::named("lastName"), Some(Field::LastName));
        for other in ["ID", "username", "e_mail", ""] {
            assert_eq!(Field::named(other), None, "{other}");
        }
    }
}
