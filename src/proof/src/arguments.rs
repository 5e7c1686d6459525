//! The files that the arguments stand for.

mod natural;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The endings of records and tables.
const ENDINGS: [&str; 5] = [".json", ".ndjson", ".jsonl", ".csv", ".tsv"];

/// The endings that compression adds.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".zstd", ".gzip"];

/// The files that are read, and what is passed over.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) list: Vec<PathBuf>,
    /// The entries of folders that are not read.
    pub(crate) skipped: Vec<PathBuf>,
}

impl Files {
    /// Finds the files that these arguments stand for. `recursive` includes those of subfolders.
    ///
    /// # Errors
    ///
    /// A path does not exist, cannot be read, or is not a regular file; a folder has no inputs.
    pub(crate) fn of(arguments: &[OsString], recursive: bool) -> Result<Self, Failure> {
        let mut files = Self::default();
        for argument in arguments {
            let path = Path::new(argument);
            if argument == "-" {
                return Err(read_once("standard input"));
            }
            let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            if kind.is_file() {
                files.list.push(path.to_owned());
            } else if kind.is_dir() {
                let before = files.list.len();
                files.folder(path, recursive)?;
                if files.list.len() == before {
                    return Err(without_inputs(path, recursive));
                }
            } else {
                return Err(read_once(&path.display().to_string()));
            }
        }
        Ok(files)
    }

    fn folder(&mut self, folder: &Path, recursive: bool) -> Result<(), Failure> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = entries.map_err(|error| unreadable(folder, &error))?;
        entries.sort_by(|a, b| natural::order(&a.file_name(), &b.file_name()));
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            // Not of what a link leads to: a linked folder may be one that is being descended.
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            let hidden = name.as_encoded_bytes().starts_with(b".");
            if kind.is_dir() && recursive && !hidden {
                self.folder(&path, recursive)?;
            } else if !kind.is_dir() && !hidden && has_ending(&name) && is_file(&path)? {
                self.list.push(path);
            } else {
                self.skipped.push(path);
            }
        }
        Ok(())
    }
}

/// Whether a path is a regular file, or a link to one.
fn is_file(path: &Path) -> Result<bool, Failure> {
    let kind = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok(kind.is_file())
}

/// Whether a file of this name in a folder is read.
fn has_ending(name: &OsStr) -> bool {
    let name = without_compression(name);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether this is the name of a table.
pub(crate) fn names_table(path: &Path) -> bool {
    let name = without_compression(path.as_os_str());
    [".csv", ".tsv"].iter().any(|ending| name.ends_with(ending))
}

/// A name in lower case, without the ending that compression adds.
fn without_compression(name: &OsStr) -> String {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let shorter = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending));
    shorter.map(ToOwned::to_owned).unwrap_or(name)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    format!("{} cannot be read: {error}", path.display()).into()
}

fn read_once(input: &str) -> Failure {
    format!("{input} cannot be read twice: put the records that were sent into a file").into()
}

fn without_inputs(folder: &Path, recursive: bool) -> Failure {
    let folder = folder.display();
    let below = if recursive { " or below it" } else { "" };
    let endings = ENDINGS.join(", ");
    format!("{folder} is a folder without inputs: expected files in it{below} with {endings}")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files and the skipped entries of a folder, relative to it.
    fn found(folder: &Path, recursive: bool) -> (Vec<String>, Vec<String>) {
        let files = Files::of(&[folder.into()], recursive).unwrap();
        let relative = |paths: Vec<PathBuf>| {
            let relative = |path: PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
            paths.into_iter().map(relative).collect()
        };
        (relative(files.list), relative(files.skipped))
    }

    #[test]
    fn folder_stands_for_its_inputs_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for sub in ["3", "3/b.json", ".git", "empty"] {
            fs::create_dir(path.join(sub)).unwrap();
        }
        for name in [
            "10.json",
            "2.json",
            "a.CSV.GZ",
            "b.tsv.zst",
            "c.jsonl.zstd",
            "d.ndjson.gzip",
            "e.txt",
            ".f.json",
            "g.gz",
            "3/2.csv",
            "3/10.csv",
            "3/.x.csv",
            "3/b.json/1.json",
            ".git/1.json",
        ] {
            fs::write(path.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("2.json", path.join("link.json")).unwrap();
        std::os::unix::fs::symlink("3", path.join("linked.json")).unwrap();
        let (files, skipped) = found(path, false);
        let named = ["a.CSV.GZ", "b.tsv.zst", "c.jsonl.zstd", "d.ndjson.gzip", "link.json"];
        assert_eq!(files, [&["2.json", "10.json"][..], &named].concat());
        assert_eq!(skipped, [".f.json", ".git", "3", "e.txt", "empty", "g.gz", "linked.json"]);
        let (files, skipped) = found(path, true);
        let below = ["2.json", "3/2.csv", "3/10.csv", "3/b.json/1.json", "10.json"];
        assert_eq!(files, [&below[..], &named].concat());
        assert_eq!(skipped, [".f.json", ".git", "3/.x.csv", "e.txt", "g.gz", "linked.json"]);
    }

    #[test]
    fn argument_that_cannot_be_read_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |argument: &str| {
            Files::of(&[argument.into()], false).map(|files| files.list).unwrap_err().to_string()
        };
        for pipe in ["-", "/dev/null"] {
            assert!(refusal(pipe).contains("cannot be read twice"), "{pipe}");
        }
        let path = folder.path().join("nowhere.json").display().to_string();
        assert!(refusal(&path).starts_with(&format!("{path} cannot be read: ")));
        let path = folder.path().display().to_string();
        assert!(refusal(&path).starts_with(&format!("{path} is a folder without inputs")));
        let any_name = folder.path().join("records");
        fs::write(&any_name, "").unwrap();
        assert_eq!(Files::of(&[any_name.clone().into()], false).unwrap().list, [any_name]);
    }

    #[test]
    fn table_is_told_by_its_name() {
        for (name, expected) in
            [("a.csv", true), ("a.TSV.gz", true), ("a.json", false), ("a.csv.bz2", false)]
        {
            assert_eq!(names_table(Path::new(name)), expected, "{name}");
        }
    }
}
