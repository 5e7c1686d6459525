//! Ports for programs of a test.

use std::net::{Ipv4Addr, TcpListener};

/// A loopback port that nobody listens on now.
///
/// # Panics
///
/// When the system has none.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("the system has a free port")
        .port()
}
