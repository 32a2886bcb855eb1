//! The metrics of the process, in the text form of Prometheus.

use std::time::Duration;

use actix_web::http::StatusCode;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::gauges;

const REQUESTS: &str = "http_requests_total";
const SECONDS: &str = "http_request_duration_seconds";
/// Bounds in seconds around the target: 95 of 100 requests below 0.3 s, none above 25 s.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 5.0, 25.0];

const GIS_CALLS: &str = "debtgate_gis_calls_total";
const GIS_SECONDS: &str = "debtgate_gis_call_seconds";
const JOB_SECONDS: &str = "debtgate_job_seconds";
const JOB_FAILURES: &str = "debtgate_job_failures_total";
const EVIDENCE_FAILURES: &str = "debtgate_evidence_failures_total";
/// A call of GIS may take 180 s, and with it the job that makes it.
const SLOW: [&str; 2] = [GIS_SECONDS, JOB_SECONDS];
const SLOW_BOUNDS: [f64; 13] = [0.01, 0.05, 0.1, 0.3, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 90.0, 120.0, 180.0];

/// How often the samples are counted up.
const UPKEEP: Duration = Duration::from_secs(5);

/// The collected metrics.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let all = Matcher::Suffix("_seconds".to_owned());
    SLOW.iter().try_fold(PrometheusBuilder::new().set_buckets_for_metric(all, &BOUNDS)?, |builder, name| {
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), &SLOW_BOUNDS)
    })
}

impl Metrics {
    /// Collects the metrics of the process from now on. Somebody must run [`keep`](Self::keep) beside.
    ///
    /// # Errors
    /// They are collected already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = builder()?.install_recorder()?;
        describe();
        Ok(Self(handle))
    }

    /// Counts the samples up, again and again, for ever: until then the recorder keeps every single one, and there may be
    /// nobody who ever asks for `/metrics`.
    pub async fn keep(self) {
        let mut beat = tokio::time::interval(UPKEEP);
        loop {
            beat.tick().await;
            self.0.run_upkeep();
        }
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
    metrics::describe_counter!(GIS_CALLS, "Calls of GIS by operation and outcome");
    metrics::describe_histogram!(
        GIS_SECONDS,
        metrics::Unit::Seconds,
        "How long calls of GIS took, by operation and outcome"
    );
    metrics::describe_histogram!(JOB_SECONDS, metrics::Unit::Seconds, "How long activations of a job took");
    metrics::describe_counter!(JOB_FAILURES, "Activations of a job that failed");
    metrics::describe_counter!(EVIDENCE_FAILURES, "Messages that could not be archived");
    gauges::describe();
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

    #[test]
    fn a_call_may_take_three_minutes_and_every_metric_is_described() {
        let recorder = builder().unwrap().build_recorder();
        let metrics = Metrics(recorder.handle());
        metrics::with_local_recorder(&recorder, || {
            describe();
            for name in SLOW {
                metrics::histogram!(name).record(Duration::from_secs(100));
            }
            for name in [GIS_CALLS, JOB_FAILURES, EVIDENCE_FAILURES] {
                metrics::counter!(name).increment(1);
            }
        });
        let text = metrics.render();
        for name in SLOW {
            for (bound, count) in [("25", 0), ("90", 0), ("120", 1), ("180", 1)] {
                let line = format!("{name}_bucket{{le=\"{bound}\"}} {count}\n");
                assert!(text.contains(&line), "{line}\n{text}");
            }
        }
        for name in SLOW.iter().chain(&[GIS_CALLS, JOB_FAILURES, EVIDENCE_FAILURES]) {
            assert!(text.contains(&format!("# HELP {name} ")), "{name}\n{text}");
        }
    }

    /// Whether so many samples of one histogram were counted up; only its `Debug` tells without doing it.
    fn counted_up(metrics: &Metrics, samples: u32) -> bool {
        format!("{:?}", metrics.0).contains(&format!("Histogram {{ count: {samples},"))
    }

    #[tokio::test(start_paused = true)]
    async fn samples_do_not_pile_up_while_nobody_asks() {
        let recorder = builder().unwrap().build_recorder();
        let metrics = Metrics(recorder.handle());
        let record = || {
            metrics::with_local_recorder(&recorder, || {
                (0..1000).for_each(|_| metrics::histogram!(SECONDS).record(0.1));
            });
        };
        let upkeep = tokio::spawn(metrics.clone().keep());
        tokio::time::sleep(UPKEEP / 2).await;
        record();
        assert!(!counted_up(&metrics, 1000), "they wait");
        tokio::time::sleep(UPKEEP).await;
        assert!(counted_up(&metrics, 1000));
        record();
        tokio::time::sleep(UPKEEP).await;
        assert!(counted_up(&metrics, 2000), "again and again");
        upkeep.abort();
    }
}
