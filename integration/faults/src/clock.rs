//! A clock that jumps: libfaketime in a program's environment, and a file that says how far off
//! the program's time is.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Linux distributions put the library.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// The clock of one machine.
#[derive(Debug)]
pub(crate) struct Clock {
    library: PathBuf,
    file: PathBuf,
    seconds_off: i64,
}

/// The library, or why there is none.
pub(crate) fn library() -> Result<PathBuf, String> {
    let found = LIBRARIES.iter().map(PathBuf::from).find(|path| path.is_file());
    found.ok_or_else(|| {
        "libfaketime is not installed (in Debian it is in the package `faketime`)".to_owned()
    })
}

impl Clock {
    /// A clock that is right, with its file in `folder`.
    pub(crate) fn new(library: PathBuf, folder: &Path) -> Self {
        let clock = Self { library, file: folder.join("clock"), seconds_off: 0 };
        clock.write();
        clock
    }

    /// What a program needs in its environment to live by this clock.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        // jemalloc asks for the time while the library asks it for memory, and neither gets
        // anywhere: the C library's own allocator goes before it.
        let variables = [
            ("LD_PRELOAD", format!("{}:libc.so.6", self.library.display())),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            // The file is read again every second.
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            // No machine's monotonic clock jumps.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Jumps this many seconds from where it is.
    pub(crate) fn jump(&mut self, seconds: i64) {
        self.seconds_off += seconds;
        self.write();
    }

    fn write(&self) {
        // Whoever reads has the old file or the new one.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+}\n", self.seconds_off)).expect("there is room for a clock");
        fs::rename(&new, &self.file).expect("a file can be replaced");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use muster_integration::redis_server::{Durability, RedisServer};
    use muster_integration::skip::skip;
    use muster_integration::{resp, wait};

    use super::*;

    /// How far off a store's clock is, to the minute.
    fn minutes_off(redis: &RedisServer) -> i64 {
        let (seconds, _): (i64, i64) = resp::ask(redis.port(), &["TIME"]).unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        (seconds - i64::try_from(now.as_secs()).unwrap() + 30).div_euclid(60)
    }

    #[test]
    fn a_store_s_clock_jumps_both_ways_while_it_runs() {
        let library = match library() {
            Ok(library) => library,
            Err(problem) => return skip(&problem),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut clock = Clock::new(library, folder.path());
        let mut redis = RedisServer::prepare_in(Durability::Memory, folder.path())
            .with_environment(clock.environment());
        redis.start();
        assert_eq!(minutes_off(&redis), 0);
        for (seconds, minutes) in [(3600, 60), (-7200, -60)] {
            clock.jump(seconds);
            wait::until(
                Duration::from_secs(10),
                || (minutes_off(&redis) == minutes).then_some(()),
                || format!("the clock is {} minutes off", minutes_off(&redis)),
            );
        }
    }
}
