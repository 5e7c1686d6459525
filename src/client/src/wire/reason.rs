//! What a failed call means, in words.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, CertificateError};
use tonic::{Code, Status};

use super::tls::NoHttp2;
use crate::printable;

/// What the server said, or why it cannot be reached; fit for a terminal.
pub(crate) fn reason(status: &Status) -> String {
    let said = match (obstacle(status), causes(status).last()) {
        (Some(obstacle), _) => obstacle,
        (None, Some(cause)) => format!("{}: {cause}", status.message()),
        (None, None) if status.message().is_empty() => without_words(status.code()).to_owned(),
        (None, None) => status.message().to_owned(),
    };
    printable::text(&said)
}

/// What a code means that comes without words.
fn without_words(code: Code) -> &'static str {
    match code {
        Code::Unimplemented => {
            "no server takes this call (for example, a proxy has no route for it)"
        }
        _ => code.description(),
    }
}

/// The same, and the code, where the words do not stand for it.
pub(crate) fn reason_and_code(status: &Status) -> String {
    match obstacle(status) {
        Some(_) => reason(status),
        None => format!("{} ({:?})", reason(status), status.code()),
    }
}

/// What stands in the way of every call until somebody puts it right, and how; `None` if it may
/// pass, or is about this call alone.
pub(crate) fn obstacle(status: &Status) -> Option<String> {
    let (said, code) = (status.message(), status.code());
    match code {
        Code::Unauthenticated => Some(format!(
            "{said} ({code:?}): give a token with --token-file, or a certificate with --tls-cert, \
             that the server knows"
        )),
        Code::PermissionDenied => Some(format!(
            "{said} ({code:?}): give a token or a certificate of somebody who may do this"
        )),
        _ => causes(status).find_map(of_cause),
    }
}

/// From what it is, as far as tonic knows, to its deepest cause.
fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |error| (**error).source())
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<String> {
    if cause.is::<NoHttp2>() {
        return Some(format!("{NoHttp2}: check the port in --server"));
    }
    cause.downcast_ref().and_then(of_tls).or_else(|| of_text(&cause.to_string()))
}

/// What went wrong before the two agreed.
fn of_tls(error: &rustls::Error) -> Option<String> {
    match error {
        rustls::Error::InvalidCertificate(error) => Some(of_certificate(error)),
        rustls::Error::InvalidMessage(_) => Some(
            "what answers there speaks no TLS: give --server as http://…, or have TLS set up there"
                .to_owned(),
        ),
        rustls::Error::PeerIncompatible(why) => Some(format!(
            "the server's TLS is none that this client speaks ({why:?}): it has to be 1.2 or 1.3"
        )),
        _ => None,
    }
}

/// What is wrong with the server's certificate.
fn of_certificate(error: &CertificateError) -> String {
    match error {
        // The second: an authority of the same name, with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the server's certificate is not trusted ({error}): give its authority with --tls-ca"
        ),
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the server's certificate expired on {}: it has to be renewed there",
            date(*not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the server's certificate is not valid before {}: check the clocks here and there",
            date(*not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the server's certificate is not for {}, but for {}: give --server a name that is in it",
            expected.to_str(),
            if presented.is_empty() { "no name".to_owned() } else { presented.join(", ") }
        ),
        // The words of webpki, which rustls hands on as they are.
        CertificateError::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is that of an authority: it has to be replaced there by one \
             that says `CA:FALSE`"
                .to_owned()
        }
        error => {
            format!(
                "the server's certificate cannot be used ({error}): it has to be replaced there"
            )
        }
    }
}

fn date(time: UnixTime) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(time.as_secs());
    humantime::format_rfc3339_seconds(time).to_string()
}

/// What went wrong when the two had agreed, or one of them thought so. HTTP/2 hands on nothing but
/// the text.
fn of_text(text: &str) -> Option<String> {
    // An alert of TLS, or the first line of an answer by HTTP/1, taken for a frame.
    if text.starts_with("connection error detected: frame with invalid size") {
        return Some(
            "what answers there speaks no HTTP/2, or not without TLS: give --server as https://…, \
             or with another port"
                .to_owned(),
        );
    }
    of_alert(text.strip_prefix("received fatal alert: ")?)
}

/// What the server says of the client.
fn of_alert(alert: &str) -> Option<String> {
    Some(match alert {
        "CertificateRequired" => "the server asks for the client's certificate: give it with \
             --tls-cert, and its key with --tls-key"
            .to_owned(),
        "AccessDenied"
        | "BadCertificate"
        | "CertificateExpired"
        | "CertificateRevoked"
        | "CertificateUnknown"
        | "DecryptError"
        | "UnknownCA"
        | "UnsupportedCertificate" => {
            format!(
                "the server does not accept the client's certificate ({alert}): give another one \
                 with --tls-cert and --tls-key"
            )
        }
        "NoApplicationProtocol" => format!("{NoHttp2}: check the port in --server"),
        "HandshakeFailure" | "InsufficientSecurity" | "ProtocolVersion" | "UnrecognisedName" => {
            format!("the server refuses to speak TLS with this client ({alert}): check --server")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
