//! What others say, in logs and in a terminal: shown, and not obeyed.

use std::fs;

use serde_json::json;

use crate::site::{LIMIT, Site};

/// Ends the line and begins one of its own, turns colours and text around, hides.
const HOSTILE: &str =
    "x\n2026-01-01T00:00:00Z ERROR forged\r\u{1b}[31m\u{202e}\u{2066}\0\u{7}\u{9b}31m";

#[test]
fn no_record_writes_a_line_of_a_log_or_a_control_character_to_it() {
    let mut site = Site::open(&[("MUSTER_LOG", "trace")]);
    let file = site.folder().join("hostile.ndjson");
    let record = json!({ "id": 1, "user_name": HOSTILE, "email": HOSTILE, "ip_address": HOSTILE,
        "agent": HOSTILE, "country": HOSTILE });
    fs::write(&file, format!("{record}\n{{\"id\": \"{}\"}}\n", HOSTILE.escape_default())).unwrap();
    let file = file.display().to_string();
    let sent = site.run(&["send", &file, "--wait", "--batch", "hostile"], Some(&site.sender));
    let sent = sent.expect_code(3);
    let dead = site.run(&["dead", "list"], Some(&site.reader));
    let server = site.stack.server.take().unwrap();
    server.terminate();
    let server = server.wait(LIMIT);
    let worker = site.stack.workers.pop().unwrap();
    worker.terminate();
    let worker = worker.wait(LIMIT);
    for finished in [&sent, &dead, &server, &worker] {
        for text in [&finished.stdout, &finished.stderr] {
            assert!(!text.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{text}");
            let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
            let unseen = |c: char| {
                ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
            };
            let found: Vec<char> = text.chars().filter(|c| obeyed(*c) || unseen(*c)).collect();
            assert!(found.is_empty(), "{found:?} in {text:?}");
        }
    }
}
