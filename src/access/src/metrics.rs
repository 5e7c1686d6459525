//! What is measured at the doors. Every metric is declared here, and named nowhere else.

use ::metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const CONNECTIONS: &str = "muster_connections";
const REFUSED: &str = "muster_connections_refused_total";

const EXPIRY: &str = "muster_tls_certificate_expiry_seconds";

/// Why a connection was refused or ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refused {
    /// There was no room for it, and nobody to give way.
    Full,
    /// It had to give way to another, before it said who it was.
    DrivenOut,
    /// Its TLS failed.
    Handshake,
    /// It was too slow.
    Late,
}

/// Declares all, so that what has not happened yet is known to be zero.
pub(crate) fn declare() {
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open.");
    describe_gauge!(
        EXPIRY,
        Unit::Seconds,
        "When the first of the server's certificates expires, since 1970; 0 without TLS."
    );
    describe_counter!(REFUSED, Unit::Count, "Connections that were refused or cut off, by why.");
    muster_program::metrics::declare_reloads(&["access", "tls"]);
    for why in [Refused::Full, Refused::DrivenOut, Refused::Handshake, Refused::Late] {
        counter!(REFUSED, "reason" => why.label()).absolute(0);
    }
    gauge!(CONNECTIONS).set(0);
    gauge!(EXPIRY).set(0);
}

pub(crate) fn opened() {
    gauge!(CONNECTIONS).increment(1);
}

pub(crate) fn closed() {
    gauge!(CONNECTIONS).decrement(1);
}

/// Says when the certificate expires, in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn expires(at: i64) {
    gauge!(EXPIRY).set(at as f64);
}

pub(crate) fn refused(why: Refused) {
    counter!(REFUSED, "reason" => why.label()).increment(1);
}

impl Refused {
    fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::DrivenOut => "driven_out",
            Self::Handshake => "handshake",
            Self::Late => "late",
        }
    }
}
