//! The exporter of traces. The SDK drives exporters on a thread without a runtime, and the HTTP client needs one, so
//! each batch is sent by a task of the runtime that the program was started in.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use url::Url;

/// Where OTLP over HTTP takes traces, below the endpoint.
const TRACES: &str = "/v1/traces";

/// An exporter that sends from the runtime.
#[derive(Debug)]
pub(super) struct FromRuntime {
    runtime: Handle,
    exporter: Arc<opentelemetry_otlp::SpanExporter>,
}

pub(super) fn exporter(endpoint: &Url) -> Result<FromRuntime, ExporterBuildError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(traces_address(endpoint))
        .build()?;
    Ok(FromRuntime { runtime: Handle::current(), exporter: Arc::new(exporter) })
}

fn traces_address(endpoint: &Url) -> String {
    let base = endpoint.as_str().trim_end_matches('/');
    if base.ends_with(TRACES) { base.to_owned() } else { format!("{base}{TRACES}") }
}

impl SpanExporter for FromRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sent = self.runtime.spawn(async move { exporter.export(batch).await });
        sent.await.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_path_of_traces_is_added_once() {
        for (endpoint, expected) in [
            ("http://h:4318", "http://h:4318/v1/traces"),
            ("http://h:4318/otlp/", "http://h:4318/otlp/v1/traces"),
            ("http://h:4318/v1/traces", "http://h:4318/v1/traces"),
        ] {
            assert_eq!(traces_address(&endpoint.parse().unwrap()), expected);
        }
    }

    /// On one thread, as in the tests of actix: the shutdown must not block the thread that sends.
    #[tokio::test]
    async fn what_is_left_is_sent_at_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let collector = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut octets = vec![0; 4096];
            let length = stream.read(&mut octets).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&octets[..length]).into_owned()
        });
        let traces = SdkTracerProvider::builder().with_batch_exporter(exporter(&endpoint).unwrap()).build();
        traces.tracer("test").in_span("a span", |_| ());
        let telemetry = super::super::Telemetry { traces };
        telemetry.shutdown().await;
        assert!(collector.await.unwrap().starts_with("POST /v1/traces "));
    }
}
