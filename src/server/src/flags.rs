//! The flags that programs with a server share.

use std::path::PathBuf;

use serde::Serialize;

/// Who may enter.
#[derive(Clone, Debug, clap::Args, Serialize)]
pub struct EntranceFlags {
    /// The certificate for TLS, PEM [default: none, and plain text]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_key: Option<PathBuf>,
    /// Ask each client for a certificate of these authorities, PEM
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_client_ca: Option<PathBuf>,
    /// The access list: who may do what [default: none, and everybody may]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<PathBuf>,
    /// Let addresses that others reach be in plain text
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    plain_text: bool,
    /// Let everybody who reaches such an address do everything
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anonymous: bool,
}
