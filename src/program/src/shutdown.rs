//! The end: signals, and the tasks that it waits for.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::exit;

/// The one token that tells every part of a program to end, and the one list of its tasks.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// A shutdown that begins at the first SIGTERM or SIGINT. The second one ends the process at
    /// once.
    ///
    /// # Errors
    ///
    /// The signals cannot be listened for.
    #[expect(clippy::disallowed_methods, reason = "listens until the process ends")]
    pub fn on_signals() -> std::io::Result<Self> {
        let mut signals = Signals::new()?;
        let shutdown = Self::default();
        let token = shutdown.token.clone();
        tokio::spawn(async move {
            let first = signals.next().await;
            tracing::info!(signal = first, "ending; a second signal ends at once");
            token.cancel();
            let second = signals.next().await;
            std::process::exit(i32::from(exit::SIGNALLED) + second);
        });
        Ok(shutdown)
    }

    /// Makes SIGHUP end nothing: it asks for files to be read again ([`watched`](crate::watched)).
    ///
    /// # Errors
    ///
    /// The signal cannot be listened for.
    pub(crate) fn survive_hangups(&self) -> std::io::Result<()> {
        let mut hangups = signal(SignalKind::hangup())?;
        let log = async move {
            while hangups.recv().await.is_some() {
                tracing::info!("SIGHUP: secrets, certificates and the access list are read again");
            }
        };
        self.spawn(self.token().run_until_cancelled_owned(log));
        Ok(())
    }

    /// Begins the end.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether the end has begun.
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits for the end to begin.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// The token itself, for a part of the program that ends with it.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Runs a task that the end waits for.
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Waits until every task has ended.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The signals that ask a program to end.
#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The number of the next one. Cancel-safe, as `Signal::recv` is.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }
}
