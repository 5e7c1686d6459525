//! What is known of the server, and what keys do to it.

use std::time::SystemTime;

use muster_proto::v1::{Stats, Worker};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The server's URL.
    pub(super) server: String,
    /// The queue, as it was seen last.
    pub(super) stats: Option<Stats>,
    pub(super) workers: Vec<Worker>,
    /// When it was seen.
    pub(super) seen_at: Option<SystemTime>,
    /// Why it could not be seen, or steered, since.
    pub(super) problem: Option<String>,
    /// How many workers are above those that are shown.
    pub(super) scroll: usize,
    /// What is to be done if the next key is yes.
    pub(super) asked: Option<Question>,
}

/// What a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Pause,
    Resume,
}

/// What the server answered.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) stats: Stats,
    pub(super) workers: Vec<Worker>,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    End,
    Pause,
    Resume,
}

impl Model {
    pub(super) fn new(server: &str) -> Self {
        Self { server: server.to_owned(), ..Self::default() }
    }

    /// Takes in what the server answered, or why it did not.
    pub(super) fn see(&mut self, seen: Result<Seen, String>, now: SystemTime) {
        match seen {
            Ok(Seen { stats, workers }) => {
                self.scroll = self.scroll.min(workers.len().saturating_sub(1));
                self.stats = Some(stats);
                self.workers = workers;
                self.seen_at = Some(now);
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Takes in what came of a wish.
    pub(super) fn steered(&mut self, steered: Result<Stats, String>) {
        match steered {
            Ok(stats) => self.stats = Some(stats),
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Does what a key asks for, as far as the model can.
    pub(super) fn press(&mut self, key: Option<KeyEvent>) -> Wish {
        let Some(KeyEvent { code, modifiers, .. }) = key else { return Wish::Nothing };
        if modifiers.contains(KeyModifiers::CONTROL) {
            return if code == KeyCode::Char('c') { Wish::End } else { Wish::Nothing };
        }
        if let Some(question) = self.asked.take() {
            return match (code, question) {
                (KeyCode::Char('y' | 'Y'), Question::Pause) => Wish::Pause,
                (KeyCode::Char('y' | 'Y'), Question::Resume) => Wish::Resume,
                _ => Wish::Nothing,
            };
        }
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Wish::End,
            // What is paused is known only of a queue that was seen.
            KeyCode::Char('p') => {
                self.asked = self.stats.as_ref().map(|stats| match stats.paused {
                    true => Question::Resume,
                    false => Question::Pause,
                });
            }
            KeyCode::Char('j') | KeyCode::Down => {
                self.scroll = (self.scroll + 1).min(self.workers.len().saturating_sub(1));
            }
            KeyCode::Char('k') | KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            _ => {}
        }
        Wish::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(paused: bool) -> Model {
        let mut model = Model::new("http://muster:50051");
        let stats = Stats { paused, ..Stats::default() };
        let workers = vec![Worker::default(); 3];
        model.see(Ok(Seen { stats, workers }), SystemTime::UNIX_EPOCH);
        model
    }

    fn press(model: &mut Model, code: KeyCode) -> Wish {
        model.press(Some(code.into()))
    }

    #[test]
    fn three_keys_end_it_also_when_something_is_asked() {
        for code in [KeyCode::Char('q'), KeyCode::Esc] {
            assert_eq!(press(&mut seen(false), code), Wish::End);
        }
        let mut model = seen(false);
        press(&mut model, KeyCode::Char('p'));
        let control = |code| Some(KeyEvent::new(KeyCode::Char(code), KeyModifiers::CONTROL));
        assert_eq!(model.press(control('c')), Wish::End);
        assert_eq!(model.press(control('q')), Wish::Nothing);
    }

    #[test]
    fn the_queue_is_steered_after_a_yes_and_no_other_key() {
        for (paused, wish) in [(false, Wish::Pause), (true, Wish::Resume)] {
            let mut model = seen(paused);
            assert_eq!(press(&mut model, KeyCode::Char('p')), Wish::Nothing);
            assert_eq!(press(&mut model, KeyCode::Char('y')), wish);
            assert_eq!(press(&mut model, KeyCode::Char('y')), Wish::Nothing, "it was asked once");
            for other in [KeyCode::Char('n'), KeyCode::Char('q'), KeyCode::Esc, KeyCode::Enter] {
                press(&mut model, KeyCode::Char('p'));
                assert_eq!(press(&mut model, other), Wish::Nothing);
                assert_eq!(model.asked, None);
            }
        }
    }

    #[test]
    fn nothing_is_asked_of_a_queue_that_was_not_seen() {
        let mut model = Model::new("http://muster:50051");
        press(&mut model, KeyCode::Char('p'));
        assert_eq!(model.asked, None);
    }

    #[test]
    fn workers_are_scrolled_as_far_as_there_are_any() {
        let mut model = seen(false);
        press(&mut model, KeyCode::Up);
        assert_eq!(model.scroll, 0);
        for _ in 0..9 {
            press(&mut model, KeyCode::Char('j'));
        }
        assert_eq!(model.scroll, 2);
        press(&mut model, KeyCode::Char('k'));
        press(&mut model, KeyCode::Down);
        assert_eq!(model.scroll, 2);
        let fewer = Seen { stats: Stats::default(), workers: vec![Worker::default()] };
        model.see(Ok(fewer), SystemTime::UNIX_EPOCH);
        assert_eq!(model.scroll, 0);
    }

    #[test]
    fn what_was_seen_stays_when_the_server_is_away() {
        let mut model = seen(true);
        model.see(Err("away".to_owned()), SystemTime::UNIX_EPOCH);
        assert!(model.stats.is_some() && model.problem.is_some());
        model.steered(Ok(Stats::default()));
        assert_eq!(model.stats, Some(Stats::default()));
    }
}
