//! What this machine lets the suite do.

use std::path::PathBuf;

use muster_integration::disk::Disk;

use crate::clock;
use crate::fault::{Fault, Harm};

/// What this machine lets the suite do, and why not what it does not.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The library that makes clocks jump.
    pub(crate) clock: Result<PathBuf, String>,
    /// Whether it can mount a disk for the roll.
    pub(crate) disk: Result<(), String>,
}

impl Machine {
    /// Tries it.
    ///
    /// # Panics
    ///
    /// When there is no room for a folder.
    pub fn look() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let disk = Disk::mount(&folder.path().join("disk"), 1 << 20).map(drop);
        Self { clock: clock::library(), disk }
    }

    /// The faults that this machine cannot do, and why.
    pub fn lacks(&self) -> Vec<String> {
        let clock = self.clock.as_ref().err().map(|why| format!("clocks that jump: {why}"));
        let disk = self.disk.as_ref().err().map(|why| format!("full disks: {why}"));
        clock.into_iter().chain(disk).collect()
    }

    /// Whether it can do this fault.
    pub(crate) fn can(&self, fault: &Fault) -> bool {
        match fault.harm {
            Harm::JumpClock(_) => self.clock.is_ok(),
            Harm::FillDisk => self.disk.is_ok(),
            _ => true,
        }
    }
}
