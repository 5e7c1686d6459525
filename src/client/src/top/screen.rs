//! The terminal, which is given back as it was at every end; its keys; and the signals that end.

use std::io;

use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::{DefaultTerminal, Frame};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// The terminal, taken over. Whatever the end, a panic too, it is given back.
#[derive(Debug)]
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// It cannot be.
    pub(super) fn open() -> io::Result<Self> {
        // From now on a panic gives the terminal back before it says why.
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self(terminal)),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Shows what `render` draws.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.0.draw(render).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    // A terminal that is gone needs nothing.
    let _ = ratatui::try_restore();
}

/// What happens at the terminal: a key, or `None` for what only needs the screen drawn anew.
#[derive(Debug)]
pub(super) struct Keys(mpsc::Receiver<Option<KeyEvent>>);

/// How many keys may wait.
const KEYS_MAX: usize = 16;

impl Keys {
    /// Reads on a thread of its own, which ends with the process.
    pub(super) fn read() -> Self {
        let (sender, keys) = mpsc::channel(KEYS_MAX);
        tokio::task::spawn_blocking(move || {
            while let Ok(event) = event::read() {
                let key = match event {
                    Event::Key(key) if key.is_press() => Some(key),
                    _ => None,
                };
                if sender.blocking_send(key).is_err() {
                    break;
                }
            }
        });
        Self(keys)
    }

    /// What happens next; `None` when the terminal is gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Option<KeyEvent>> {
        self.0.recv().await
    }
}

/// The signals that end a view. In a terminal that was taken over none of them comes from a key.
#[derive(Debug)]
pub(super) struct Signals([Signal; 4]);

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::quit())?,
            signal(SignalKind::terminate())?,
        ]))
    }

    /// The number of the next one. Cancel-safe.
    pub(super) async fn next(&mut self) -> u8 {
        let Self([hangup, interrupt, quit, terminate]) = self;
        tokio::select! {
            _ = hangup.recv() => 1,
            _ = interrupt.recv() => 2,
            _ = quit.recv() => 3,
            _ = terminate.recv() => 15,
        }
    }
}
