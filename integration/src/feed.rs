//! A batch that stays open: its records are sent when a test says so.

use std::io::PipeWriter;
use std::path::Path;

use crate::process::{Finished, Process};
use crate::stack::{SEND, Stack};
use crate::users::{User, write_ndjson};

/// A client that reads records from a pipe. It is killed when dropped.
#[derive(Debug)]
pub struct Feed {
    // The client is killed before the pipe is closed: it must not read an end of the input.
    client: Process,
    records: PipeWriter,
}

impl Feed {
    /// Begins a batch of this name, without a record.
    ///
    /// # Panics
    ///
    /// When there is no pipe, or the client cannot be started.
    pub fn begin(stack: &Stack, batch: &str) -> Self {
        Self::begin_by(stack, stack.grpc_port(), batch)
    }

    /// The same, by another loopback port.
    ///
    /// # Panics
    ///
    /// When there is no pipe, or the client cannot be started.
    pub fn begin_by(stack: &Stack, port: u16, batch: &str) -> Self {
        let (input, records) = std::io::pipe().expect("a pipe can be made");
        let mut command = stack.client_by(port, Path::new("-"));
        command.args(["--batch", batch]);
        let client = Process::start_with_input("muster-client", &mut command, input.into());
        Self { records, client }
    }

    /// Gives the client records of the batch. It sends them by pages of some hundred, or when no more
    /// come.
    ///
    /// # Panics
    ///
    /// When the client has ended.
    pub fn send(&mut self, users: impl IntoIterator<Item = User>) {
        write_ndjson(&self.records, users).expect("the client reads what it is given");
    }

    /// Says that these were all records, and waits for the client's end.
    ///
    /// # Panics
    ///
    /// When it does not end within [`SEND`].
    pub fn finish(self) -> Finished {
        drop(self.records);
        self.client.wait(SEND)
    }
}
