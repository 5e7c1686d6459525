//! Whose connection it is.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::gate::Pass;
use crate::metrics::{self, Refused};

/// Whose connection it is: each call is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    subjects: Vec<String>,
    /// Where the connection stands at the gate; nothing where there is none.
    pass: Option<Pass>,
    known: AtomicBool,
    stays_while_calling: AtomicBool,
    calls: AtomicUsize,
    idle_since: Mutex<Instant>,
}

/// A call of a peer, under way until it is dropped.
#[derive(Debug)]
pub struct Call(Peer);

impl Peer {
    /// Somebody at this address who came through no door.
    pub fn at(address: SocketAddr) -> Self {
        Self::new(address, Vec::new(), None)
    }

    pub(crate) fn new(address: SocketAddr, subjects: Vec<String>, pass: Option<Pass>) -> Self {
        Self(Arc::new(Inner {
            address,
            subjects,
            pass,
            known: AtomicBool::new(false),
            stays_while_calling: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
        }))
    }

    /// Where it comes from.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Where it comes from, as far as one caller is told from another: an IPv6 network counts as
    /// one.
    pub fn origin(&self) -> IpAddr {
        origin(self.0.address.ip())
    }

    /// The names in its certificate, which an authority of ours has signed. None without one.
    pub fn subjects(&self) -> &[String] {
        &self.0.subjects
    }

    /// Says that it was let in: it has not to give way to others any more.
    pub fn is_known(&self) {
        if !self.0.known.swap(true, Ordering::Relaxed)
            && let Some(pass) = &self.0.pass
        {
            pass.is_known();
        }
    }

    /// Lets the connection stay while it makes calls that are open to anybody, and for `arrival_max`
    /// after the last one. It still gives way when there are too many connections.
    pub fn stay_while_calling(&self) {
        self.0.stays_while_calling.store(true, Ordering::Relaxed);
    }

    /// Begins a call: the connection is not idle until it ends.
    pub fn begin(&self) -> Call {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Call(self.clone())
    }

    /// Closes the connection, since it takes too long over something.
    pub fn cut_off(&self) {
        metrics::refused(Refused::Late);
        if let Some(pass) = &self.0.pass {
            pass.out().cancel();
        }
    }

    pub(crate) fn was_let_in(&self) -> bool {
        self.0.known.load(Ordering::Relaxed)
    }

    pub(crate) fn stays_while_calling(&self) -> bool {
        self.0.stays_while_calling.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self) -> Option<&Pass> {
        self.0.pass.as_ref()
    }

    /// Since when there has been no call, if there is none.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.0.calls.load(Ordering::Acquire) == 0;
        is_idle.then(|| *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    pub(crate) fn of_test(subjects: &[&str]) -> Self {
        let subjects = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        Self::new(([127, 0, 0, 1], 1).into(), subjects, None)
    }
}

impl Call {
    /// Whose it is.
    pub fn peer(&self) -> &Peer {
        &self.0
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let inner = &self.0.0;
        // First, so that a connection without calls has been so since no earlier than now.
        *inner.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        inner.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The address, or the network of an IPv6 address: whoever has one of these has all of it.
pub(crate) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

/// The names in a certificate: its common name, and the alternative ones. None if it cannot be
/// read, which TLS would not have let pass.
pub(crate) fn subjects(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative.iter().flat_map(|names| &names.value.general_names);
    let alternative = alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some(*name)
        }
        _ => None,
    });
    common.chain(alternative).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_caller_and_an_ipv4_address_is_one_in_either_form() {
        for (address, same) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            assert_eq!(origin(address.parse().unwrap()), same.parse::<IpAddr>().unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_is_idle_when_its_last_call_has_ended() {
        let peer = Peer::of_test(&[]);
        let (first, second) = (peer.begin(), peer.begin());
        drop(first);
        assert_eq!(peer.idle_since(), None);
        tokio::time::advance(std::time::Duration::from_secs(7)).await;
        drop(second);
        assert_eq!(peer.idle_since(), Some(Instant::now()));
    }
}
