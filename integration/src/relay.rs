//! A TCP relay between two programs, which does to their connections what a network does.
//!
//! It can stop the flow towards its target after a number of bytes: "in the middle" of a batch is
//! then no question of how fast the machine is. It can slow the flow down, delay it, keep answers
//! back, cut all connections, and refuse new ones.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wait;

const BUFFER_BYTES: usize = 16 * 1024;
/// How many buffers may be on their way in one direction of a connection.
const BUFFERS_MAX: usize = 64;

/// A relay on a loopback port. When it is dropped, it cuts its connections and gives the port back.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    flow: Arc<Flow>,
}

/// What the relay does at present.
#[derive(Debug)]
struct Flow {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Bytes that went towards the target, and how many may.
    passed: u64,
    hold_at: u64,
    /// Bytes a second towards the target, and when the next ones may go.
    pace: Option<f64>,
    next: Instant,
    /// Each way.
    delay: Duration,
    answers_held: bool,
    refuses: bool,
    is_over: bool,
    /// Both ends of each connection that was made since the last cut.
    open: Vec<TcpStream>,
}

#[derive(Clone, Copy)]
enum Direction {
    ToTarget,
    Back,
}

/// Bytes on their way, and when they arrive.
type Parcel = (Instant, Vec<u8>);

impl Relay {
    /// Relays to the loopback port `target`, and stops once `hold_at` bytes have gone there.
    ///
    /// # Panics
    ///
    /// When there is no port to listen on.
    pub fn start(target: u16, hold_at: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let state = Mutex::new(State {
            passed: 0,
            hold_at,
            pace: None,
            next: Instant::now(),
            delay: Duration::ZERO,
            answers_held: false,
            refuses: false,
            is_over: false,
            open: Vec::new(),
        });
        let flow = Arc::new(Flow { state, changed: Condvar::new() });
        let relay = Self { port, flow: Arc::clone(&flow) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if flow.state().is_over {
                    break;
                }
                // A target that is away is for the client to notice: its connection is dropped.
                let _ = relay_connection(client, target, &flow);
            }
        });
        relay
    }

    /// Where the relay listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes have gone towards the target so far.
    pub fn passed(&self) -> u64 {
        self.flow.state().passed
    }

    /// Waits until this many bytes have gone towards the target.
    ///
    /// # Panics
    ///
    /// When `limit` passes.
    pub fn wait_for(&self, bytes: u64, limit: Duration) {
        wait::until(
            limit,
            || (self.passed() >= bytes).then_some(()),
            || format!("only {} of {bytes} bytes went through the relay", self.passed()),
        );
    }

    /// Lets everything through from now on.
    pub fn release(&self) {
        self.flow.change(|state| state.hold_at = u64::MAX);
    }

    /// Lets this many bytes a second through towards the target, or all that come.
    pub fn set_pace(&self, bytes_per_second: Option<f64>) {
        self.flow.change(|state| state.pace = bytes_per_second);
    }

    /// Delays what comes from now on, each way.
    pub fn set_delay(&self, delay: Duration) {
        self.flow.change(|state| state.delay = delay);
    }

    /// Keeps back whatever the target sends from now on.
    pub fn hold_answers(&self) {
        self.flow.change(|state| state.answers_held = true);
    }

    /// Lets the target's answers through again.
    pub fn release_answers(&self) {
        self.flow.change(|state| state.answers_held = false);
    }

    /// Cuts every connection. What was on its way is lost.
    pub fn cut(&self) {
        self.flow.change(|state| {
            for end in state.open.drain(..) {
                let _ = end.shutdown(Shutdown::Both); // It fails for one that is gone already.
            }
        });
    }

    /// Closes new connections at once, until [`Relay::accept`].
    pub fn refuse(&self) {
        self.flow.change(|state| state.refuses = true);
    }

    /// Takes new connections again.
    pub fn accept(&self) {
        self.flow.change(|state| state.refuses = false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.flow.change(|state| {
            // Nothing is kept back any more: threads that wait find their connection cut.
            (state.is_over, state.hold_at, state.answers_held) = (true, u64::MAX, false);
        });
        self.cut();
        // The listener waits for one more connection. If none can be made, its thread is gone.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Flow {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until these bytes may go, and says when they arrive.
    fn pass(&self, bytes: usize, direction: Direction) -> Instant {
        let held = |state: &mut State| match direction {
            Direction::ToTarget => state.passed >= state.hold_at,
            Direction::Back => state.answers_held,
        };
        let state = self.changed.wait_while(self.state(), held);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let mut leaves = Instant::now();
        if let Direction::ToTarget = direction {
            state.passed += bytes as u64;
            if let Some(pace) = state.pace {
                leaves = leaves.max(state.next);
                state.next = leaves + Duration::from_secs_f64(bytes as f64 / pace);
            }
        }
        leaves + state.delay
    }
}

fn relay_connection(client: TcpStream, target: u16, flow: &Arc<Flow>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    for end in [&client, &server] {
        end.set_nodelay(true)?;
    }
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    let ends = [client.try_clone()?, server.try_clone()?];
    let mut state = flow.state();
    if state.refuses || state.is_over {
        return Ok(());
    }
    state.open.extend(ends);
    drop(state);
    start_pump(client, server, Arc::clone(flow), Direction::ToTarget);
    start_pump(from_server, to_client, Arc::clone(flow), Direction::Back);
    Ok(())
}

/// Copies from one side to the other: one thread reads, and one writes what is due.
fn start_pump(from: TcpStream, to: TcpStream, flow: Arc<Flow>, direction: Direction) {
    let (sender, receiver) = sync_channel(BUFFERS_MAX);
    thread::spawn(move || read(from, &sender, &flow, direction));
    thread::spawn(move || write(to, &receiver));
}

fn read(mut from: TcpStream, parcels: &SyncSender<Parcel>, flow: &Flow, direction: Direction) {
    let mut buffer = [0; BUFFER_BYTES];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let arrives = flow.pass(count, direction);
        if parcels.send((arrives, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both); // It fails for a connection that is gone already.
}

/// Ends the connection when nothing more comes.
fn write(mut to: TcpStream, parcels: &Receiver<Parcel>) {
    for (arrives, bytes) in parcels {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
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

    /// A relay, and the two ends of a connection through it.
    fn connected() -> (Relay, TcpListener, TcpStream, TcpStream) {
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay::start(target.local_addr().unwrap().port(), u64::MAX);
        let sender = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        sender.set_read_timeout(Some(LIMIT)).unwrap();
        let (receiver, _) = target.accept().unwrap();
        receiver.set_read_timeout(Some(LIMIT)).unwrap();
        (relay, target, sender, receiver)
    }

    #[test]
    fn a_cut_ends_both_sides_and_new_connections_are_refused_until_they_are_accepted() {
        let (relay, target, mut sender, mut receiver) = connected();
        relay.refuse();
        relay.cut();
        assert_eq!(sender.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(receiver.read(&mut [0; 1]).unwrap(), 0);
        let mut refused = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        refused.set_read_timeout(Some(LIMIT)).unwrap();
        assert_eq!(refused.read(&mut [0; 1]).unwrap(), 0);
        target.accept().unwrap();

        relay.accept();
        let mut sender = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
        sender.write_all(b"a").unwrap();
        target.accept().unwrap().0.read_exact(&mut [0; 1]).unwrap();
    }

    #[test]
    fn a_relay_that_is_dropped_leaves_nothing_behind() {
        let (relay, _target, mut sender, mut receiver) = connected();
        let (port, flow) = (relay.port(), Arc::downgrade(&relay.flow));
        relay.hold_answers();
        receiver.write_all(b"a").unwrap();
        drop(relay);
        for end in [&mut sender, &mut receiver] {
            match end.read(&mut [0; 1]) {
                Ok(read) => assert_eq!(read, 0),
                // What was held back is lost.
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            }
        }
        let is_gone = || (flow.strong_count() == 0).then_some(());
        wait::until(LIMIT, is_gone, || "a thread of the relay still runs".to_owned());
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
    }

    #[test]
    fn what_is_delayed_or_paced_comes_later() {
        let (relay, _target, mut sender, mut receiver) = connected();
        relay.set_delay(Duration::from_millis(50));
        let begun = Instant::now();
        sender.write_all(b"a").unwrap();
        receiver.read_exact(&mut [0; 1]).unwrap();
        receiver.write_all(b"b").unwrap();
        sender.read_exact(&mut [0; 1]).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(100));

        relay.set_delay(Duration::ZERO);
        relay.set_pace(Some(1000.0));
        let begun = Instant::now();
        for _ in 0..2 {
            sender.write_all(&[0; 100]).unwrap();
            receiver.read_exact(&mut [0; 100]).unwrap();
        }
        assert!(begun.elapsed() >= Duration::from_millis(100));
    }

    #[test]
    fn an_answer_that_is_held_never_comes_after_a_cut() {
        let (relay, _target, mut sender, mut receiver) = connected();
        relay.hold_answers();
        receiver.write_all(b"a").unwrap();
        sender.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        sender.read(&mut [0; 1]).unwrap_err();
        sender.set_read_timeout(Some(LIMIT)).unwrap();
        relay.cut();
        relay.release_answers();
        assert_eq!(sender.read(&mut [0; 1]).unwrap(), 0);
    }
}
