//! Chromium's process, where it is found, and how it is started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;

use crate::wait;

/// Its names in the distributions.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Chromium reads commands from its file 3 and writes to its file 4.
const WITH_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#;

const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-pipe",
    // No name but this machine's own is known, and nothing is fetched that no page asked for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    // A keyring would ask for a password, and a crash reporter would outlive the browser.
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-breakpad",
    // /dev/shm is small in a container.
    "--disable-dev-shm-usage",
    // The same pixels everywhere.
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--lang=en",
    // As on a phone, a page has all of its window.
    "--hide-scrollbars",
    // `Element.computedName`, which the structure of a page is looked at with.
    "--enable-blink-features=ComputedAccessibilityInfo",
];

/// How long its helpers may take to be gone, once they are killed.
const END: Duration = Duration::from_secs(5);

/// The running program. It is killed when dropped.
#[derive(Debug)]
pub(super) struct Chromium {
    child: Child,
    folder: TempDir,
}

impl Chromium {
    /// Starts it; commands go into the one pipe, and its messages come out of the other.
    pub(super) fn start() -> (Self, ChildStdin, ChildStdout) {
        let program =
            find(env::var_os("MUSTER_CHROMIUM"), &env::var_os("PATH").unwrap_or_default());
        let program = program.expect(
            "no Chromium is here: install the package chromium (`script/test` does), or name the \
             program in MUSTER_CHROMIUM",
        );
        let folder = tempfile::tempdir().expect("there is room for a profile");
        let log = File::create(log(folder.path())).expect("there is room for a log");
        let mut command = Command::new("sh");
        command.args(["-c", WITH_PIPES]).arg(&program).args(ARGUMENTS);
        // As root it does not start in its own sandbox.
        command.args(Uid::effective().is_root().then_some("--no-sandbox"));
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        // Whatever it leaves behind, and leaves in a home, goes with the folder.
        command.env("HOME", folder.path()).env("TMPDIR", folder.path());
        command.env_remove("XDG_CACHE_HOME").env_remove("XDG_CONFIG_HOME");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // A group of its own, so that its helpers are killed with it.
        let mut child = command.process_group(0).spawn().expect("a shell can be started");
        let commands = child.stdin.take().expect("standard input is piped");
        let messages = child.stdout.take().expect("standard output is piped");
        (Self { child, folder }, commands, messages)
    }

    /// What it has written for people, which says why it ended.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(log(self.folder.path())).unwrap_or_default()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).expect("a process id is an i32");
        // Each fails only for a child that is gone already.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        let _ = self.child.wait();
        // Until its helpers are gone too, they may still write there.
        let folder = self.folder.path();
        let is_gone = || fs::remove_dir_all(folder).is_ok() || !folder.exists();
        wait::by(Instant::now() + END, || is_gone().then_some(()));
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("chromium.log")
}

/// The program that is named, or else the first of those that are on the path.
fn find(named: Option<OsString>, path: &OsStr) -> Option<PathBuf> {
    let on_path = |name| env::split_paths(path).map(move |folder| folder.join(name));
    let named = named.map(PathBuf::from);
    named.or_else(|| NAMES.into_iter().flat_map(on_path).find(|program| program.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_is_named_goes_before_those_that_are_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = env::join_paths(["/nowhere".as_ref(), folder.path()]).unwrap();
        assert_eq!(find(None, &path), None);
        for name in ["google-chrome", "chromium-browser"] {
            fs::write(folder.path().join(name), "").unwrap();
            assert_eq!(find(None, &path), Some(folder.path().join(name)));
        }
        assert_eq!(find(Some("/mine".into()), &path), Some("/mine".into()));
    }
}
