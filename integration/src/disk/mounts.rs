//! Mounts that only this thread, and the threads and programs that it starts from then on, see.

#[cfg(target_os = "linux")]
pub(super) use linux::{cover_with_itself, cover_with_nothing, mount, unmount};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{cover_with_itself, cover_with_nothing, mount, unmount};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;

    use nix::mount::{MntFlags, MsFlags, umount2};
    use nix::sched::{CloneFlags, unshare};

    const NONE: Option<&Path> = None;

    /// Mounts a file system in memory at this folder, for this thread.
    pub(in super::super) fn mount(folder: &Path, bytes: u64) -> Result<(), String> {
        let mounted = || {
            unshare(CloneFlags::CLONE_NEWNS)?;
            nix::mount::mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
            memory(folder, bytes)
        };
        mounted().map_err(|error: nix::Error| format!("a disk cannot be mounted: {error}"))
    }

    /// Mounts an empty file system over this folder.
    pub(in super::super) fn cover_with_nothing(folder: &Path, bytes: u64) -> Result<(), String> {
        memory(folder, bytes).map_err(|error| error.to_string())
    }

    /// Mounts this folder over itself, read-only. The mount is made elsewhere and moved: the system
    /// does not make one read-only on which a file is open for writing.
    pub(in super::super) fn cover_with_itself(folder: &Path) -> Result<(), String> {
        let aside = folder.with_added_extension("read-only");
        let moved = || {
            fs::create_dir(&aside)?;
            let bind = MsFlags::MS_BIND;
            nix::mount::mount(Some(folder), &aside, NONE, bind, NONE)?;
            let read_only = bind | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
            nix::mount::mount(NONE, &aside, NONE, read_only, NONE)?;
            nix::mount::mount(Some(&*aside), folder, NONE, MsFlags::MS_MOVE, NONE)?;
            fs::remove_dir(&aside)
        };
        moved().map_err(|error| error.to_string())
    }

    /// Takes the topmost mount off this folder, lazily: a program may still have a file open on it.
    /// Returns whether there was one.
    pub(in super::super) fn unmount(folder: &Path) -> bool {
        umount2(folder, MntFlags::MNT_DETACH).is_ok()
    }

    fn memory(folder: &Path, bytes: u64) -> nix::Result<()> {
        let size = format!("size={bytes}");
        let kind = Some("tmpfs");
        nix::mount::mount(NONE, folder, kind, MsFlags::empty(), Some(size.as_str()))
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::path::Path;

    const ONLY_LINUX: &str = "only Linux mounts a disk that one program sees";

    pub(in super::super) fn mount(_folder: &Path, _bytes: u64) -> Result<(), String> {
        Err(ONLY_LINUX.to_owned())
    }

    pub(in super::super) fn cover_with_nothing(_folder: &Path, _bytes: u64) -> Result<(), String> {
        Err(ONLY_LINUX.to_owned())
    }

    pub(in super::super) fn cover_with_itself(_folder: &Path) -> Result<(), String> {
        Err(ONLY_LINUX.to_owned())
    }

    pub(in super::super) fn unmount(_folder: &Path) -> bool {
        false
    }
}
