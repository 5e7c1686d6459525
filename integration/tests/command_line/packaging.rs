//! What a packager takes from the programs: completions and manual pages.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use muster_integration::process::Process;
use muster_integration::programs;

use crate::{Desk, LIMIT};

const PROGRAMS: [&str; 4] = ["muster", "muster-client", "muster-server", "muster-worker"];

/// The manual pages of a program, by their names.
fn manual(program: &str, environment: &[(&str, &str)]) -> BTreeMap<String, String> {
    let desk = Desk::new();
    let line = format!("{program} manual [folder]/share/man1");
    let finished = desk.enter_with(&line, environment).expect_code(0);
    assert_eq!((&*finished.stdout, &*finished.stderr), ("", ""), "{line}");
    let pages = fs::read_dir(desk.folder.path().join("share/man1")).expect("the folder is made");
    pages
        .map(|page| {
            let page = page.expect("a page can be looked at");
            let text = fs::read_to_string(page.path()).expect("a page is text");
            (page.file_name().into_string().expect("a page has a name"), text)
        })
        .collect()
}

#[test]
fn bash_takes_the_completions() {
    for program in PROGRAMS {
        let desk = Desk::new();
        let finished = desk.enter(&format!("{program} completions bash")).expect_code(0);
        assert_eq!(finished.stderr, "", "{program}");
        assert!(finished.stdout.contains("--config"), "{program}: {}", finished.stdout);
        desk.put("completions", &finished.stdout);
        let mut check = Command::new("bash");
        check.args(["-eu", "-c", "source ./completions; complete -p \"$1\"", "bash", program]);
        check.current_dir(desk.folder.path());
        Process::start("bash", &mut check).wait(LIMIT).expect_code(0);
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let finished = Desk::new().enter(&format!("muster completions {shell}")).expect_code(0);
        assert!(finished.stdout.contains("verify"), "{shell}: {finished}");
    }
    let finished = Desk::new().enter("muster completions tcsh").expect_code(2);
    assert!(finished.stderr.contains("invalid value 'tcsh'"), "{finished}");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let names = |program| manual(program, &[]).into_keys().collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(names("muster"), @r"
    muster-completions.1
    muster-run.1
    muster-token-new.1
    muster-token.1
    muster-up-health.1
    muster-up.1
    muster-verify.1
    muster.1
    ");
    insta::assert_snapshot!(names("muster-client"), @r"
    muster-client-batch-abort.1
    muster-client-batch-list.1
    muster-client-batch-show.1
    muster-client-batch-wait.1
    muster-client-batch.1
    muster-client-completions.1
    muster-client-dead-drop.1
    muster-client-dead-export.1
    muster-client-dead-list.1
    muster-client-dead-replay.1
    muster-client-dead-show.1
    muster-client-dead.1
    muster-client-log.1
    muster-client-queue-pause.1
    muster-client-queue-resume.1
    muster-client-queue.1
    muster-client-roll-download.1
    muster-client-roll-show.1
    muster-client-roll.1
    muster-client-send.1
    muster-client-stats.1
    muster-client-top.1
    muster-client-workers.1
    muster-client.1
    ");
    insta::assert_snapshot!(names("muster-server"), @r"
    muster-server-completions.1
    muster-server-health.1
    muster-server.1
    ");
    insta::assert_snapshot!(names("muster-worker"), @r"
    muster-worker-completions.1
    muster-worker-health.1
    muster-worker-roll-accept.1
    muster-worker-roll-rotate.1
    muster-worker-roll.1
    muster-worker.1
    ");
}

#[test]
fn the_manual_is_the_same_each_time_wherever_it_is_made() {
    for program in PROGRAMS {
        let pages = manual(program, &[]);
        for (name, page) in &pages {
            assert!(page.replace("\\-", "-").contains(program), "{name}: {page}");
        }
        let elsewhere =
            [("MUSTER_CONFIG", "nowhere.toml"), ("COLUMNS", "40"), ("TZ", "Asia/Tokyo")];
        assert_eq!(manual(program, &elsewhere), pages, "{program}");
    }
}

#[test]
fn a_worker_of_ones_own_has_its_own_name() {
    let mut worker = programs::example("faulty-worker");
    worker.args(["completions", "fish"]);
    let finished = Process::start("faulty-worker", &mut worker).wait(LIMIT).expect_code(0);
    assert!(finished.stdout.contains("complete -c faulty-worker"), "{finished}");
    assert!(!finished.stdout.contains("muster-worker"), "{finished}");
}

#[test]
fn a_manual_that_has_no_place_is_refused() {
    let desk = Desk::new();
    desk.put("file", "");
    let finished = desk.enter("muster-server manual file").expect_code(1);
    insta::assert_snapshot!(finished.stderr, @"muster-server: cannot write the manual into file: File exists (os error 17)");
}
