//! Somebody on the access list.

use std::fmt;

use tokio_util::sync::CancellationToken;

use crate::rate::Rate;
use crate::role::Role;

/// Somebody on the access list.
#[derive(Debug)]
pub struct Principal {
    name: String,
    roles: Vec<Role>,
    rate: Option<Rate>,
    revoked: CancellationToken,
}

impl Principal {
    pub(crate) fn new(name: String, roles: Vec<Role>, rate: Option<Rate>) -> Self {
        Self { name, roles, rate, revoked: CancellationToken::new() }
    }

    /// Whether this is the same entry of a list as another one.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let per_second = |of: &Self| of.rate.as_ref().map(Rate::per_second);
        (&self.name, &self.roles) == (&other.name, &other.roles)
            && per_second(self) == per_second(other)
    }

    /// Takes it off the list, or says that its entry there is another one now.
    pub(crate) fn revoke(&self) {
        self.revoked.cancel();
    }

    /// Waits until it is not on the list any more, or another entry is there in its place.
    pub async fn revoked(&self) {
        self.revoked.cancelled().await;
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
