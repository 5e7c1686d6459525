//! The clients: each sends a batch and waits until it is in the roll. The schedule starts and kills
//! them, and the watch looks at what they print.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use muster_integration::process::Finished;
use muster_integration::wait;

use crate::program::Program;

/// How a line of a client begins that says why its batch makes no progress.
const REASON: &str = "batch ";

/// The clients, counted from 0 in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Clients(Mutex<Vec<Client>>);

/// A client. It is started again when it was killed.
#[derive(Debug)]
pub(crate) struct Client {
    program: Program,
    /// The number of its input, from 0.
    pub(crate) input: usize,
    /// Its batch.
    pub(crate) batch: String,
    has_begun: bool,
    end: Option<Finished>,
    /// How often it may fail, and is started again by the operator, because the store has forgotten what
    /// it waits for.
    excuses: usize,
}

impl Client {
    /// A client that has not begun to send this input.
    pub(crate) fn new(program: Program, input: usize, batch: String) -> Self {
        Self { program, input, batch, has_begun: false, end: None, excuses: 0 }
    }

    fn start(&mut self) {
        self.has_begun = true;
        self.program.start();
    }

    /// Notes its end, if it has ended.
    fn is_running(&mut self) -> bool {
        if self.end.is_none() && !self.program.is_running() {
            self.end = self.program.wait_until(Instant::now());
        }
        self.program.is_running()
    }

    /// Whether it has ended, and the operator has no reason to start it again.
    fn is_done(&mut self) -> bool {
        self.is_running();
        self.end.as_ref().is_some_and(|end| end.code() == Some(0) || self.excuses == 0)
    }
}

impl Clients {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self(Mutex::new(clients))
    }

    /// Starts this client.
    pub(crate) fn start(&self, client: usize) {
        self.lock()[client].start();
    }

    /// Adds a client and starts it.
    pub(crate) fn add(&self, mut client: Client) {
        client.start();
        self.lock().push(client);
    }

    /// Kills this client, if it runs.
    pub(crate) fn kill(&self, client: usize) {
        let client = &mut self.lock()[client];
        if client.is_running() {
            client.program.kill();
        }
    }

    /// Starts this client again, if it was killed.
    pub(crate) fn start_killed(&self, client: usize) {
        let client = &mut self.lock()[client];
        if client.has_begun && client.end.is_none() {
            client.start();
        }
    }

    /// Excuses those that run now from failing once.
    pub(crate) fn excuse(&self) {
        self.running(|client| client.excuses += 1);
    }

    /// Starts those again that have failed and are excused, with the same command.
    pub(crate) fn start_excused(&self) {
        for client in self.lock().iter_mut() {
            client.is_running();
            if client.end.as_ref().is_some_and(|end| end.code() != Some(0)) && client.excuses > 0 {
                client.excuses -= 1;
                client.end = None;
                client.start();
            }
        }
    }

    /// Waits until each of them is done or `deadline` has passed, and does this meanwhile. Returns the
    /// end of each; `None` for those that have not ended.
    pub(crate) fn wait(
        &self,
        deadline: Instant,
        mut meanwhile: impl FnMut(),
    ) -> Vec<Option<Finished>> {
        let all_done = || {
            meanwhile();
            self.lock().iter_mut().all(Client::is_done).then_some(())
        };
        wait::by(deadline, all_done);
        self.lock().iter_mut().map(|client| client.end.take()).collect()
    }

    /// How many run.
    pub(crate) fn count_running(&self) -> usize {
        let mut count = 0;
        self.running(|_| count += 1);
        count
    }

    /// What those that run have said of why their batches make no progress.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        self.running(|client| {
            let lines = client.program.lines();
            reasons
                .extend(lines.lines().filter(|line| line.starts_with(REASON)).map(str::to_owned));
        });
        reasons
    }

    /// The last batch that was begun for each input.
    pub(crate) fn last_batches(&self) -> Vec<(usize, String)> {
        let clients = self.lock();
        let mut batches: Vec<(usize, String)> = Vec::new();
        for Client { input, batch, .. } in clients.iter() {
            batches.retain(|(other, _)| other != input);
            batches.push((*input, batch.clone()));
        }
        batches
    }

    fn running(&self, mut each: impl FnMut(&mut Client)) {
        self.lock()
            .iter_mut()
            .filter_map(|client| client.is_running().then_some(client))
            .for_each(&mut each);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
