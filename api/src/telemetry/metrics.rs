//! The metrics of the process, in the text form of Prometheus.

use std::time::Duration;

use actix_web::http::StatusCode;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "http_requests_total";
const SECONDS: &str = "http_request_duration_seconds";
/// Bounds in seconds around the target: 95 of 100 requests below 0.3 s, none above 25 s.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 5.0, 25.0];

/// The collected metrics.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BOUNDS)
}

impl Metrics {
    /// Collects the metrics of the process from now on.
    ///
    /// # Errors
    /// They are collected already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = builder()?.install_recorder()?;
        describe();
        Ok(Self(handle))
    }

    /// The text for `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

fn describe() {
    metrics::describe_counter!(REQUESTS, "Requests by operation and status");
    metrics::describe_histogram!(SECONDS, metrics::Unit::Seconds, "How long requests took, by operation");
}

/// Counts a request. `operation` is method and route pattern, so their number is bounded.
pub(super) fn count(operation: String, status: StatusCode, took: Duration) {
    metrics::counter!(REQUESTS, "operation" => operation.clone(), "status" => status.as_u16().to_string())
        .increment(1);
    metrics::histogram!(SECONDS, "operation" => operation).record(took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_and_status() {
        let recorder = builder().unwrap().build_recorder();
        let metrics = Metrics(recorder.handle());
        metrics::with_local_recorder(&recorder, || {
            describe();
            count("GET /v1/me".to_owned(), StatusCode::OK, Duration::from_millis(40));
            count("GET /v1/me".to_owned(), StatusCode::OK, Duration::from_secs(30));
        });
        let text = metrics.render();
        for line in [
            "http_requests_total{operation=\"GET /v1/me\",status=\"200\"} 2",
            "http_request_duration_seconds_bucket{operation=\"GET /v1/me\",le=\"0.05\"} 1",
            "http_request_duration_seconds_bucket{operation=\"GET /v1/me\",le=\"+Inf\"} 2",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
