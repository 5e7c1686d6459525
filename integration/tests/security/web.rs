//! The dashboard: signing in, forms of other sites, other names, and files that are none of it.

use std::collections::HashMap;

use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::Stack;

use crate::raw::{ask, get, post};
use crate::site::Site;

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    line.unwrap_or_default()
}

/// Signs in, and returns the cookie as a header.
fn sign_in(port: u16, token: &str) -> String {
    let (status, answer) = post(port, "/sign-in", "", &format!("token={token}&to=%2Fbatches"));
    assert_eq!((status, header(&answer, "location")), (303, "/batches"), "{answer}");
    let cookie = header(&answer, "set-cookie");
    let mut parts = cookie.split("; ");
    let pair = parts.next().unwrap();
    let attributes: HashMap<&str, &str> =
        parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
    assert_eq!(attributes.get("SameSite"), Some(&"Strict"), "{cookie}");
    assert!(attributes.contains_key("HttpOnly") && attributes["Path"] == "/", "{cookie}");
    assert!(!cookie.contains(token), "the cookie is not the token");
    format!("Cookie: {pair}\r\n")
}

fn with(port: u16, path: &str, headers: &str) -> (u16, String) {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"),
    )
}

#[test]
fn the_dashboard_asks_who_you_are_and_lets_you_do_what_your_role_is() {
    let site = Site::open(&[]);
    let port = site.stack.http_port();
    let (status, answer) = get(port, "/batches?state=open", None);
    assert_eq!(status, 303);
    assert_eq!(header(&answer, "location"), "/sign-in?to=%2Fbatches%3Fstate%3Dopen");
    assert_eq!(get(port, "/events?page=overview", None).0, 401);
    assert_eq!(post(port, "/queue/pause", "", "confirmed=yes").0, 401);
    assert_eq!(get(port, "/sign-in", None).0, 200);
    assert_eq!(get(port, "/assets/style.css", None).0, 200);
    for (token, said) in [("muster_x", "is not known"), (&*site.sender, "not see this dashboard")] {
        let (status, answer) = post(port, "/sign-in", "", &format!("token={token}"));
        assert_eq!(status, 401);
        assert!(answer.contains(said), "{answer}");
        assert_eq!(header(&answer, "set-cookie"), "");
    }

    let reader = sign_in(port, &site.reader);
    let (status, page) = with(port, "/", &reader);
    assert_eq!(status, 200);
    assert!(page.contains("reader") && page.contains("Sign out"), "{page}");
    assert!(!page.contains("action=\"/queue/pause\""), "nothing is offered that is not allowed");
    assert_eq!(post(port, "/queue/pause", &reader, "confirmed=yes").0, 403);

    let operator = sign_in(port, &site.operator);
    assert_eq!(post(port, "/queue/pause", &operator, "confirmed=yes").0, 303);
    assert!(with(port, "/", &operator).1.contains("action=\"/queue/resume\""));
    let (status, answer) = post(port, "/sign-out", &operator, "");
    assert_eq!((status, header(&answer, "location")), (303, "/sign-in"));
    assert_eq!(with(port, "/", &operator).0, 303, "the session is over at the server as well");
}

#[test]
fn a_dashboard_behind_a_proxy_is_below_its_path() {
    let site = Site::open(&[("MUSTER_SERVER_DASHBOARD_URL", "http://ops.example:8080/muster/")]);
    let port = site.stack.http_port();
    let (status, answer) = get(port, "/muster/batches", None);
    assert_eq!((status, header(&answer, "location")), (303, "/muster/sign-in?to=%2Fbatches"));
    let form = format!("token={}&to=%2Fbatches", site.operator);
    let (status, answer) = post(port, "/muster/sign-in", "", &form);
    assert_eq!((status, header(&answer, "location")), (303, "/muster/batches"), "{answer}");
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.starts_with("muster=") && cookie.contains("; Path=/muster; "), "{cookie}");
    let (cookie, _) = cookie.split_once("; ").unwrap();
    let operator = format!("Cookie: {cookie}\r\n");
    let (status, page) = with(port, "/muster/", &operator);
    assert_eq!(status, 200);
    assert!(page.contains("href=\"/muster/assets/style.css\""), "{page}");
    let pause = |origin: &str| {
        let headers = format!("{operator}Origin: {origin}\r\n");
        post(port, "/muster/queue/pause", &headers, "confirmed=yes").0
    };
    assert_eq!(pause("http://ops.example"), 403);
    assert_eq!(pause("http://ops.example:8080"), 303);
    assert!(with(port, "/muster/", &operator).1.contains("action=\"/muster/queue/resume\""));
    assert_eq!(get(port, "/readyz", None).0, 200);
}

#[test]
fn a_form_of_another_site_does_nothing_even_for_who_has_signed_in() {
    let site = Site::open(&[]);
    let port = site.stack.http_port();
    let operator = sign_in(port, &site.operator);
    for from in
        ["Sec-Fetch-Site: cross-site\r\n", "Origin: https://evil.example\r\n", "Origin: null\r\n"]
    {
        let headers = format!("{operator}{from}");
        assert_eq!(post(port, "/queue/pause", &headers, "confirmed=yes").0, 403, "{from}");
    }
    assert!(with(port, "/", &operator).1.contains("action=\"/queue/pause\""), "it is not paused");
}

#[test]
fn a_name_of_another_site_that_leads_here_is_refused() {
    let stack = Stack::start(Memory, 0);
    let asked = |host: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        ask(stack.http_port(), &request).0
    };
    assert_eq!(asked("evil.example"), 421);
    assert_eq!(asked("localhost.evil.example:9181"), 421);
    assert_eq!(asked("127.0.0.1:9181"), 200);
    assert_eq!(asked("localhost"), 200);
}

#[test]
fn no_path_leads_to_a_file_that_is_none_of_the_dashboard() {
    let site = Site::open(&[]);
    site.send(3).expect_code(0);
    let port = site.stack.http_port();
    assert_eq!(get(port, "/roll/all_users.json", Some(&site.reader)).0, 200);
    for path in [
        "/roll/../../../../etc/passwd",
        "/roll/..%2f..%2f..%2fetc%2fpasswd",
        "/roll/all_users.json/../../etc/passwd",
        "/roll/all_users.json%00.html",
        "/roll//etc/passwd",
        "/roll/.lock",
        "/roll/all_users.manifest.json",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/batches/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
    ] {
        let (status, answer) = get(port, path, Some(&site.reader));
        assert!(matches!(status, 400 | 404), "{path}: {status}");
        assert!(!answer.contains("root:"), "{path}");
    }
}

#[test]
fn what_is_sent_slowly_or_is_too_long_is_refused() {
    let site = Site::open(&[]);
    let port = site.stack.http_port();
    let operator = sign_in(port, &site.operator);
    let long = format!("filter={}", "a".repeat(70_000));
    assert_eq!(post(port, "/queue/log", &operator, &long).0, 413);
    let head = format!("X-Long: {}\r\n", "a".repeat(20_000));
    assert!(matches!(with(port, "/", &head).0, 431 | 0));
    let many: String = (0..100).map(|i| format!("X-{i}: 1\r\n")).collect();
    assert!(matches!(with(port, "/", &many).0, 431 | 0));
    // A form whose body does not come.
    let request = format!(
        "POST /queue/log HTTP/1.1\r\nHost: localhost\r\n{operator}Content-Length: 10\r\n\
         Connection: close\r\n\r\nfil"
    );
    assert_eq!(ask(port, &request).0, 408);
}
