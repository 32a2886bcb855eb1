//! What we tell about ourselves: the log on standard error, traces to an OTLP endpoint, metrics for Prometheus, and the
//! middleware that gives every request its identifier, span and figures.
//!
//! What must stay true: no query string, no body, no header of a client gets into a log, a span or a metric; a path
//! appears as its route pattern only.

mod export;
pub mod metrics;
pub mod request;

use std::env;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{LogFormat, TelemetrySettings};

/// The variable with the filter of the log, in the language of `tracing`.
const FILTER: &str = "DEBTGATE_LOG";
/// The dispatcher logs every connection that a client breaks off as an error of ours.
const NOISE: &str = "actix_http::h1::dispatcher=off";

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

#[cfg(test)]
mod tests {
    use super::*;

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
