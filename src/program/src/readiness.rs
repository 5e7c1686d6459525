//! Whether the program is ready: what its probes answer, and what its supervisor is told.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::metrics;
use crate::shutdown::Shutdown;

/// How often the store is asked.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often everything else is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// A store that has not answered for this long is not ready, although it may still answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Whether a program is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does not work yet.
    #[default]
    Starting,
    /// It works as far as it can without what it waits for: which is that, and why.
    Waiting(String),
    /// The store answers, and everything else that is required is there.
    Ready,
    /// The shutdown has begun.
    Ending,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Waiting(reason) => f.write_str(reason),
            Self::Ready => f.write_str("ready"),
            Self::Ending => f.write_str("ending"),
        }
    }
}

/// The one place where a program's state is kept.
#[derive(Clone, Default)]
pub struct Readiness {
    state: watch::Sender<State>,
    requirements: Arc<Mutex<Vec<Requirement>>>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&*self.state.borrow()).finish()
    }
}

/// Says why something that is required is not there. It must not block.
type Requirement = Box<dyn Fn() -> Option<String> + Send>;

impl Readiness {
    /// The state, and whatever it changes to.
    pub fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Requires something besides the store: `missing` says why it is not there, if it is not.
    pub fn require(&self, missing: impl Fn() -> Option<String> + Send + 'static) {
        self.requirements.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(missing));
    }

    /// Why the first of what is required is not there.
    fn missing(&self) -> Option<String> {
        let requirements = self.requirements.lock().unwrap_or_else(PoisonError::into_inner);
        requirements.iter().find_map(|missing| missing())
    }

    /// Says that the program works now, and from then on what the store answers to `ask` and whether
    /// everything else is there, until the shutdown begins.
    pub fn watch<F, E>(&self, mut ask: impl FnMut() -> F + Send + 'static, shutdown: &Shutdown)
    where
        F: Future<Output = Result<(), E>> + Send,
        E: fmt::Display + Send,
    {
        self.tell(waiting_for_store(&"it has not answered yet"));
        let (readiness, ending) = (self.clone(), shutdown.token());
        shutdown.spawn(async move {
            let asking = async {
                let mut answers = false;
                loop {
                    let mut answer = pin!(ask());
                    let slow = tokio::time::timeout(ANSWER_MAX, &mut answer).await;
                    let answer = match slow {
                        Ok(answer) => answer,
                        Err(_) => {
                            // The reason before says more, and is logged once.
                            if answers {
                                readiness.tell(waiting_for_store(&format_args!(
                                    "it has not answered for {ANSWER_MAX:?}"
                                )));
                            }
                            answer.await
                        }
                    };
                    answers = answer.is_ok();
                    let next = Instant::now() + INTERVAL;
                    while Instant::now() < next {
                        readiness.tell(match &answer {
                            Ok(()) => readiness.missing().map_or(State::Ready, State::Waiting),
                            Err(error) => waiting_for_store(error),
                        });
                        tokio::time::sleep(LOOK_INTERVAL).await;
                    }
                }
            };
            // A question may be broken off: it changes nothing.
            let _: Option<()> = ending.run_until_cancelled(asking).await;
            readiness.tell(State::Ending);
        });
    }

    fn tell(&self, state: State) {
        self.state.send_if_modified(|current| {
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

fn waiting_for_store(why: &dyn fmt::Display) -> State {
    State::Waiting(format!("waiting for the store: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn store_that_does_not_answer_is_waited_for_aloud() {
        let (readiness, shutdown) = (Readiness::default(), Shutdown::default());
        let mut state = readiness.subscribe();
        let mut asked = 0;
        let ask = move || {
            asked += 1;
            let answers = asked == 1;
            async move {
                if !answers {
                    std::future::pending::<()>().await;
                }
                Ok::<_, std::io::Error>(())
            }
        };
        readiness.watch(ask, &shutdown);
        state.wait_for(|state| *state == State::Ready).await.unwrap();
        let waits = |state: &State| state.to_string().contains("has not answered for 3s");
        tokio::time::timeout(Duration::from_secs(5), state.wait_for(waits)).await.unwrap().unwrap();
    }
}
