//! The relays between the programs.

use std::time::Duration;

use muster_integration::relay::Relay;

use crate::fault::Link;
use crate::schedule::{Mode, Schedule, Send};

/// What a record takes on the line, about.
const STREAM_BYTES: usize = 185;
const UNARY_BYTES: usize = 280;

/// The relays between the programs.
#[derive(Debug)]
pub(crate) struct Lines {
    /// From each client to the server.
    pub(crate) clients: Vec<Relay>,
    /// From the server to the store, and from each worker, if the store is one server.
    pub(crate) server: Option<Relay>,
    pub(crate) workers: Vec<Relay>,
    /// How long the way to the store is when nothing is wrong.
    store_delay: Duration,
}

impl Lines {
    /// Starts the relays of a schedule, to the ports of the store and of the server.
    pub(crate) fn start(schedule: &Schedule, store: Option<u16>, server: u16) -> Self {
        let store_delay = schedule.store_delay;
        let to_store = || {
            let relay = Relay::start(store?, u64::MAX);
            relay.set_delay(store_delay);
            Some(relay)
        };
        let to_server = |send: &Send| {
            let relay = Relay::start(server, u64::MAX);
            relay.set_pace(Some(bytes_on_line(send) as f64 / send.over.as_secs_f64()));
            relay
        };
        Self {
            clients: schedule.sends.iter().map(to_server).collect(),
            server: to_store(),
            workers: (0..schedule.workers).map_while(|_| to_store()).collect(),
            store_delay,
        }
    }

    /// Lets the clients send as fast as they can from now on.
    pub(crate) fn hurry(&self) {
        for relay in &self.clients {
            relay.set_pace(None);
        }
    }

    /// Cuts all connections of a link, and refuses new ones.
    pub(crate) fn cut(&self, link: Link) {
        let relay = self.relay(link);
        relay.refuse();
        relay.cut();
    }

    /// Takes new connections again.
    pub(crate) fn restore(&self, link: Link) {
        self.relay(link).accept();
    }

    /// Makes the way longer by `delay`; by zero, as long as it was.
    pub(crate) fn slow(&self, link: Link, delay: Duration) {
        let usual = match link {
            Link::ClientServer(_) => Duration::ZERO,
            Link::ServerStore | Link::WorkerStore(_) => self.store_delay,
        };
        self.relay(link).set_delay(usual + delay);
    }

    /// From now on nobody hears the store's answers.
    pub(crate) fn silence_store(&self) {
        self.to_store().for_each(Relay::hold_answers);
    }

    /// What was not heard is lost; new connections are heard.
    pub(crate) fn end_silence(&self) {
        for relay in self.to_store() {
            relay.cut();
            relay.release_answers();
        }
    }

    fn to_store(&self) -> impl Iterator<Item = &Relay> {
        self.workers.iter().chain(&self.server)
    }

    fn relay(&self, link: Link) -> &Relay {
        match link {
            Link::ClientServer(client) => &self.clients[client],
            Link::ServerStore => self.server.as_ref().expect("one store is behind a relay"),
            Link::WorkerStore(worker) => &self.workers[worker],
        }
    }
}

fn bytes_on_line(send: &Send) -> usize {
    let record = match send.mode {
        Mode::Stream => STREAM_BYTES,
        Mode::Unary(_) => UNARY_BYTES,
    };
    send.records * record
}
