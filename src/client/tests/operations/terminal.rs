//! `top` on a terminal of its own, which it gives back as it was.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;

use crate::double::Double;
use crate::stats::stats;
use crate::workers::worker;
use crate::{LIMIT, command, finish, refused};

/// What ends what a program shows on a screen of its own.
const LEAVE: &str = "\x1b[?1049l";

/// A program on a terminal.
struct Desk {
    terminal: File,
    /// Keeps the terminal when the program has ended, and tells how it is set.
    other_end: OwnedFd,
    before: Termios,
    shown: Receiver<String>,
    seen: String,
    child: Child,
}

impl Desk {
    fn sit_down(double: &Double, words: &[&str]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = command(double, words);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let terminal = File::from(master);
        let (sender, shown) = mpsc::channel();
        let mut reading = terminal.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reading.read(&mut buffer) {
                if sender.send(String::from_utf8_lossy(&buffer[..len]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { terminal, other_end: slave, before, shown, seen: String::new(), child }
    }

    /// Waits until this is shown, after all that was waited for before.
    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let more = self.shown.recv_timeout(LIMIT);
            self.seen += &more.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen));
        }
        self.seen.clear();
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end; returns its code. The terminal is as it was.
    fn end(mut self, double: &Double) -> i32 {
        self.wait_for(LEAVE);
        let code = finish(double, self.child).code;
        assert_eq!(tcgetattr(&self.other_end).unwrap(), self.before);
        code
    }
}

fn double() -> Double {
    Double::start().with_stats(stats()).with_workers([worker()])
}

#[test]
fn top_shows_the_queue_steers_it_and_ends_by_a_key() {
    let double = double();
    let mut desk = Desk::sit_down(&double, &["top"]);
    desk.wait_for("w-1");
    desk.press("p");
    desk.wait_for("y/n");
    desk.press("y");
    desk.wait_for("paused");
    assert_eq!(double.changes(), ["pause"]);
    desk.press("q");
    assert_eq!(desk.end(&double), 0);
}

#[test]
fn top_gives_the_terminal_back_at_a_signal() {
    let double = double();
    let mut desk = Desk::sit_down(&double, &["top"]);
    desk.wait_for("w-1");
    let id = Pid::from_raw(i32::try_from(desk.child.id()).unwrap());
    kill(id, Signal::SIGTERM).unwrap();
    assert_eq!(desk.end(&double), 128 + 15);
}

#[test]
fn top_needs_a_terminal() {
    insta::assert_snapshot!(refused(&double(), "top", 2), @r"
    muster-client: top needs a terminal; for a program there is muster-client stats --watch --json
    ");
}

#[test]
fn a_roll_is_not_poured_over_a_terminal() {
    let double = double();
    let mut desk = Desk::sit_down(&double, &["roll", "download"]);
    desk.wait_for("standard output is a terminal");
    assert_eq!(finish(&double, desk.child).code, 2);
}
