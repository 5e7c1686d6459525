//! Files that other tools write: what `muster run` makes of each.
//!
//! `integration/exports/generate.sh` writes them with the tools that are installed here;
//! `expected.tsv` next to it has what is expected of each. The tools that are missing are printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use muster_integration::process::{Finished, Process};
use muster_integration::users::User;
use muster_integration::{programs, roll};

const EXPORT: Duration = Duration::from_secs(180);
const RUN: Duration = Duration::from_secs(60);
/// How many files are read at once.
const THREADS: usize = 4;
/// How many files there are at least, where Python is installed.
const PYTHON_FILES: usize = 15;

#[test]
fn exports_of_the_installed_tools_become_what_is_expected() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let written = Process::start("generate.sh", &mut generator(folder.path())).wait(EXPORT);
    for skipped in written.stdout.lines().filter(|line| line.starts_with("skipped: ")) {
        println!("{skipped}");
    }
    let written = written.expect_code(0).stdout;
    let names: Vec<&str> = written.lines().filter_map(|line| line.strip_prefix("made ")).collect();
    let least =
        if written.contains("skipped: python3 is not installed") { 1 } else { PYTHON_FILES };
    assert!(names.len() >= least, "only {} files were made:\n{written}", names.len());

    let expected = expected();
    let rolls = tempfile::tempdir().expect("there is room for a folder");
    let differences = in_threads(&names, |name| {
        let Some(export) = expected.get(*name) else {
            return Err(format!("{name} is not in expected.tsv"));
        };
        check(export, &Desk { input: folder.path().join(name), rolls: rolls.path().join(name) })
            .map_err(|difference| format!("{name} ({}): {difference}", export.layout))
    });
    assert!(
        differences.is_empty(),
        "{} of {} files:\n\n{}",
        differences.len(),
        names.len(),
        differences.join("\n")
    );
}

/// It holds whatever is installed.
#[test]
fn expected_files_are_those_of_the_script() {
    let script = fs::read_to_string(exports().join("generate.sh")).expect("there is a script");
    let expected = expected();
    let made = script.split_whitespace().zip(script.split_whitespace().skip(1));
    let made: Vec<&str> = made
        .filter(|(word, name)| MAKERS.contains(word) && name.contains('.'))
        .map(|(_, name)| name)
        .collect();
    assert!(made.len() > 100, "only {} files are made", made.len());
    for name in made {
        assert!(expected.contains_key(name), "{name} is not in expected.tsv");
    }
    for name in expected.keys() {
        assert!(script.contains(name.as_str()), "{name} is not in generate.sh");
    }
}

/// The functions of the script whose first argument is the name of a file.
const MAKERS: &[&str] = &["make", "python", "node_js", "php_pdo", "perl_pp", "ruby_rb"];

/// A row of `expected.tsv`.
struct Export {
    layout: String,
    /// The value of `--records` that Muster advises, without which nothing is read.
    records: Option<String>,
    outcome: Outcome,
    /// What Muster prints.
    text: String,
}

/// What a run makes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The roll has the five users, and the exit code is 0.
    Right,
    /// The exit code is 0, and the roll differs: the tool has left out or changed something.
    Differs,
    /// The roll has so many of the five users and no other record, and the exit code is 3.
    Part(usize),
    /// No roll is written, and the exit code is 2 or 3.
    Refused,
}

impl Outcome {
    fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            None if text == "right" => Self::Right,
            None if text == "differs" => Self::Differs,
            None if text == "refused" => Self::Refused,
            Some(("part", count)) => Self::Part(count.parse().expect("a part is a number")),
            _ => panic!("{text:?} is not an outcome"),
        }
    }

    /// What a run made of a file; `None` for anything else.
    fn of(finished: &Finished, roll: Option<&[String]>) -> Option<Self> {
        let users: Vec<String> = users().iter().map(roll::record).collect();
        match (finished.code(), roll) {
            (Some(0), Some(roll)) if roll == users => Some(Self::Right),
            (Some(0), Some(_)) => Some(Self::Differs),
            (Some(3), Some(roll)) => {
                let mut rest = users.iter();
                let is_part = roll.iter().all(|record| rest.any(|user| user == record));
                is_part.then_some(Self::Part(roll.len()))
            }
            (Some(2 | 3), None) => Some(Self::Refused),
            _ => None,
        }
    }
}

/// A file to be read, and a folder for its rolls.
struct Desk {
    input: PathBuf,
    rolls: PathBuf,
}

impl Desk {
    /// Runs Muster, and returns the records of the roll, if there is one.
    fn run(&self, records: Option<&str>) -> (Finished, Option<Vec<String>>) {
        let folder = self.rolls.join(if records.is_some() { "with" } else { "without" });
        fs::create_dir_all(&folder).expect("there is room for a folder");
        let roll = folder.join("all_users.json");
        let mut command = programs::command("muster");
        command.arg("run").arg(&self.input).arg("--output").arg(&roll);
        if let Some(records) = records {
            command.args(["--records", records]);
        }
        let finished = Process::start("muster run", &mut command).wait(RUN);
        (finished, fs::read_to_string(roll).ok().map(|roll| records_of(&roll)))
    }
}

/// The records of a roll, as they stand in it.
fn records_of(roll: &str) -> Vec<String> {
    let lines = roll.lines().filter(|line| !matches!(*line, "[" | "]"));
    lines.map(|line| line.strip_suffix(',').unwrap_or(line).to_owned()).collect()
}

/// Reads a file, and compares with what is expected of it.
fn check(export: &Export, desk: &Desk) -> Result<(), String> {
    if let Some(records) = &export.records {
        let (finished, roll) = desk.run(None);
        let advice = format!("--records '{records}'");
        if Outcome::of(&finished, roll.as_deref()) != Some(Outcome::Refused)
            || !finished.stderr.contains(&advice)
        {
            return Err(format!("expected advice to use {advice}\n{finished}"));
        }
    }
    let (finished, roll) = desk.run(export.records.as_deref());
    let outcome = Outcome::of(&finished, roll.as_deref());
    if outcome != Some(export.outcome) {
        return Err(format!("expected {:?}, found {outcome:?}\n{finished}", export.outcome));
    }
    let text = &*export.text;
    if !finished.stdout.contains(text) && !finished.stderr.contains(text) {
        return Err(format!("expected {text:?}\n{finished}"));
    }
    Ok(())
}

/// Calls `check` with each item, some at a time. Returns what failed, in any order.
fn in_threads<T: Sync>(
    items: &[T],
    check: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(difference) = check(item) {
                        failed.lock().expect("no check panics").push(difference);
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no check panics")
}

fn exports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exports")
}

fn generator(folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(exports().join("generate.sh")).arg(folder);
    command
}

/// The rows of `expected.tsv`, by the name of the file.
fn expected() -> BTreeMap<String, Export> {
    let table = fs::read_to_string(exports().join("expected.tsv")).expect("there is a table");
    let mut expected = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let &[name, layout, records, outcome, text] = &*cells else {
            panic!("{line:?} has {} cells", cells.len());
        };
        let export = Export {
            layout: layout.to_owned(),
            records: Some(records.to_owned()).filter(|records| !records.is_empty()),
            outcome: Outcome::parse(outcome),
            text: text.to_owned(),
        };
        assert!(
            export.outcome == Outcome::Right || !export.text.is_empty(),
            "{name}: the text is missing"
        );
        assert!(expected.insert(name.to_owned(), export).is_none(), "{name} is there twice");
    }
    expected
}

/// The five users that the script exports.
fn users() -> [User; 5] {
    const LONG_AGENT: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
    let user = |id, [user_name, first_name, last_name]: [&'static str; 3], ip_address: &str| User {
        id,
        first_name,
        last_name,
        email: format!("{user_name}@example.com"),
        gender: "Female",
        ip_address: ip_address.to_owned(),
        user_name: user_name.to_owned(),
        agent: "",
        country: "",
    };
    let ada = user(1, ["ada", "Ada", "Lovelace"], "192.0.2.1");
    let zoe = user(2, ["zoe", "Zoë", "Müller"], "192.0.2.2");
    let bob = user(3, ["bob", "Bob \"Bo\\b\"", "O'Brien"], "192.0.2.3");
    let lin = user(4, ["lin", "Lin", "Wei"], "2001:db8::4");
    let eva = user(5, ["eva", "Eva", "Novak"], "192.0.2.5");
    [
        User { country: "United Kingdom", agent: LONG_AGENT, ..ada },
        User { country: "Côte d'Ivoire", agent: "curl/8.5.0", ..zoe },
        User { gender: "Male", country: "Ireland", agent: "Wget/1.21.3", ..bob },
        User { gender: "", country: "China", agent: "Mozilla/5.0 (compatible; MSIE 9.0)", ..lin },
        User { country: "Czech Republic", agent: "Opera/9.80", ..eva },
    ]
}
