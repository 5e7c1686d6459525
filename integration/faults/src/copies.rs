//! Older copies of the roll and of the store's data.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::installation::Installation;

/// The roll and its manifest, which belong together.
const ROLL: [&str; 2] = ["all_users.json", "all_users.manifest.json"];
/// What a writer of the roll has locked.
const LOCK: &str = "all_users.lock";

impl Installation {
    /// Copies the roll.
    ///
    /// # Panics
    ///
    /// When it cannot be copied.
    pub(crate) fn copy_roll(&self, name: &str) {
        let lock = File::options().create(true).append(true).open(self.commands.roll.join(LOCK));
        let lock = lock.expect("there is room for a lock");
        lock.lock().expect("a file can be locked");
        copy_roll(&self.commands.roll, &self.new_copy(name));
    }

    /// Puts a copy of the roll in its place, while no worker runs.
    ///
    /// # Panics
    ///
    /// When it cannot be put there.
    pub(crate) fn put_roll(&mut self, name: &str) {
        for name in ROLL {
            let _ = fs::remove_file(self.commands.roll.join(name)); // It fails before the first batch.
        }
        copy_roll(&self.copy(name), &self.commands.roll);
    }

    /// Copies the store's data.
    ///
    /// # Panics
    ///
    /// When the store is not one server, or its data cannot be copied.
    pub(crate) fn copy_data(&mut self, name: &str) {
        let copy = self.new_copy(name);
        self.store.one().expect("the data of one store is copied").copy_data(&copy);
    }

    /// Starts the store with a copy of its data, or without data.
    ///
    /// # Panics
    ///
    /// When the store is not one server, or does not start.
    pub(crate) fn restart_store(&mut self, copy: Option<&str>) {
        let copy = copy.map(|name| self.copy(name));
        self.store.kill();
        if let Some(power) = &self.power {
            power.forget();
        }
        let server = self.store.one().expect("the data of one store is replaced");
        server.replace_data(copy.as_deref());
        server.start();
        if copy.is_some() {
            // The copy may end within a transaction.
            server.rewrite_aof();
        }
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.commands.folder.join(name)
    }

    /// A new folder in place of an earlier copy.
    fn new_copy(&self, name: &str) -> PathBuf {
        let copy = self.copy(name);
        let _ = fs::remove_dir_all(&copy); // It fails for the first copy.
        fs::create_dir(&copy).expect("there is room for a copy");
        copy
    }
}

fn copy_roll(from: &Path, to: &Path) {
    for name in ROLL {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).expect("the roll can be copied");
        }
    }
}
