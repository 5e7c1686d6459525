//! Whether the program is ready: what its probes answer, and what its supervisor is told.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

use crate::metrics;
use crate::shutdown::Shutdown;

/// How often the store is asked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Whether a program is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does not work yet.
    #[default]
    Starting,
    /// It works as far as it can without the store, which does not answer: why.
    Waiting(String),
    /// The store answers.
    Ready,
    /// The shutdown has begun.
    Ending,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Waiting(reason) => write!(f, "waiting for the store: {reason}"),
            Self::Ready => f.write_str("ready"),
            Self::Ending => f.write_str("ending"),
        }
    }
}

/// The one place where a program's state is kept.
#[derive(Clone, Debug, Default)]
pub struct Readiness(watch::Sender<State>);

impl Readiness {
    /// The state, and whatever it changes to.
    pub fn subscribe(&self) -> watch::Receiver<State> {
        self.0.subscribe()
    }

    /// Says that the program works now, and from then on what the store answers to `ask`, until
    /// the shutdown begins.
    pub fn watch<F, E>(&self, mut ask: impl FnMut() -> F + Send + 'static, shutdown: &Shutdown)
    where
        F: Future<Output = Result<(), E>> + Send,
        E: fmt::Display + Send,
    {
        self.tell(State::Waiting("it has not answered yet".to_owned()));
        let (readiness, ending) = (self.clone(), shutdown.token());
        shutdown.spawn(async move {
            let asking = async {
                loop {
                    readiness.tell(match ask().await {
                        Ok(()) => State::Ready,
                        Err(error) => State::Waiting(error.to_string()),
                    });
                    tokio::time::sleep(INTERVAL).await;
                }
            };
            // A question may be broken off: it changes nothing.
            let _: Option<()> = ending.run_until_cancelled(asking).await;
            readiness.tell(State::Ending);
        });
    }

    fn tell(&self, state: State) {
        self.0.send_if_modified(|current| {
            let changed = *current != state;
            match &state {
                State::Ready if changed => tracing::info!("ready: the store answers"),
                State::Waiting(reason) if changed && *current != State::Starting => {
                    tracing::warn!(reason, "not ready");
                }
                _ => {}
            }
            metrics::ready(state == State::Ready);
            *current = state;
            changed
        });
    }
}
