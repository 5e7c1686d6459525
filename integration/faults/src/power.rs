//! A machine whose power can be cut: of each file, what was synced is left.
//!
//! A small library, loaded into the store's program, notes how long a file was at each sync. A power
//! cut is then a kill, and the end of the append-only file that was not synced is cut off.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use muster_integration::redis_server::{AofEnd, RedisServer};

/// The library. The store's own tests use it too.
const SOURCE: &str = include_str!("../../../src/queue/tests/support/note_syncs.c");

/// How much longer each sync takes, so that a cut finds something that is not synced.
const SYNC_MS: &str = "20";

/// The power of one machine.
#[derive(Debug)]
pub(crate) struct Power {
    library: PathBuf,
    syncs: PathBuf,
}

impl Power {
    /// Makes the library, with all files in `folder`.
    ///
    /// # Errors
    ///
    /// This machine has no C compiler.
    pub(crate) fn new(folder: &Path) -> Result<Self, String> {
        let (source, library) = (folder.join("note_syncs.c"), folder.join("note_syncs.so"));
        fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
        let output = compiler.output().map_err(|error| format!("cc: {error}"))?;
        if !output.status.success() {
            return Err(format!("cc: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        Ok(Self { library, syncs: folder.join("syncs") })
    }

    /// What the store's program needs in its environment.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let variables = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("SYNCS", self.syncs.display().to_string()),
            ("SYNC_MS", SYNC_MS.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Cuts the power of a store that runs.
    ///
    /// # Panics
    ///
    /// When it does not run, or its file cannot be cut.
    pub(crate) fn cut(&self, server: &mut RedisServer) {
        server.kill();
        let synced = self.synced();
        for path in server.append_only_files() {
            let path = path.canonicalize().expect("the file is there");
            let len = fs::metadata(&path).expect("the file is there").len();
            // Before Redis 7, a file that is rewritten keeps its name, and is shorter.
            let bytes = synced.get(&path).copied().unwrap_or(0).min(len);
            server.cut_aof(&AofEnd { path, bytes });
        }
    }

    /// Forgets what was synced, when other files take the place of those of a store that does not run.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_file(&self.syncs); // It fails when nothing was synced.
    }

    /// How long each file was at its last sync, at least.
    fn synced(&self) -> HashMap<PathBuf, u64> {
        let mut synced = HashMap::new();
        let lines = fs::read_to_string(&self.syncs).unwrap_or_default();
        // The kill may have cut off the last line.
        for line in lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let (bytes, path) = line.split_once(' ').expect("a line has a length and a path");
            let longest = synced.entry(PathBuf::from(path)).or_insert(0);
            *longest = bytes.parse::<u64>().expect("a length is a number").max(*longest);
        }
        synced
    }
}

#[cfg(test)]
mod tests {
    use muster_integration::redis_server::Durability;
    use muster_integration::resp;
    use muster_integration::skip::skip;

    use super::*;

    #[test]
    fn power_cut_keeps_what_was_synced() {
        let folder = tempfile::tempdir().unwrap();
        let power = match Power::new(folder.path()) {
            Ok(power) => power,
            Err(problem) => return skip(&problem),
        };
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        for (durability, is_kept) in
            [(Durability::EveryWrite, true), (Durability::EverySecond, false)]
        {
            let mut server =
                RedisServer::prepare_in(durability, &data).with_environment(power.environment());
            server.start();
            let () = resp::ask(server.port(), &["CONFIG", "SET", "appendfsync", "no"]).unwrap();
            if durability == Durability::EveryWrite {
                let () =
                    resp::ask(server.port(), &["CONFIG", "SET", "appendfsync", "always"]).unwrap();
            }
            let () = resp::ask(server.port(), &["SET", "key", "value"]).unwrap();
            power.cut(&mut server);
            server.start();
            assert_eq!(resp::ask::<bool>(server.port(), &["EXISTS", "key"]).unwrap(), is_kept);
            server.kill();
            server.replace_data(None);
            power.forget();
        }
    }
}
