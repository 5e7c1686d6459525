//! The address of the dashboard in browsers, if a proxy stands before it.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

/// The address of the dashboard in browsers: `https://HOST:PORT/PATH/` or `http`; port and path may be
/// left out.
///
/// It is kept as browsers write it: the host in lower case, without the scheme's default port, and
/// without a `/` at the end of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DashboardUrl {
    is_https: bool,
    host: String,
    port: Option<u16>,
    /// Empty, or `/…` without a `/` at its end.
    path: String,
}

/// A text that is not the address of a dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be of the form https://HOST:PORT/PATH/ (or http), where port and path may be left out, \
     and a path has letters, digits, `-`, `.`, `_` and `~`"
)]
pub struct InvalidDashboardUrl;

impl DashboardUrl {
    /// Whether browsers reach it by TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The path that all its pages are below: empty, or `/…` without a `/` at its end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its host, without the port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What browsers send as `Origin` with its forms.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }
}

impl FromStr for DashboardUrl {
    type Err = InvalidDashboardUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDashboardUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidDashboardUrl)?;
        let (is_https, usual) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(InvalidDashboardUrl),
        };
        let authority = uri.authority().ok_or(InvalidDashboardUrl)?;
        let path = uri.path().strip_suffix('/').unwrap_or(uri.path());
        let is_name = |segment: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !["", ".", ".."].contains(&segment) && segment.bytes().all(is_plain)
        };
        let is_path = path.is_empty() || path.split('/').skip(1).all(is_name);
        let port = authority.port_u16();
        let has_no_port = authority.as_str() == authority.host();
        let has_login = authority.as_str().contains('@');
        // `Uri` drops a fragment.
        let has_more = uri.query().is_some() || text.contains('#');
        if !is_path || has_login || has_more || port.is_none() != has_no_port {
            return Err(InvalidDashboardUrl);
        }
        Ok(Self {
            is_https,
            host: authority.host().to_ascii_lowercase(),
            port: port.filter(|port| *port != usual),
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for DashboardUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/", self.origin(), self.path)
    }
}

impl TryFrom<String> for DashboardUrl {
    type Error = InvalidDashboardUrl;

    fn try_from(text: String) -> Result<Self, InvalidDashboardUrl> {
        text.parse()
    }
}

impl From<DashboardUrl> for String {
    fn from(url: DashboardUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_kept_as_browsers_write_it() {
        for (text, origin, path) in [
            ("https://ops.example.com", "https://ops.example.com", ""),
            ("https://Ops.Example.com:443/", "https://ops.example.com", ""),
            ("http://ops:80/muster", "http://ops", "/muster"),
            ("http://ops:8080/muster/", "http://ops:8080", "/muster"),
            ("https://[::1]:8443/a/b-1.c_d~/", "https://[::1]:8443", "/a/b-1.c_d~"),
        ] {
            let url: DashboardUrl = text.parse().unwrap();
            assert_eq!((url.origin().as_str(), url.path()), (origin, path));
            assert_eq!(url.to_string().parse(), Ok(url), "{text}");
        }
    }

    #[test]
    fn address_of_another_form_is_refused() {
        for text in [
            "",
            "/muster",
            "ops.example.com/muster",
            "ftp://ops.example.com",
            "https://",
            "https://ops.example.com:99999",
            "https://ops.example.com:",
            "https://ann@ops.example.com",
            "https://ann:secret@ops.example.com:8443",
            "https://ops.example.com/muster?x=1",
            "https://ops.example.com/muster#x",
            "https://ops.example.com/muster//",
            "https://ops.example.com//muster",
            "https://ops.example.com/../muster",
            "https://ops.example.com/a\"b",
            "https://ops.example.com/a%2Fb",
            "https://ops.example.com/a;b",
        ] {
            assert_eq!(text.parse::<DashboardUrl>(), Err(InvalidDashboardUrl), "{text}");
        }
    }
}
