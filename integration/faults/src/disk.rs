//! A small disk that can be full: a file system in memory, for the folder of the roll.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const FILLER_BYTES: usize = 1 << 20;

/// A disk, mounted until it is dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk of this size at a new folder.
    ///
    /// # Errors
    ///
    /// The system does not let this user mount one.
    pub(crate) fn mount(folder: &Path, bytes: u64) -> Result<Self, String> {
        fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "muster-faults"]).arg(folder);
        match command.output() {
            Ok(output) if output.status.success() => Ok(Self { folder: folder.to_owned() }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("`mount` cannot be run: {error}")),
        }
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a file can be made");
        let block = vec![0; FILLER_BYTES];
        // The last write takes what is left, if that is less.
        let full = loop {
            if let Err(error) = filler.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
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

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a program that is being killed may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
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
