//! The help of every program and every command: a file each, in `help/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Desk;

/// The programs, and the command that their help does not name.
const BEGINNINGS: [&str; 5] =
    ["muster", "muster-client", "muster-server", "muster-worker", "muster-server manual"];

fn help(command: &str) -> String {
    let desk = Desk::new();
    let finished = desk.enter(&format!("{command} --help")).expect_code(0);
    assert_eq!(finished.stderr, "", "help goes to standard output");
    desk.without_path(&finished.stdout)
}

/// The commands that a help names, but for `help` itself.
fn commands(help: &str) -> Vec<&str> {
    let named = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let named = named.take_while(|line| !line.is_empty());
    // What is indented further goes on with the line above.
    let names = named.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !["", "help"].contains(name)).collect()
}

/// Every command with its help, found by following what helps name.
fn all() -> Vec<(String, String)> {
    let mut left = BEGINNINGS.map(str::to_owned).to_vec();
    let mut found = Vec::new();
    while let Some(command) = left.pop() {
        let help = help(&command);
        left.extend(commands(&help).into_iter().map(|name| format!("{command} {name}")));
        found.push((command, help));
    }
    found
}

#[test]
fn every_command_has_the_help_that_is_in_its_file() {
    let mut files = BTreeSet::new();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("help");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (command, help) in all() {
            let name = command.replace(' ', "_");
            insta::assert_snapshot!(name.clone(), help);
            files.insert(format!("{name}.snap"));
        }
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line/help");
    let there = fs::read_dir(folder).expect("there is a folder");
    let there = there.map(|file| file.expect("it can be read").file_name().into_string());
    assert_eq!(there.collect::<Result<BTreeSet<_>, _>>(), Ok(files), "a file for each command");
}

#[test]
fn every_command_of_the_client_says_its_exit_codes() {
    let codes = |help: &str| help.contains("\nExit codes: 0 ");
    let does_something = |(command, help): &(String, String)| {
        command.starts_with("muster-client ") && commands(help).is_empty()
    };
    let all = all().into_iter().filter(does_something);
    let silent: Vec<_> = all.filter(|(_, help)| !codes(help)).map(|(command, _)| command).collect();
    assert_eq!(silent, ["muster-client completions"]);
}
