//! Somebody on the access list.

use std::fmt;

use crate::rate::Rate;
use crate::role::Role;

/// Somebody on the access list.
#[derive(Debug)]
pub struct Principal {
    name: String,
    roles: Vec<Role>,
    rate: Option<Rate>,
}

impl Principal {
    pub(crate) fn new(name: String, roles: Vec<Role>, rate: Option<Rate>) -> Self {
        Self { name, roles, rate }
    }

    /// The name on the list, which is fit to be shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they may do what asks for this role.
    pub fn may(&self, role: Role) -> bool {
        self.roles.iter().any(|own| own.covers(role))
    }

    /// How many records a second they may send; nothing if it is not bounded.
    pub fn rate(&self) -> Option<&Rate> {
        self.rate.as_ref()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
