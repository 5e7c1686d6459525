//! Traces: what was done about a record, from one program to the next, as in W3C Trace Context.
//!
//! Spans are those of the crate `tracing`. With a collector they go there, by OTLP. Without one
//! they go nowhere, and the trace that a caller is in is still handed on, and stands in the log.
//!
//! A collector with an `https` URL must have a certificate of an authority that the system trusts; or of
//! one in the PEM file that `OTEL_EXPORTER_OTLP_CERTIFICATE` names, as OpenTelemetry specifies.

mod context;
mod export;

use opentelemetry::trace::TraceContextExt as _;
use tonic::transport::Uri;
use tracing::Span;
use tracing::field::{DisplayValue, display};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::config::Settings;
use crate::daemon::Failure;
use crate::logging;
pub use context::{InvalidTrace, Trace, TraceId};
use export::Export;

/// The variable that names the trace which a program is started in.
const VARIABLE: &str = "TRACEPARENT";

/// The log and the traces of a program that runs. What has not been sent when it is dropped is
/// sent then, as far as the collector takes it at once.
#[derive(Debug)]
#[must_use = "traces end when it is dropped"]
pub struct Telemetry {
    _export: Option<Export>,
}

/// Starts the log and, if there is a collector, the traces of the program of this name. A second
/// call in one process changes nothing. If traces cannot be sent, because a certificate cannot be read
/// for example, the log has a warning and the program runs without them.
///
/// # Errors
///
/// The settings do not fit; [`config::load`](crate::config::load) refuses them.
pub fn start<C: Settings>(program: &str, config: &C) -> Result<Telemetry, Failure> {
    let start = |url| Export::start(program, url, config.traces_ratio());
    let export = collector(config).map(start).transpose();
    let layer = export.as_ref().ok().and_then(|export| Some(export.as_ref()?.layer()));
    logging::start_beside(config.log(), layer)?;
    let export = export.unwrap_or_else(|error| {
        tracing::warn!(collector = config.traces(), %error, "no traces are sent");
        None
    });
    Ok(Telemetry { _export: export })
}

/// Where the traces go. An empty text is a way to say "nowhere" over another setting.
fn collector<C: Settings>(config: &C) -> Option<&str> {
    config.traces().filter(|url| !url.is_empty())
}

/// Finds what is wrong with the settings, and with which.
pub(crate) fn check<C: Settings>(config: &C) -> Result<(), (&'static str, String)> {
    if let Some(url) = collector(config) {
        check_url(url).map_err(|problem| ("traces", problem))?;
    }
    if !(0.0..=1.0).contains(&config.traces_ratio()) {
        return Err(("traces_ratio", "must be from 0 to 1".to_owned()));
    }
    Ok(())
}

/// Checks that the URL of a collector has the right form.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    match url.parse::<Uri>() {
        Ok(uri)
            if matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some() =>
        {
            Ok(())
        }
        _ => Err(format!("`{url}` is not of the form http://HOST:PORT or https://HOST:PORT")),
    }
}

/// The trace that this process was started in, if its environment names one.
pub fn of_environment() -> Option<Trace> {
    std::env::var(VARIABLE).ok()?.parse().ok()
}

/// Puts a span that has just been made into a trace: that of `parent`, or one of its own. Returns
/// what is to be the parent of all that follows from it: the span itself, or, when spans go
/// nowhere, `parent`.
///
/// The span needs a field `trace`, which [`field`] fills as far as it can.
pub fn join(span: &Span, parent: Option<Trace>) -> Option<Trace> {
    if span.is_disabled() {
        return parent;
    }
    if let Some(parent) = parent {
        // It fails for a span that has begun.
        let _ = span.set_parent(parent.into());
    }
    let own = Trace::of(span.context().span().span_context());
    if let (None, Some(own)) = (parent, own) {
        span.record("trace", display(own.id()));
    }
    own.or(parent)
}

/// What a span's field `trace` is when the span is made.
pub fn field(parent: Option<Trace>) -> Option<DisplayValue<TraceId>> {
    parent.map(|parent| display(parent.id()))
}
