//! No token, a wrong one, one with another role, one that was revoked; and who did it, in the log.

use std::fs;
use std::time::Instant;

use muster_integration::{http, wait};

use crate::raw::get;
use crate::site::{LIMIT, Site, new_token};

#[test]
fn who_has_no_token_a_wrong_one_or_another_role_is_refused_at_once() {
    let site = Site::open(&[]);
    let file = site.records(3).display().to_string();
    let wrong = format!("{}x", &site.operator[..49]);
    let begun = Instant::now();
    for (arguments, token, said) in [
        (&["stats"][..], None, "say who you are: give a token"),
        (&["stats"], Some(wrong.as_str()), "this token is not known"),
        (&["stats"], Some("\u{1b}[31m"), "token"),
        (&["stats"], Some(&site.sender), "sender may not do this: it asks for the role read"),
        (&["send", &file], None, "say who you are: give a token"),
        (&["send", &file], Some(&site.reader), "reader may not do this: it asks for the role send"),
        (&["send", &file, "--mode", "unary"], Some(&wrong), "this token is not known"),
        (&["queue", "pause"], Some(&site.reader), "it asks for the role operate"),
        (&["log", "debug"], Some(&site.reader), "it asks for the role operate"),
        (&["queue", "resume"], Some(&site.sender), "it asks for the role operate"),
        (&["roll", "download"], Some(&site.sender), "it asks for the role read"),
        (&["workers"], Some(&site.sender), "it asks for the role read"),
    ] {
        let finished = site.run(arguments, token);
        assert!(finished.stderr.contains(said), "{arguments:?}: {}", finished.stderr);
        assert_ne!(finished.code(), Some(0), "{arguments:?}");
        assert!(!finished.stderr.contains(&site.operator[..20]), "{}", finished.stderr);
    }
    assert!(begun.elapsed() < LIMIT, "none of this is tried again and again");
    assert!(!site.run(&["stats", "--json"], Some(&site.reader)).stdout.contains("\"paused\":true"));

    site.send(3).expect_code(0);
    site.run(&["queue", "pause"], Some(&site.operator)).expect_code(0);
    site.run(&["workers"], Some(&site.operator)).expect_code(0);
}

#[test]
fn a_token_that_is_taken_off_the_list_is_refused_within_seconds_and_others_are_not() {
    let mut site = Site::open(&[]);
    let before = fs::read_to_string(site.access()).unwrap();
    let added = new_token(&site.access(), &["late", "--role", "read", "--role", "send"]);
    let is_let_in = |site: &Site, token: &str| site.run(&["stats"], Some(token)).code() == Some(0);
    let late = || "the list was not read again".to_owned();
    wait::until(LIMIT, || is_let_in(&site, &added).then_some(()), late);
    fs::write(site.access(), before).unwrap();
    wait::until(LIMIT, || (!is_let_in(&site, &added)).then_some(()), late);
    assert!(is_let_in(&site, &site.reader));

    // A list that is broken changes nothing: nobody is let in by it, and nobody locked out.
    fs::write(site.access(), "[[token]]\nname = \"everybody\"\n").unwrap();
    let server = site.stack.server.as_mut().unwrap();
    server.wait_for_line("reload failed; the previous version is still in use", LIMIT);
    assert!(is_let_in(&site, &site.reader));
}

#[test]
fn a_stream_is_broken_off_when_its_token_is_taken_off_the_list_and_no_other_is() {
    let site = Site::open(&[]);
    let (others, silence) = site.begin_stream("others", &site.sender);
    let before = fs::read_to_string(site.access()).unwrap();
    let added = new_token(&site.access(), &["late", "--role", "send"]);
    let file = site.records(3).display().to_string();
    let is_let_in = || (site.run(&["send", &file], Some(&added)).code() == Some(0)).then_some(());
    wait::until(LIMIT, is_let_in, || "the list was not read again".to_owned());
    let (revoked, _silence) = site.begin_stream("revoked", &added);
    fs::write(site.access(), before).unwrap();
    let revoked = revoked.wait(LIMIT);
    assert!(revoked.stderr.contains("this token is not known"), "{}", revoked.stderr);
    drop(silence);
    others.wait(LIMIT).expect_code(0);
}

#[test]
fn the_log_names_who_did_it_and_no_secret_is_shown_anywhere() {
    let mut site = Site::open(&[("MUSTER_LOG", "debug")]);
    site.run(&["queue", "pause"], Some(&site.operator)).expect_code(0);
    let server = site.stack.server.as_mut().unwrap();
    server.wait_for_line("operator at 127.0.0.1", LIMIT);
    let server = site.stack.server.as_ref().unwrap();
    let id = server.id();
    let (_, metrics) = get(site.stack.http_port(), "/metrics", Some(&site.reader));
    let shown = [
        server.lines(),
        metrics,
        fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap(),
        site.run(&["send", "--dump-config"], Some(&site.sender)).expect_code(0).stdout,
        fs::read_to_string(site.access()).unwrap(),
    ];
    for secret in [&site.sender, &site.reader, &site.operator] {
        assert!(shown.iter().all(|text| !text.contains(&secret[7..])));
    }
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "no core is dumped");
}

#[test]
fn probes_are_open_and_metrics_are_for_readers_unless_it_is_said() {
    let site = Site::open(&[]);
    let port = site.stack.http_port();
    assert_eq!(http::status(port, "/livez"), Some(200));
    assert_eq!(http::status(port, "/readyz"), Some(200));
    for (token, status) in
        [(None, 401), (Some("x"), 401), (Some(&*site.sender), 403), (Some(&*site.reader), 200)]
    {
        assert_eq!(get(port, "/metrics", token).0, status, "{token:?}");
    }
    let open = Site::open(&[("MUSTER_SERVER_OPEN_METRICS", "true")]);
    assert_eq!(http::status(open.stack.http_port(), "/metrics"), Some(200));
}
