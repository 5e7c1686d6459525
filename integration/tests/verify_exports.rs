//! `muster verify` on rolls that an earlier reader made of exports it misread without a word: each is
//! refuted, with a line that names the field.
//!
//! `fixtures/silently-wrong/` has a folder for each shape of export: the input, and the roll and the
//! manifest that were made of it with exit code 0.

use std::path::Path;
use std::time::Duration;

use muster_integration::process::{Finished, Process};
use muster_integration::programs;

const LIMIT: Duration = Duration::from_secs(60);

/// Verifies the roll of an export.
fn verify(shape: &str, words: &str) -> Finished {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/silently-wrong");
    let mut command = programs::command("muster");
    command.arg("verify").args(words.split(' ')).current_dir(folder.join(shape));
    Process::start(&format!("muster verify {words} of {shape}"), &mut command).wait(LIMIT)
}

/// The roll is refuted, and these lines say why.
#[track_caller]
fn is_refuted(shape: &str, inputs: &str, lines: &[&str]) {
    let finished = verify(shape, inputs).expect_code(3);
    for line in lines {
        let found = finished.stdout.lines().any(|printed| printed == *line);
        assert!(found, "no {line:?} in\n{finished}");
    }
}

#[test]
fn camel_case_names_are_read_as_fields() {
    is_refuted(
        "camel-case",
        "input.json",
        &["changed   input.json:1 was found as all_users.json:2 with another `user_name`, \
            `first_name`, `last_name`, `ip_address`"],
    );
}

#[test]
fn kebab_case_names_are_doubtful() {
    let doubt =
        "doubt     input.json: `user-name` is ignored, and `user_name` is missing in 3 records";
    is_refuted("kebab-case", "input.json", &[doubt]);
}

#[test]
fn names_that_are_run_together_are_doubtful() {
    let doubt = |name: &str, field: &str| {
        format!("doubt     input.json: `{name}` is ignored, and `{field}` is missing in 3 records")
    };
    let lines = [doubt("username", "user_name"), doubt("lastname", "last_name")];
    is_refuted("run-together", "input.json", &lines.each_ref().map(String::as_str));
}

#[test]
fn names_inside_of_an_object_are_doubtful() {
    let doubt = "doubt     input.json: `first_name` is only inside of `name`, which is ignored, \
        in 3 records";
    is_refuted("nested", "input.json", &[doubt]);
}

#[test]
fn wrapper_with_an_email_of_its_own_is_not_read_as_a_record() {
    let finished = verify("wrapper", "input.json").expect_code(3);
    assert!(finished.stdout.contains("its member `users` holds records"), "{finished}");
    assert!(finished.stdout.contains("foreign   1 record"), "{finished}");
    let finished = verify("wrapper", "input.json --records /users/*").expect_code(3);
    assert!(finished.stdout.contains("missing   3 records"), "{finished}");
}

#[test]
fn other_names_for_fields_are_doubtful() {
    let doubt = |name: &str, field: &str| {
        format!("doubt     input.json: `{name}` is ignored, and `{field}` is missing in 3 records")
    };
    let lines = [doubt("user_id", "id"), doubt("nickname", "user_name")];
    is_refuted("foreign-names", "input.json", &lines.each_ref().map(String::as_str));
}

#[test]
fn folder_that_gives_a_field_is_doubtful() {
    let inputs = "gender=F/part-0.json gender=M/part-0.json";
    let doubt = "doubt     gender=F/part-0.json: the folder `gender=F` gives `gender`, which is \
        missing in 2 records";
    is_refuted("partitioned", inputs, &[doubt]);
}

#[test]
fn text_that_stands_for_a_missing_value_is_doubtful() {
    let lines = [
        "doubt     input.json: `last_name` is the text `null` rather than missing in 1 record",
        "doubt     input.json: `country` is the text `NA` rather than missing in 2 records",
    ];
    is_refuted("null-texts", "input.json", &lines);
}

#[test]
fn roll_is_proven_when_its_doubts_are_accepted() {
    for shape in ["kebab-case", "run-together", "nested", "foreign-names", "null-texts"] {
        let finished = verify(shape, "input.json");
        assert!(finished.stdout.contains("\nproven    for 3 records as they were read"), "{shape}");
        verify(shape, "input.json --accept-doubts").expect_code(0);
    }
}
