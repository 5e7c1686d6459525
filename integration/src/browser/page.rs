//! A page of a browser, and what a person does with it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::connection::Connection;
use super::problems;
use crate::wait;

/// How long an element may take to appear before something is done with it, or a page to load.
const LIMIT: Duration = Duration::from_secs(10);

/// Not what is hidden, nor what is transparent.
const SEEN: &str = "{ opacityProperty: true, visibilityProperty: true }";

/// A page. Its browser lives at least as long.
#[derive(Debug)]
pub struct Page {
    connection: Arc<Connection>,
    session: String,
    main_frame: String,
}

/// The colours that a person prefers, `prefers-color-scheme` in a style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Page {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        let ask = |method: &str, params: Value, field: &str| {
            let answer =
                connection.call(None, method, params).unwrap_or_else(|error| panic!("{error}"));
            answer[field].as_str().unwrap_or_else(|| panic!("{method} answers {answer}")).to_owned()
        };
        let context = ask("Target.createBrowserContext", json!({}), "browserContextId");
        let blank = json!({ "url": "about:blank", "browserContextId": context });
        let target = ask("Target.createTarget", blank, "targetId");
        let attach = json!({ "targetId": target, "flatten": true });
        let session = ask("Target.attachToTarget", attach, "sessionId");
        // A target has the id of its main frame.
        let page = Self { connection, session, main_frame: target };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }));
        // As if its window were in front, also beside other pages.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        page.set_viewport(1280, 800);
        page
    }

    /// Goes to a page, waits until all of it is loaded, and returns the HTTP status.
    ///
    /// # Panics
    ///
    /// When there is no answer, or it is not loaded within ten seconds.
    pub fn open(&self, url: &str) -> u16 {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        let problem = answer["errorText"].as_str();
        assert!(problem.is_none(), "{url} cannot be opened: {}", problem.unwrap_or_default());
        let loader = &answer["loaderId"];
        let events = wait::until(
            LIMIT,
            || {
                let events = self.connection.events(&self.session);
                let is_loaded = events.iter().any(|event| {
                    event.params["name"] == "load" && event.params["loaderId"] == *loader
                });
                is_loaded.then_some(events)
            },
            || format!("{url} is not loaded: {:?}", self.problems()),
        );
        let status = events.iter().find_map(|event| {
            let is_answer =
                event.method == "Network.responseReceived" && event.params["requestId"] == *loader;
            is_answer.then(|| event.params["response"]["status"].as_u64()).flatten()
        });
        status.and_then(|status| u16::try_from(status).ok()).expect("a page has an HTTP status")
    }

    /// The text of the first such element, as it is shown.
    ///
    /// # Panics
    ///
    /// When it does not appear.
    pub fn text(&self, selector: &str) -> String {
        let text = self.with(selector, "element => element.innerText.trim()", "");
        text.as_str().expect("a text is a string").to_owned()
    }

    /// Waits until there is such an element, and it can be seen.
    ///
    /// # Panics
    ///
    /// When `limit` passes.
    pub fn wait_for(&self, selector: &str, limit: Duration) {
        let is_seen =
            format!("document.querySelector({})?.checkVisibility({SEEN})", json!(selector));
        self.wait_until(&is_seen, limit);
    }

    /// Waits until a JavaScript expression is true, on whichever page is there by then.
    ///
    /// # Panics
    ///
    /// When `limit` passes.
    pub fn wait_until(&self, condition: &str, limit: Duration) {
        // While one page goes and another one comes, nothing can be evaluated.
        let is_so = || self.try_evaluate(&format!("Boolean({condition})")) == Ok(Value::Bool(true));
        let late = || {
            let address = self.try_evaluate("location.href");
            format!("{condition} in {address:?}; problems: {:?}", self.problems())
        };
        wait::until(limit, || is_so().then_some(()), late);
    }

    /// Lets this page talk to servers whose certificates the browser does not trust.
    ///
    /// # Panics
    ///
    /// When the browser is gone.
    pub fn ignore_certificate_errors(&self) {
        self.call("Security.setIgnoreCertificateErrors", json!({ "ignore": true }));
    }

    /// The value of a JavaScript expression; of a promise, once it is kept.
    ///
    /// # Panics
    ///
    /// When it throws, or the promise is broken.
    pub fn evaluate(&self, expression: &str) -> Value {
        self.try_evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Writes a PNG file of the whole page, also of what is below the window.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn screenshot(&self, file: &Path) {
        let size = self.call("Page.getLayoutMetrics", json!({}))["cssContentSize"].take();
        let (width, height) = (&size["width"], &size["height"]);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let whole = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.call("Page.captureScreenshot", whole);
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap_or_default());
        let picture = picture.expect("a picture comes in base64");
        fs::write(file, picture).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Makes the window this large, in pixels.
    ///
    /// # Panics
    ///
    /// When the browser is gone.
    pub fn set_viewport(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Prefers these colours from now on.
    ///
    /// # Panics
    ///
    /// When the browser is gone.
    pub fn prefer_scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Runs no script of the pages that are opened from now on. What a test evaluates still runs.
    ///
    /// # Panics
    ///
    /// When the browser is gone.
    pub fn disable_scripts(&self) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    }

    /// What went wrong since the page was made: errors and warnings on the console, exceptions that
    /// nobody caught, what the content security policy blocked, and what could not be loaded.
    pub fn problems(&self) -> Vec<String> {
        // What happened before an answer is told before it.
        let _ = self.try_evaluate("0");
        problems::among(&self.connection.events(&self.session), &self.main_frame)
    }

    /// What a function makes of the first such element, once it is there, and of a text.
    pub(super) fn with(&self, selector: &str, function: &str, text: &str) -> Value {
        self.wait_for(selector, LIMIT);
        let (selector, text) = (json!(selector), json!(text));
        self.evaluate(&format!("({function})(document.querySelector({selector}), {text})"))
    }

    fn try_evaluate(&self, expression: &str) -> Result<Value, String> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.connection.call(Some(&self.session), "Runtime.evaluate", params)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(problems::exception(details)),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    pub(super) fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.connection.call(Some(&self.session), method, params);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }
}
