//! A place in a trace, as programs tell each other of it: W3C Trace Context's `traceparent`.

use std::fmt;
use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId as OtelTraceId, TraceState,
};

/// The one version that is written. Later ones are read as far as they are the same.
const VERSION: u8 = 0;
/// The version that there will never be.
const NO_VERSION: u128 = 0xff;

/// A trace, and the span in it that what follows belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    id: TraceId,
    span: u64,
    flags: u8,
}

/// Which trace it is: what all its spans share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Trace {
    /// Which trace it is.
    pub fn id(self) -> TraceId {
        self.id
    }

    /// The place of a span; `None` for a span that is in no trace.
    pub(super) fn of(span: &SpanContext) -> Option<Self> {
        span.is_valid().then(|| Self {
            id: TraceId(u128::from_be_bytes(span.trace_id().to_bytes())),
            span: u64::from_be_bytes(span.span_id().to_bytes()),
            flags: span.trace_flags().to_u8(),
        })
    }
}

impl From<Trace> for Context {
    fn from(Trace { id, span, flags }: Trace) -> Self {
        let is_remote = true;
        Self::new().with_remote_span_context(SpanContext::new(
            OtelTraceId::from(id.0),
            SpanId::from(span),
            TraceFlags::new(flags),
            is_remote,
            TraceState::default(),
        ))
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, span, flags } = self;
        write!(f, "{VERSION:02x}-{id}-{span:016x}-{flags:02x}")
    }
}

impl FromStr for Trace {
    type Err = InvalidTrace;

    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let mut parts = text.split('-');
        let mut part = |digits| parts.next().and_then(|part| hex(part, digits)).ok_or(InvalidTrace);
        let (version, id, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == NO_VERSION || id == 0 || span == 0 || parts.next().is_some() {
            return Err(InvalidTrace);
        }
        let span = u64::try_from(span).map_err(|_| InvalidTrace)?;
        let flags = u8::try_from(flags).map_err(|_| InvalidTrace)?;
        Ok(Self { id: TraceId(id), span, flags })
    }
}

/// A number of exactly so many digits: lower case alone.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && text.len() == digits).then(|| u128::from_str_radix(text, 16).ok())?
}

/// A text that is no trace. As W3C Trace Context asks for, that is as good as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trace is a W3C traceparent")]
pub struct InvalidTrace;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_written_is_what_was_read() {
        let trace: Trace = TEXT.parse().unwrap();
        assert_eq!(trace.to_string(), TEXT);
        assert_eq!(trace.id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        let context = Context::from(trace);
        assert_eq!(Trace::of(context.span().span_context()), Some(trace));
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        for text in [
            "",
            "00-0af7",
            &TEXT.to_uppercase(),
            &format!("{TEXT}-00"),
            &TEXT.replacen("00-", "ff-", 1),
            &TEXT.replacen("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32), 1),
            &TEXT.replacen("b7ad6b7169203331", &"0".repeat(16), 1),
            &TEXT.replacen("b7ad6b7169203331", "+7ad6b7169203331", 1),
        ] {
            assert_eq!(text.parse::<Trace>(), Err(InvalidTrace), "{text}");
        }
        assert_eq!(Trace::of(&SpanContext::NONE), None);
    }
}
