//! Every input that was written by hand, or that once broke something.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The longest input that is kept, in bytes: what needs more is generated in a test.
const BYTES_MAX: usize = 4096;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Gives every input of a target to it.
fn holds(name: &str) {
    let (_, target) = muster_fuzz::TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder().join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 5, "there are inputs");
    for path in paths {
        let data = fs::read(&path).unwrap();
        assert!(data.len() <= BYTES_MAX, "{}", path.display());
        let held = std::panic::catch_unwind(|| target(&data));
        assert!(held.is_ok(), "{}: it panics, as said above", path.display());
    }
}

macro_rules! holds {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )*

        #[test]
        fn each_target_has_its_inputs() {
            let names = muster_fuzz::TARGETS.map(|(name, _)| name);
            assert_eq!(names, [$(stringify!($name)),*]);
            let mut folders: Vec<String> = fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !name.starts_with('.'))
                .collect();
            folders.sort();
            assert_eq!(folders, names);
        }
    };
}

holds!(chunk config dashboard json metadata printable record server store_url);
