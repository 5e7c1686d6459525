//! Ports for programs of a test.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process;
use std::sync::{Mutex, PoisonError};

/// Below those that the system gives to connections: no connection can take a port between its
/// choice and its use. So is the port that a cluster's node takes beside its own, which is 10,000
/// above, and none of these.
const PORTS: Range<u16> = 12_768..22_768;

/// The locks on the ports that this process has chosen, until it ends.
static CHOSEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A loopback port that nobody listens on, and that no other call gives, in this process or in
/// another one, until this process ends.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    let locks = env::temp_dir().join("muster-test-ports");
    fs::create_dir_all(&locks).expect("there is room for a folder");
    // Processes that start together look in different places.
    let start = process::id() as usize * 101 % PORTS.len();
    let mut ports = PORTS.cycle().skip(start).take(PORTS.len());
    let port = ports.find(|port| {
        let lock = File::create(locks.join(port.to_string())).expect("a lock can be made");
        let is_free =
            lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        if is_free {
            CHOSEN.lock().unwrap_or_else(PoisonError::into_inner).push(lock);
        }
        is_free
    });
    port.expect("there is a free port")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: BTreeSet<u16> = (0..100).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 100);
    }
}
