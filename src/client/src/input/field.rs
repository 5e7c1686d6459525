//! The names of a record's fields.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

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

    /// The field that is called so in the input.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"user_name" => Self::UserName,
            b"email" => Self::Email,
            b"first_name" => Self::FirstName,
            b"last_name" => Self::LastName,
            b"ip_address" => Self::IpAddress,
            b"gender" => Self::Gender,
            b"country" => Self::Country,
            b"agent" => Self::Agent,
            b"id" => Self::Id,
            _ => Self::Unknown,
        }
    }

    /// The name, as in the input. An unknown field has none.
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
        Ok(Field::named(name.as_bytes()))
    }
}
