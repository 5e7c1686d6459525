//! The browser of the tests does what a person does, and sees what went wrong. Each test of a page
//! that is well has one of a page that is not.

mod accessibility;
mod problems;
mod site;

use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use muster_integration::browser::{Browser, Page, Scheme};
use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::wait;
use site::Site;

const LIMIT: Duration = Duration::from_secs(10);

/// A browser on the one page of a site.
fn shown(page: &str) -> Page {
    let shown = Browser::start().page();
    assert_eq!(shown.open(&Site::of(page).url("/")), 200);
    shown
}

#[test]
fn a_page_is_opened_and_a_link_leads_to_another_one() {
    let site =
        Site::with("", &[("/", "<h1>One</h1><a href=/two>on</a>"), ("/two", "<h1>Two</h1>")]);
    let page = Browser::start().page();
    assert_eq!(page.open(&site.url("/three")), 404);
    assert_eq!(page.open(&site.url("/")), 200);
    assert_eq!(page.text("h1"), "One");
    page.click("a");
    page.wait_until("document.querySelector('h1')?.innerText === 'Two'", LIMIT);
    assert_eq!(page.evaluate("location.pathname"), "/two");
}

/// What a test of this program says of its failure, with this variable in its environment.
fn failure_with(variable: &str, value: &str) -> String {
    let program = env::current_exe().expect("a program knows its own executable");
    let mut command = Command::new(program);
    command.args(["--exact", "pages_share_no_cookies", "--nocapture"]);
    command.env_remove("MUSTER_CHROMIUM").env(variable, value);
    Process::start("a test", &mut command).wait(LIMIT).expect_code(101).to_string()
}

#[test]
fn a_browser_that_is_not_there_or_does_not_start_is_told() {
    let said = failure_with("PATH", "/nowhere");
    assert!(said.contains("no Chromium is here: install the package chromium"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let said = failure_with("MUSTER_CHROMIUM", &folder.path().join("none").to_string_lossy());
    assert!(said.contains("Chromium has ended (Browser.getVersion). Its log:"), "{said}");
    assert!(said.contains("/none: "), "{said}");
}

#[test]
#[should_panic(expected = "ERR_CONNECTION_REFUSED")]
fn a_page_of_nobody_cannot_be_opened() {
    let port = free_port();
    Browser::start().page().open(&format!("http://127.0.0.1:{port}/"));
}

#[test]
fn fields_are_filled_and_lists_chosen_from() {
    let page = shown(
        "<input value=old oninput='log.append(`[${this.value}]`)'>
         <textarea>old</textarea>
         <select onchange='log.append(`<${this.value}>`)'><option>a<option>b</select>
         <p id=log>log</p>",
    );
    page.fill("input", "new ✓");
    page.fill("textarea", "two\nlines");
    page.fill("select", "b");
    assert_eq!(page.evaluate("document.querySelector('textarea').value"), "two\nlines");
    assert_eq!(page.text("#log"), "log[new ✓]<b>");
    page.fill("input", "");
    assert_eq!(page.evaluate("document.querySelector('input').value"), "");
}

#[test]
#[should_panic(expected = "there is no such choice")]
fn what_is_not_in_a_list_cannot_be_chosen() {
    shown("<select><option>a<option>b</select>").fill("select", "c");
}

#[test]
#[should_panic(expected = "is there")]
fn what_is_covered_cannot_be_clicked() {
    shown("<button>on</button><div style='position: fixed; inset: 0'></div>").click("button");
}

#[test]
#[should_panic(expected = "not within 100ms")]
fn what_cannot_be_seen_is_waited_for_in_vain() {
    shown("<p hidden>text</p>").wait_for("p", Duration::from_millis(100));
}

#[test]
fn what_appears_later_is_waited_for() {
    let page = shown(
        "<p hidden>text</p><script>setTimeout(() => document.querySelector('p').hidden = false, 300)</script>",
    );
    page.wait_for("p", LIMIT);
}

#[test]
fn the_focus_is_walked_with_the_keyboard() {
    let page = shown(
        "<a href=/ id=first>a</a><span>no</span><input id=second><button id=third>ok</button><p id=log></p>
         <script>third.onclick = () => log.append('pressed ')</script>",
    );
    let walk = |keys: &[&str]| {
        let step = |key: &&str| {
            page.press(key);
            page.focused()
        };
        keys.iter().map(step).collect::<Vec<_>>()
    };
    assert_eq!(page.focused(), "body");
    assert_eq!(walk(&["Tab", "Tab", "a", "Tab"]), ["#first", "#second", "#second", "#third"]);
    page.press("Enter");
    page.press("Space");
    assert_eq!(page.text("#log"), "pressed pressed");
    assert_eq!(walk(&["Shift+Tab"]), ["#second"]);
    assert_eq!(page.evaluate("second.value"), "a");
}

#[test]
fn the_scheme_that_is_preferred_decides_on_the_colours() {
    let page = shown(
        "<style>body { background: white }
         @media (prefers-color-scheme: dark) { body { background: black } }</style>",
    );
    let background = || page.evaluate("getComputedStyle(document.body).backgroundColor");
    for (scheme, colour) in [(Scheme::Dark, "rgb(0, 0, 0)"), (Scheme::Light, "rgb(255, 255, 255)")]
    {
        page.prefer_scheme(scheme);
        assert_eq!(background(), colour);
    }
}

#[test]
fn a_page_can_be_had_without_its_scripts() {
    let site = Site::of(
        "<p>without</p><noscript><b>none</b></noscript>
         <script>document.querySelector('p').innerText = 'with'</script>",
    );
    let browser = Browser::start();
    let page = browser.page();
    page.open(&site.url("/"));
    assert_eq!(page.text("p"), "with");
    let page = browser.page();
    page.disable_scripts();
    page.open(&site.url("/"));
    assert_eq!((page.text("p"), page.text("b")), ("without".to_owned(), "none".to_owned()));
    assert_eq!(page.contrast_problems(), [""; 0], "what a test evaluates still runs");
}

/// The width and the height that a PNG file says it has.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn a_screenshot_has_the_width_of_the_window_and_the_height_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.png");
    let page = shown("<body style='margin: 0'><div style='height: 1500px'></div>");
    for width in [1280, 360] {
        page.set_viewport(width, 600);
        page.screenshot(&file);
        assert_eq!(png_size(&fs::read(&file).unwrap()), (width, 1500));
    }
}

#[test]
fn pages_share_no_cookies() {
    let site = Site::with("Set-Cookie: seen=1\r\n", &[("/", "<p>text</p>")]);
    let browser = Browser::start();
    let cookie = |page: &Page| {
        page.open(&site.url("/"));
        page.evaluate("document.cookie")
    };
    assert_eq!(cookie(&browser.page()), "seen=1");
    let page = browser.page();
    page.open(&site.url("/other"));
    page.evaluate("document.cookie = 'mine=1'");
    assert_eq!(cookie(&browser.page()), "seen=1");
    assert_eq!(cookie(&page), "seen=1; mine=1");
}

/// The process groups of this test's children, and of all processes that run, on Linux.
#[cfg(target_os = "linux")]
fn groups(of: impl Fn(&str) -> bool) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux lists its processes").flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let running = stats.filter_map(|stat| {
        let (_, rest) = stat.rsplit_once(") ")?;
        let [state, parent, group] = rest.split(' ').take(3).collect::<Vec<_>>()[..] else {
            return None;
        };
        (state != "Z" && of(parent)).then(|| group.to_owned())
    });
    running.collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_browser_and_its_helpers_end_with_the_last_page() {
    let page = shown("<p>text</p>");
    let me = std::process::id().to_string();
    let group = groups(|parent| parent == me).pop().expect("the browser is a child of this test");
    let running = || groups(|_| true).iter().filter(|one| **one == group).count();
    assert!(running() > 2, "the browser has helpers");
    drop(page);
    wait::until(
        LIMIT,
        || (running() == 0).then_some(()),
        || format!("{} processes still run", running()),
    );
}
