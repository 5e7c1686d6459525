//! What this machine lets the suite do.

use std::path::PathBuf;

use muster_integration::disk::Disk;

use crate::clock;
use crate::fault::{Fault, FaultKind};
use crate::power::Power;

/// What this machine lets the suite do, and why not what it does not.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The library that makes clocks jump.
    pub(crate) clock: Result<PathBuf, String>,
    /// Whether it can mount a disk for the roll.
    pub(crate) disk: Result<(), String>,
    /// Whether it can cut the power of the store.
    power: Result<(), String>,
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
        let power = Power::new(folder.path()).map(drop);
        Self { clock: clock::library(), disk, power }
    }

    /// The faults that this machine cannot do, and why.
    pub fn lacks(&self) -> Vec<String> {
        let clock = self.clock.as_ref().err().map(|why| format!("clocks that jump: {why}"));
        let disk = self.disk.as_ref().err();
        let disk = disk.map(|why| format!("disks that are full, read-only or not mounted: {why}"));
        let power = self.power.as_ref().err().map(|why| format!("power cuts: {why}"));
        [clock, disk, power].into_iter().flatten().collect()
    }

    /// Whether it can do this fault.
    pub(crate) fn can(&self, fault: &Fault) -> bool {
        match &fault.kind {
            FaultKind::JumpClock(_) => self.clock.is_ok(),
            FaultKind::CutPower => self.power.is_ok(),
            kind => !kind.needs_disk() || self.disk.is_ok(),
        }
    }
}
