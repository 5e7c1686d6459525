//! How each fault is done to an installation, and undone.
//!
//! # What a killed store may lose
//!
//! A schedule loses nothing that anybody was told: then the roll must have every record, and no
//! client may fail. What each fault does for that:
//!
//! - `appendfsync always`: an answer follows the write and the sync. The store is just killed.
//! - `appendfsync everysec`: an answer follows the write, which the system keeps when the process
//!   dies, as a rule. But while a sync is under way the server puts the write off, for up to two
//!   seconds, and answers all the same. So the answers are held back first, until the server has
//!   been seen with nothing put off: all that was answered before is written. Then it is killed.
//!   (That a killed *machine* may cost a second or two of `everysec` is so, and is not tried: no
//!   exact answer could be expected.)
//! - A file that is cut: the answers are held back, and *then* the file's length is taken. Every
//!   answer that was heard is of a write in this part. The store goes on for a while, unheard; it
//!   is killed, and what is cut off lies behind that length. The connections are cut before
//!   answers pass again, so that the unheard ones are never heard.
//! - A master that has replicas loses what they have not got, and here they are made to lack some:
//!   for a while they hear nothing of it. Nobody may be told "ok" meanwhile.

use std::thread;
use std::time::Duration;

use muster_integration::redis_server::{AofEnd, Durability};
use muster_integration::wait;

use crate::fault::{FaultKind, Remedy};
use crate::installation::Installation;
use crate::program::Program;

const WRITTEN: Duration = Duration::from_secs(10);
/// The copies that are put back: the roll and the data of some time ago, and the roll before that.
const OLDER_ROLL: &str = "older-roll";
const NEWER_ROLL: &str = "newer-roll";
const OLDER_DATA: &str = "older-data";

impl Installation {
    /// Takes the copy that it puts back.
    ///
    /// # Panics
    ///
    /// When it cannot be taken.
    pub(crate) fn copy_for(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::RestoreRoll { .. } => self.copy_roll(OLDER_ROLL),
            FaultKind::RestoreStore { .. } => self.copy_data(OLDER_DATA),
            _ => {}
        }
    }

    /// Does it.
    ///
    /// # Panics
    ///
    /// When something is not as the schedule has left it: a program has ended by itself.
    pub fn begin(&mut self, kind: &FaultKind) {
        if kind.makes_store_forget() {
            self.clients.may_be_forgotten();
        }
        match *kind {
            FaultKind::KillClient(client) => self.clients.kill(client),
            FaultKind::KillServer => self.server.kill(),
            FaultKind::KillWorker(worker) => self.workers[worker].kill(),
            FaultKind::KillAllWorkers => self.workers.iter_mut().for_each(Program::kill),
            FaultKind::KillStore => self.kill_store(),
            FaultKind::KillMaster { alone } => self.store.kill_master(alone),
            FaultKind::TearStore { unheard, bytes } => self.tear_store(unheard, bytes),
            FaultKind::TerminateServer => self.server.terminate(),
            FaultKind::TerminateWorker(worker) => self.workers[worker].terminate(),
            FaultKind::FreezeWorker(worker) => self.workers[worker].freeze(),
            FaultKind::Cut(link) => self.lines.cut(link),
            FaultKind::Slow(link, delay) => self.lines.slow(link, delay),
            FaultKind::FillDisk => self.disk.as_ref().expect("there is a disk to fill").fill(),
            FaultKind::JumpClock(seconds) => {
                self.clock.as_mut().expect("there is a clock that jumps").jump(seconds);
            }
            FaultKind::ReuseName { client, records } => self.reuse_name(client, records),
            FaultKind::SecondFolder => self.start_second_folder(),
            FaultKind::UnmountFolder => {
                self.disk.as_ref().expect("there is a disk to unmount").hide()
            }
            FaultKind::ReadOnlyFolder => {
                self.disk.as_ref().expect("there is a disk to protect").make_read_only();
            }
            FaultKind::RestoreRoll { .. } => {
                self.stop_workers();
                self.copy_roll(NEWER_ROLL);
                self.put_roll(OLDER_ROLL);
                self.start_workers();
            }
            FaultKind::RestoreStore { .. } => self.restart_store(Some(OLDER_DATA)),
            FaultKind::EmptyStore => self.restart_store(None),
            FaultKind::CutPower => self.cut_power(),
        }
    }

    /// Undoes it: what is down is started again, and what is wrong is put right.
    ///
    /// # Panics
    ///
    /// When a program does not start, or one that was asked to end did not end well.
    pub fn end(&mut self, kind: &FaultKind) {
        match *kind {
            FaultKind::KillClient(client) => self.clients.start_killed(client),
            FaultKind::KillServer | FaultKind::TerminateServer => self.server.start(),
            FaultKind::KillWorker(worker) | FaultKind::TerminateWorker(worker) => {
                self.workers[worker].start();
            }
            FaultKind::KillAllWorkers => self.start_workers(),
            FaultKind::KillStore | FaultKind::KillMaster { .. } => self.store.start_killed(),
            FaultKind::TearStore { .. } | FaultKind::CutPower => {
                self.store.start_killed();
                self.rewrite_torn();
            }
            FaultKind::FreezeWorker(worker) => self.workers[worker].thaw(),
            FaultKind::Cut(link) => self.lines.restore(link),
            FaultKind::Slow(link, _) => self.lines.slow(link, Duration::ZERO),
            FaultKind::FillDisk => self.disk.as_ref().expect("there is a disk to free").free(),
            FaultKind::JumpClock(_) => {}
            FaultKind::ReuseName { .. } => self.expect_other_records_refused(),
            FaultKind::SecondFolder => self.expect_second_folder_refused(),
            FaultKind::UnmountFolder | FaultKind::ReadOnlyFolder => {
                self.disk.as_ref().expect("there is a disk").uncover();
            }
            // An older roll with the same batches is as good, and a store may have forgotten no more than a
            // crash explains: then there is nothing to do.
            FaultKind::RestoreRoll { remedy: Remedy::PutBack, .. } => {
                if self.is_different(kind) {
                    self.stop_workers();
                    self.put_roll(NEWER_ROLL);
                    self.start_workers();
                }
            }
            FaultKind::RestoreRoll { remedy: Remedy::Accept, .. }
            | FaultKind::RestoreStore { .. } => {
                if self.is_different(kind) {
                    self.accept();
                }
            }
            FaultKind::EmptyStore => {
                assert!(self.is_different(kind), "the workers accept a store that was emptied");
                self.accept();
            }
        }
        if kind.makes_store_forget() {
            self.clients.start_forgotten();
        }
    }

    fn cut_power(&mut self) {
        let power = self.power.as_ref().expect("there is power to cut");
        let server = self.store.one().expect("the power of one store is cut");
        if server.is_started() {
            power.cut(server);
        }
    }

    /// As the README asks for: a transaction that was torn must not stay in the file.
    fn rewrite_torn(&mut self) {
        self.store.one().expect("one store's file was torn").rewrite_aof();
    }

    fn kill_store(&mut self) {
        let puts_off =
            self.store.one().is_some_and(|server| server.durability() == Durability::EverySecond);
        if puts_off {
            self.silence_store();
        }
        self.store.kill();
        if puts_off {
            self.lines.end_silence();
        }
    }

    fn tear_store(&mut self, unheard: Duration, bytes: u64) {
        self.silence_store();
        if let Some(server) = self.store.one().filter(|server| server.is_started()) {
            let heard = server.aof_end();
            thread::sleep(unheard);
            server.kill();
            let end = server.aof_end();
            // A file that was begun meanwhile is left as it is.
            if end.path == heard.path {
                let bytes = end.bytes.saturating_sub(bytes).max(heard.bytes);
                server.cut_aof(&AofEnd { bytes, ..end });
            }
        }
        self.lines.end_silence();
    }

    /// From now on nobody hears the store, and what was heard is written to its file.
    fn silence_store(&mut self) {
        self.lines.silence_store();
        let Some(server) = self.store.one() else { return };
        if server.is_started() && server.durability() == Durability::EverySecond {
            let is_written = || {
                let put_off = server.info("persistence", "aof_buffer_length")?;
                (put_off == "0").then_some(())
            };
            wait::until(WRITTEN, is_written, || "the store has not written its file".to_owned());
        }
    }
}
