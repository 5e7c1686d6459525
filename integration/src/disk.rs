//! A small disk that can be full: a file system in memory.
//!
//! Only the thread that mounts it, and the threads and programs that it starts from then on, see
//! it: the disk goes with the last of them, whatever becomes of them.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const FILLER_BYTES: usize = 1 << 20;

/// A disk, mounted until it is dropped.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk of this size at a new folder.
    ///
    /// # Errors
    ///
    /// The system does not let this user mount one.
    pub fn mount(folder: &Path, bytes: u64) -> Result<Self, String> {
        fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        mount(folder, bytes)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Leaves no room on it.
    ///
    /// # Panics
    ///
    /// When it does not fill.
    pub fn fill(&self) {
        self.fill_but(0);
    }

    /// Leaves so much room on it, to the block.
    ///
    /// # Panics
    ///
    /// When it does not fill.
    pub fn fill_but(&self, bytes: u64) {
        let mut filler = File::create(self.filler()).expect("a file can be made");
        let block = vec![0; FILLER_BYTES];
        // The last write takes what is left, if that is less.
        let full = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        let filled = filler.metadata().expect("a file has a length").len();
        filler.set_len(filled.saturating_sub(bytes)).expect("a file can be cut");
    }

    /// Makes room again.
    ///
    /// # Panics
    ///
    /// When the room cannot be had back.
    pub fn free(&self) {
        match fs::remove_file(self.filler()) {
            // Another fault that is over has freed it.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                panic!("{}: {error}", self.filler().display())
            }
            _ => {}
        }
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

#[cfg(target_os = "linux")]
fn mount(folder: &Path, bytes: u64) -> Result<(), String> {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    const NONE: Option<&str> = None;
    let mounted = || {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
        let size = format!("size={bytes}");
        mount(NONE, folder, Some("tmpfs"), MsFlags::empty(), Some(size.as_str()))
    };
    mounted().map_err(|error: nix::Error| format!("a disk cannot be mounted: {error}"))
}

#[cfg(not(target_os = "linux"))]
fn mount(_folder: &Path, _bytes: u64) -> Result<(), String> {
    Err("only Linux mounts a disk that one program sees".to_owned())
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a program that is being killed may still have a file open.
        #[cfg(target_os = "linux")]
        let _ = nix::mount::umount2(&self.folder, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_takes_nothing_until_it_is_freed() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("roll");
        let disk = match Disk::mount(&roll, 4 << 20) {
            Ok(disk) => disk,
            Err(problem) => return eprintln!("skipped: {problem}"),
        };
        disk.fill();
        let refused = fs::write(roll.join("file"), "something").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        disk.free();
        fs::write(roll.join("file"), "something").unwrap();
        drop(disk);
        assert!(!roll.join("file").exists());
    }
}
