//! The names of a record's fields.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// One of a record's fields, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    UserName,
    Email,
    FirstName,
    LastName,
    IpAddress,
    Gender,
    Country,
    Agent,
    Unknown,
}

impl Field {
    /// The name, as in the input. An unknown field has none.
    pub(super) fn name(self) -> &'static str {
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
            Self::Unknown => "",
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "id" => Field::Id,
            "user_name" => Field::UserName,
            "email" => Field::Email,
            "first_name" => Field::FirstName,
            "last_name" => Field::LastName,
            "ip_address" => Field::IpAddress,
            "gender" => Field::Gender,
            "country" => Field::Country,
            "agent" => Field::Agent,
            _ => Field::Unknown,
        })
    }
}
