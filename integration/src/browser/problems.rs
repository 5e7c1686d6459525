//! What went wrong in a page, as a person would read it in the browser's developer tools.

use serde_json::Value;

use super::connection::Event;

/// The problems among what happened in the page with this main frame, in that order.
pub(super) fn among(events: &[Event], main_frame: &str) -> Vec<String> {
    let problem = |event: &Event| match event.method.as_str() {
        "Runtime.consoleAPICalled" => console(&event.params),
        "Runtime.exceptionThrown" => Some(exception(&event.params["exceptionDetails"])),
        "Log.entryAdded" => entry(&event.params["entry"]),
        "Network.responseReceived" => answer(&event.params, main_frame),
        "Network.loadingFailed" => failure(&event.params, events),
        _ => None,
    };
    events.iter().filter_map(problem).collect()
}

/// `console.error`, `console.warn`, `console.assert`.
fn console(params: &Value) -> Option<String> {
    let kind = params["type"].as_str()?;
    let values: Vec<_> = params["args"].as_array()?.iter().map(value).collect();
    let place = place(&params["stackTrace"]["callFrames"][0]);
    ["error", "warning", "assert"]
        .contains(&kind)
        .then(|| format!("console {kind}: {}{place}", values.join(" ")))
}

/// What was thrown and not caught, in a script or in a promise.
pub(super) fn exception(details: &Value) -> String {
    let thrown = &details["exception"];
    let what = details["text"].as_str().filter(|_| thrown.is_null());
    let what = what.map_or_else(|| value(thrown), str::to_owned);
    // The lines after the first one are where it passed through.
    format!("uncaught: {}{}", what.lines().next().unwrap_or_default(), place(details))
}

/// What the browser itself says of a page: what its content security policy blocks, what it should
/// not use. It says what it could not load too, but not which page it was that it could not open.
fn entry(entry: &Value) -> Option<String> {
    let (level, source) = (entry["level"].as_str()?, entry["source"].as_str()?);
    let is_problem = ["error", "warning"].contains(&level) && source != "network";
    let text = entry["text"].as_str()?;
    is_problem.then(|| format!("{source} {level}: {text}{}", place(entry)))
}

/// What is not there, or may not be had. Of the page itself, whoever opens it is told.
fn answer(params: &Value, main_frame: &str) -> Option<String> {
    let (kind, response) = (params["type"].as_str()?, &params["response"]);
    let (status, url) = (response["status"].as_u64()?, response["url"].as_str()?);
    let is_page = kind == "Document" && params["frameId"] == main_frame;
    (status >= 400 && !is_page).then(|| format!("{status} for {url} ({kind})"))
}

/// What did not arrive. What was given up, such as by leaving the page, is none of that, and what the
/// policy blocked is an entry already.
fn failure(params: &Value, events: &[Event]) -> Option<String> {
    let sent = events.iter().find(|event| {
        event.method == "Network.requestWillBeSent"
            && event.params["requestId"] == params["requestId"]
    });
    let url = sent.and_then(|sent| sent.params["request"]["url"].as_str()).unwrap_or("a request");
    let (kind, error) = (params["type"].as_str()?, params["errorText"].as_str()?);
    let is_problem = params["canceled"] != true && params["blockedReason"] != "csp";
    is_problem.then(|| format!("{error} for {url} ({kind})"))
}

/// A value that a script gave, in words.
fn value(object: &Value) -> String {
    let description = object["description"].as_str();
    let text = object["value"].as_str().or(description);
    text.map_or_else(|| object["value"].to_string(), str::to_owned)
}

/// Where it was, if that is known. Lines are counted from 0.
fn place(at: &Value) -> String {
    match (at["url"].as_str(), at["lineNumber"].as_u64()) {
        (Some(url), Some(line)) if !url.is_empty() => format!(" ({url}:{})", line + 1),
        (Some(url), None) if !url.is_empty() => format!(" ({url})"),
        _ => String::new(),
    }
}
