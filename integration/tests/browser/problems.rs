//! What goes wrong in a page is found, and what does not is not.

use muster_integration::browser::Browser;
use muster_integration::ports::free_port;

use crate::LIMIT;
use crate::site::Site;

const DONE: &str = "document.title = 'done'";
const NOTHING: [&str; 0] = [];

/// A browser that opens page after page.
struct Reader(Browser);

impl Reader {
    fn new() -> Self {
        Self(Browser::start())
    }

    /// The problems of a page, with these lines in its head, once its title is `done`.
    fn problems(&self, headers: &'static str, page: &str) -> Vec<String> {
        let site = Site::with(headers, &[("/", page), ("/there", "text")]);
        let page = self.0.page();
        page.open(&site.url("/"));
        page.wait_until("document.title === 'done'", LIMIT);
        let problems = page.problems().into_iter();
        problems.map(|problem| problem.replace(&site.url(""), "[site]")).collect()
    }

    /// Those of a page with this in it.
    fn of_page(&self, html: &str) -> Vec<String> {
        self.problems("", &format!("{html}<script>onload = () => {DONE}</script>"))
    }

    /// Those of a page with this script in it.
    fn of_script(&self, script: &str) -> Vec<String> {
        self.of_page(&format!("<script>{script}</script>"))
    }
}

#[test]
fn a_page_that_is_well_has_no_problems() {
    let reader = Reader::new();
    assert_eq!(reader.of_script("console.log('a word'); console.info('another')"), NOTHING);
    assert_eq!(reader.of_script("try { nobody.home() } catch {}"), NOTHING);
    assert_eq!(reader.of_page("<iframe src=/there></iframe><img alt='' src=data:,>"), NOTHING);
    let given_up = "const given_up = new AbortController();
         fetch('/there', { signal: given_up.signal }).catch(() => {});
         given_up.abort()";
    assert_eq!(reader.of_script(given_up), NOTHING);
    let policy = "Content-Security-Policy: default-src 'self'; script-src 'nonce-mine'\r\n";
    let allowed = format!("<script nonce=mine>{DONE}</script>");
    assert_eq!(reader.problems(policy, &allowed), NOTHING);
}

#[test]
fn what_is_on_the_console_and_what_nobody_caught() {
    let reader = Reader::new();
    assert_eq!(
        reader.of_script("console.error('a', 1, {b: 2}); console.warn('c')"),
        ["console error: a 1 Object ([site]/:1)", "console warning: c ([site]/:1)"]
    );
    assert_eq!(
        reader.of_script("\nnobody.home()"),
        ["uncaught: ReferenceError: nobody is not defined ([site]/:2)"]
    );
    assert_eq!(reader.of_script("throw 'a word'"), ["uncaught: a word ([site]/:1)"]);
    assert_eq!(
        reader.of_script("Promise.reject(new Error('broken'))"),
        ["uncaught: Error: broken ([site]/:1)"]
    );
}

#[test]
fn what_the_policy_blocks() {
    let reader = Reader::new();
    let policy = "Content-Security-Policy: default-src 'none'; script-src 'nonce-mine'\r\n";
    for html in ["<script>1</script>", "<p style='color: red'>text", "<img alt='' src=/there>"] {
        let page = format!("{html}<script nonce=mine>onload = () => {DONE}</script>");
        let problems = reader.problems(policy, &page);
        assert!(problems[0].contains("Content Security Policy"), "{html}: {problems:?}");
        assert_eq!(problems.len(), 1, "{html}: {problems:?}");
    }
}

#[test]
fn what_cannot_be_loaded() {
    let reader = Reader::new();
    let missing = "<img alt='' src=/no.png><iframe src=/no></iframe>";
    let mut found = reader.of_page(missing);
    found.sort();
    assert_eq!(found, ["404 for [site]/no (Document)", "404 for [site]/no.png (Image)"]);
    let asked = format!("<script>fetch('/no').then(() => {DONE})</script>");
    assert_eq!(reader.problems("", &asked), ["404 for [site]/no (Fetch)"]);
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    assert_eq!(
        reader.of_page(&format!("<script src={nobody}></script>")),
        [format!("net::ERR_CONNECTION_REFUSED for {nobody} (Script)")]
    );
}

#[test]
fn nothing_is_loaded_from_another_machine() {
    let reader = Reader::new();
    for host in ["example.org", "192.0.2.1"] {
        assert_eq!(
            reader.of_page(&format!("<img alt='' src=http://{host}/a.png>")),
            [format!("net::ERR_NAME_NOT_RESOLVED for http://{host}/a.png (Image)")]
        );
    }
}
