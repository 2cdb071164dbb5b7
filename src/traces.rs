//! Sends traces to a collector, as OTLP over HTTP. What a trace is, is said in `queue/src/trace.rs`.

use std::time::Duration;

use anyhow::Context;
use gateways::http::{Reach, client};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor};
use tokio::runtime::Handle;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Switches traces on for this process. Spans are sent in batches from a thread of their own; when the collector is slow
/// or gone they are dropped, and nothing waits.
///
/// # Errors
/// When the collector's address makes no sense.
pub fn start(endpoint: &str, runtime: &Handle) -> anyhow::Result<()> {
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let collector = Collector { client: client(TIMEOUT, Reach::Anywhere)?, runtime: runtime.clone() };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_endpoint(url)
        .with_timeout(TIMEOUT)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    processor
        .set_resource(&Resource::builder().with_service_name("postcall").with_attribute(version).build());
    queue::trace::install(Box::new(processor));
    Ok(())
}

/// The one HTTP client of the house, for the exporter's thread, which has no runtime of its own.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let answer = client.execute(reqwest::Request::try_from(request)?).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        };
        let (status, body) = self.runtime.spawn(exchange).await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}
