//! What we tell about ourselves: the log on standard error, traces to an OTLP endpoint, metrics for Prometheus, and the
//! middleware that gives every request its identifier, span and figures.
//!
//! What must stay true: no query string, no body, no header of a client gets into a log, a span or a metric; a path
//! appears as its route pattern only.

mod export;
pub mod gauges;
pub mod metrics;
pub mod request;

use std::env;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{LogFormat, TelemetrySettings};

/// The variable with the filter of the log, in the language of `tracing`.
const FILTER: &str = "DEBTGATE_LOG";
/// The dispatcher logs every connection that a client breaks off as an error of ours.
const NOISE: &str = "actix_http::h1::dispatcher=off";

/// Of these crates nothing below a level is ever logged, whatever the filter asks for: there they tell what passes through
/// them, and with it personal data and tokens. The database and all of HTTP are theirs; our own crates tell nothing of the
/// kind on any level.
const DISCREET: [(&str, LevelFilter); 7] = [
    // Every parameter of every statement; what the server says in words.
    ("tokio_postgres", LevelFilter::WARN),
    // Whole messages with their headers when connections are verbose, and proxies with their passwords.
    ("reqwest", LevelFilter::INFO),
    // Heads of messages; `hyper_util` and `hyper_rustls` too.
    ("hyper", LevelFilter::INFO),
    ("h2", LevelFilter::INFO),
    // Messages of the handshake with certificates and tickets.
    ("rustls", LevelFilter::DEBUG),
    // The replies of the collector of traces, which may repeat what it was given.
    ("opentelemetry", LevelFilter::INFO),
    // Names out of the workbooks of clients.
    ("calamine", LevelFilter::INFO),
];

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("{FILTER} is no filter; allowed: a level such as info, or target=level pairs with commas")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be made.
    #[error("telemetry.otlp_endpoint cannot be used")]
    Exporter(#[source] ExporterBuildError),
    /// There is a log already.
    #[error("the log is set up twice")]
    Twice(#[source] TryInitError),
}

/// Running telemetry.
#[must_use = "traces that are not flushed at the end are lost"]
pub struct Telemetry {
    traces: SdkTracerProvider,
}

impl Telemetry {
    /// Sets up the log and the traces of the process. Without an endpoint traces still have identifiers, so that a
    /// request and the jobs behind it can be found in the log together. `usual` is what is logged when nobody says.
    /// Runs inside the runtime.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn start(settings: &TelemetrySettings, usual: Level) -> Result<Self, TelemetryError> {
        let filter = filter(env::var(FILTER).ok().as_deref(), usual)?;
        let resource = Resource::builder().with_service_name("debtgate").build();
        let builder = SdkTracerProvider::builder().with_resource(resource);
        let traces = match &settings.otlp_endpoint {
            None => builder,
            Some(endpoint) => {
                let exporter = export::exporter(endpoint).map_err(TelemetryError::Exporter)?;
                builder.with_batch_exporter(exporter)
            }
        }
        .build();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match settings.log {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("debtgate"));
        tracing_subscriber::registry()
            .with(filter)
            .with(filter_fn(is_discreet))
            .with(lines)
            .with(spans)
            .try_init()
            .map_err(TelemetryError::Twice)?;
        Ok(Self { traces })
    }

    /// Sends what is left. On a thread of its own, because the exporter needs the runtime to go on meanwhile.
    pub async fn shutdown(self) {
        let done = tokio::task::spawn_blocking(move || self.traces.shutdown()).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

fn filter(text: Option<&str>, usual: Level) -> Result<EnvFilter, TelemetryError> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.map_or_else(|| usual.to_string(), ToOwned::to_owned);
    EnvFilter::try_new(format!("{text},{NOISE}")).map_err(TelemetryError::Filter)
}

/// A filter of its own: a directive beside those of the operator would give way to a longer one of his.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    DISCREET.iter().all(|(name, most)| !metadata.target().starts_with(name) || metadata.level() <= most)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_filter_of_the_operator_makes_the_database_tell_parameters() {
        // While there is only one subscriber, tracing asks the thread that reaches a callsite first, perhaps another test's.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        for text in ["trace", "debug,tokio_postgres=trace,tokio_postgres::query=trace", "[request]=trace"] {
            let lines = Lines::default();
            let copy = lines.clone();
            let layer = tracing_subscriber::fmt::layer().with_writer(move || copy.clone());
            let subscriber = tracing_subscriber::registry()
                .with(filter(Some(text), Level::INFO).unwrap())
                .with(filter_fn(is_discreet))
                .with(layer);
            tracing::subscriber::with_default(subscriber, || {
                let _span = tracing::info_span!("request").entered();
                tracing::debug!(target: "tokio_postgres::query", "parameters");
                tracing::trace!(target: "hyper_util::client", "head");
                tracing::warn!(target: "tokio_postgres::connection", "trouble");
                tracing::debug!(target: "debt_core::jobs", "ours");
            });
            let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(told.contains("ours"), "{text}: {told}");
            assert!(!told.contains("parameters") && !told.contains("head"), "{text}: {told}");
            assert!(told.contains("trouble"), "{text}: {told}");
        }
    }

    #[test]
    fn the_filter_is_read_and_noise_is_silent() {
        for text in [None, Some(""), Some("debug"), Some("warn,debt_core=trace")] {
            assert!(filter(text, Level::INFO).unwrap().to_string().contains(NOISE), "{text:?}");
        }
        assert!(
            filter(Some("debt_core=loud"), Level::INFO).unwrap_err().to_string().contains("DEBTGATE_LOG")
        );
    }
}
