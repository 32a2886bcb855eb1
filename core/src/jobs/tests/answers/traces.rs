//! A request, the calls that it led to and the steps of its answer are one trace.

use opentelemetry::TraceId;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::bench::{Bench, for_both};
use crate::domain::answer::State;

const FIRST: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const SECOND: &str = "00-1bf7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01";

fn trace_of(traceparent: &str) -> TraceId {
    TraceId::from_hex(&traceparent[3..35]).unwrap()
}

/// Posts an answer in each trace and brings both to their ends, which may share a package.
async fn deliver(bench: &Bench) {
    let [one, other] = bench.requests(2).await.try_into().unwrap();
    for (request, trace) in [(one, FIRST), (other, SECOND)] {
        bench.post_in_trace(request, trace).await;
    }
    bench.work().await;
}

fn states(spans: &[SpanData], trace: &str) -> Vec<String> {
    let of_trace = spans.iter().filter(|span| span.span_context.trace_id() == trace_of(trace));
    let steps = of_trace.filter(|span| span.name == "answer");
    let state = |span: &SpanData| span.attributes.iter().find(|pair| pair.key.as_str() == "state").cloned();
    steps.filter_map(state).map(|pair| pair.value.to_string()).collect()
}

#[test]
fn from_the_post_to_the_result() {
    for_both(async |bench| {
        // As long as there is one subscriber, tracing asks that of the thread which reaches a place in the code first, and
        // the threads of other tests have none.
        let _second = Dispatch::new(tracing_subscriber::registry());
        let exporter = InMemorySpanExporter::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("test"));
        deliver(&bench).with_subscriber(tracing_subscriber::registry().with(layer)).await;

        let spans = exporter.get_finished_spans().unwrap();
        let steps = [State::Sending, State::Accepted, State::Delivered].map(|state| state.as_str());
        assert_eq!(states(&spans, FIRST), steps);
        assert_eq!(states(&spans, SECOND), steps);
        for call in ["import_responses", "get_state"] {
            let in_first =
                |span: &&SpanData| span.name == call && span.span_context.trace_id() == trace_of(FIRST);
            assert!(spans.iter().any(|span| in_first(&span)), "{call}");
        }
        let import = spans.iter().find(|span| span.name == "import_responses").unwrap();
        let linked: Vec<_> = import.links.iter().map(|link| link.span_context.trace_id()).collect();
        assert_eq!(linked, [trace_of(SECOND)]);
    });
}
