//! A live view of the queue and its workers on the terminal.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `model` | what is known, and what keys do to it |
//! | `render` | what is seen of it: a pure function |
//! | `screen` | the terminal, which is given back as it was; its keys; signals |

mod model;
mod render;
mod screen;

use std::io;
use std::time::{Duration, SystemTime};

use muster_program::exit;

use crate::operations::{Error, Operations};
use model::{Model, Seen, Wish};
use render::{Theme, render};
use screen::{Keys, Screen, Signals};

/// How often the server is asked.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long an answer may take. What is shown meanwhile says how old it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shows the server until a key or a signal ends it. Returns the exit code.
///
/// # Errors
///
/// The terminal cannot be used.
pub(crate) async fn run(operations: Operations, has_colours: bool) -> io::Result<u8> {
    let operations = operations.without_retries();
    let theme = Theme::new(has_colours);
    let mut model = Model::new(operations.url());
    let mut signals = Signals::new()?;
    let mut screen = Screen::open()?;
    let mut keys = Keys::read();
    let mut next = std::pin::pin!(look(&operations, Duration::ZERO));
    loop {
        screen.draw(|frame| render(frame, &model, &theme, SystemTime::now()))?;
        // Each is cancel-safe: a look that is under way goes on, and keys and signals wait.
        tokio::select! {
            seen = &mut next => {
                model.see(seen, SystemTime::now());
                next.set(look(&operations, INTERVAL));
            }
            key = keys.next() => match key.map_or(Wish::End, |key| model.press(key)) {
                Wish::Nothing => {}
                Wish::End => return Ok(exit::OK),
                Wish::Pause => model.steered(in_time(operations.pause()).await),
                Wish::Resume => model.steered(in_time(operations.resume()).await),
            },
            signal = signals.next() => return Ok(exit::SIGNALLED + signal),
        }
    }
}

/// Asks the server for all that is shown, after a pause.
async fn look(operations: &Operations, pause: Duration) -> Result<Seen, String> {
    tokio::time::sleep(pause).await;
    let (stats, workers) =
        in_time(async { tokio::try_join!(operations.stats(), operations.workers()) }).await?;
    Ok(Seen { stats, workers })
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}
