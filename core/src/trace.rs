//! Traces across processes and across time: `traceparent` of W3C Trace Context in and out. A row keeps the one of the
//! request that made it, and the job that works on it later continues the same trace.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header, and the key of the propagator.
pub const TRACEPARENT: &str = "traceparent";

/// The present trace as `traceparent`; `None` outside of every span.
#[must_use]
pub fn current() -> Option<String> {
    of(&Span::current())
}

/// The trace of a span as `traceparent`.
#[must_use]
pub fn of(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes a span part of the trace that a `traceparent` names; a damaged one changes nothing.
pub fn continue_in(span: &Span, traceparent: &str) {
    if let Some(context) = context(traceparent) {
        // It fails when the span is no span of a trace, and then there is nothing to continue.
        let _not_traced = span.set_parent(context);
    }
}

/// Makes a span point to the traces that these `traceparent`s name: a package carries the answers of many requests, and
/// can be part of the trace of one alone.
pub(crate) fn link<'a>(span: &Span, traceparents: impl IntoIterator<Item = &'a String>) {
    for context in traceparents.into_iter().filter_map(|traceparent| context(traceparent)) {
        span.add_link(context.span().span_context().clone());
    }
}

fn context(traceparent: &str) -> Option<Context> {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::info_span;
    use tracing::subscriber::DefaultGuard;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn traced() -> DefaultGuard {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        tracing::subscriber::set_default(tracing_subscriber::registry().with(layer))
    }

    #[test]
    fn a_trace_is_continued_by_its_traceparent() {
        let _guard = traced();
        let span = info_span!("job");
        continue_in(&span, PARENT);
        let carried = span.in_scope(current).unwrap();
        assert_eq!(&carried[..36], &PARENT[..36], "the same trace");
        assert_ne!(carried, PARENT, "another span");
    }

    #[test]
    fn damaged_traceparents_begin_a_trace_of_ones_own() {
        let _guard = traced();
        for text in ["", "x", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "Имя-Фамилия"]
        {
            let span = info_span!("job");
            continue_in(&span, text);
            assert!(!of(&span).unwrap().contains("00000000000000000000"), "{text}");
        }
        assert_eq!(current(), None, "outside of a span");
    }
}
