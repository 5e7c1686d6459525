//! A TCP relay between the client and the server, which stops the flow in the middle of a batch.
//!
//! "In the middle" is a number of bytes, not a moment: the batch cannot be over before a test
//! has done its harm, however fast or slow the machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::wait;

const BUFFER_BYTES: usize = 16 * 1024;

/// A relay on a loopback port. Its threads end with the test's process.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    flow: Arc<Flow>,
}

/// How many bytes went towards the target, and how many may.
#[derive(Debug)]
struct Flow {
    counts: Mutex<Counts>,
    released: Condvar,
}

#[derive(Debug)]
struct Counts {
    passed: u64,
    hold_at: u64,
}

impl Relay {
    /// Relays to the loopback port `target`, and stops once `hold_at` bytes have gone there.
    ///
    /// # Panics
    ///
    /// When there is no port to listen on.
    pub fn start(target: u16, hold_at: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let counts = Mutex::new(Counts { passed: 0, hold_at });
        let flow = Arc::new(Flow { counts, released: Condvar::new() });
        let relay = Self { port, flow: Arc::clone(&flow) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A target that is away is for the client to notice: its connection is dropped.
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                let _ = relay_connection(client, server, &flow);
            }
        });
        relay
    }

    /// Where the relay listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until this many bytes have gone towards the target.
    ///
    /// # Panics
    ///
    /// When `limit` passes.
    pub fn wait_for(&self, bytes: u64, limit: Duration) {
        let passed = || self.flow.counts().passed;
        wait::until(
            limit,
            || (passed() >= bytes).then_some(()),
            || format!("only {} of {bytes} bytes went through the relay", passed()),
        );
    }

    /// Lets everything through from now on.
    pub fn release(&self) {
        self.flow.counts().hold_at = u64::MAX;
        self.flow.released.notify_all();
    }
}

impl Flow {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes that are on their way, once they may go.
    fn pass(&self, bytes: usize) {
        let held = |counts: &mut Counts| counts.passed >= counts.hold_at;
        let mut counts =
            self.released.wait_while(self.counts(), held).unwrap_or_else(PoisonError::into_inner);
        counts.passed += bytes as u64;
    }
}

fn relay_connection(client: TcpStream, server: TcpStream, flow: &Arc<Flow>) -> io::Result<()> {
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    let flow = Arc::clone(flow);
    thread::spawn(move || pump(client, server, |bytes| flow.pass(bytes)));
    thread::spawn(move || pump(from_server, to_client, |_| ()));
    Ok(())
}

/// Copies until one side ends, then ends both.
fn pump(mut from: TcpStream, mut to: TcpStream, mut before_write: impl FnMut(usize)) {
    let mut buffer = [0; BUFFER_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        before_write(count);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Both fail only for a connection that is gone already.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn the_flow_stops_at_the_hold_and_goes_on_after_the_release() {
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(target.local_addr().unwrap().port(), 3);
        let mut sender = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        let (mut receiver, _) = target.accept().unwrap();
        let mut received = [0; 3];

        sender.write_all(b"abc").unwrap();
        receiver.read_exact(&mut received).unwrap();
        relay.wait_for(3, LIMIT);
        sender.write_all(b"def").unwrap();
        receiver.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        receiver.read_exact(&mut received).unwrap_err();
        relay.release();
        receiver.set_read_timeout(Some(LIMIT)).unwrap();
        receiver.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"def");
    }

    #[test]
    fn a_target_that_is_away_ends_the_connection() {
        let target = crate::ports::free_port();
        let relay = Relay::start(target, u64::MAX);
        let mut sender = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        sender.set_read_timeout(Some(LIMIT)).unwrap();
        assert_eq!(sender.read(&mut [0; 1]).unwrap(), 0);
    }
}
