//! One record in a roll or a dead letter, read strictly: an object with exactly the nine fields.

use std::fmt;

use muster_proto::users::UserRequest;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A [`UserRequest`] with all of its fields, and no other.
#[derive(Deserialize)]
#[serde(remote = "UserRequest", deny_unknown_fields)]
struct Fields {
    id: i32,
    user_name: String,
    email: String,
    first_name: String,
    last_name: String,
    ip_address: String,
    gender: String,
    country: String,
    agent: String,
}

/// Reads a record, and calls `begun` when its `{` has been read.
///
/// # Errors
///
/// There is something other than an object, or it has other fields.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    begun: impl FnOnce(),
) -> Result<UserRequest, D::Error> {
    // Not as a struct: that might be an array as well.
    deserializer.deserialize_map(RecordVisitor { begun })
}

struct RecordVisitor<F> {
    begun: F,
}

impl<'de, F: FnOnce()> Visitor<'de> for RecordVisitor<F> {
    type Value = UserRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record: an object with its nine fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<UserRequest, A::Error> {
        (self.begun)();
        Fields::deserialize(MapAccessDeserializer::new(object))
    }
}
