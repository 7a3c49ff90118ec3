//! From a batch of spans to a request to the collector (OTLP/HTTP, in protobuf), by our one HTTP stack.

use std::time::Duration;

use apus_http_client::{HttpClient, Options, Proxies, RequestBody, Tls};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::SpanExporter as _;

use super::settings::{Settings, TracesError};

/// Bytes of the longest answer that is read.
const LONGEST_ANSWER: usize = 64 << 10;

/// Where, with which headers and for how long is what the variables say.
pub(super) fn exporter(settings: &Settings) -> Result<SpanExporter, TracesError> {
    let client = HttpClient::new(Options {
        name: "traces",
        // One batch at a time; another where an answer is still to be read.
        max_requests: 2,
        connect_timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(10),
        tls: Tls { ca_file: settings.authorities.clone(), ..Tls::default() },
        proxies: Proxies::from_env(),
        user_agent: concat!("apus/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..Options::default()
    })
    .map_err(|error| TracesError::Collector(error.into()))?;
    let exporter = SpanExporter::builder().with_http().with_http_client(Sender(client));
    let exporter = exporter.with_protocol(Protocol::HttpBinary).build();
    let mut exporter = exporter.map_err(|error| TracesError::Collector(error.into()))?;
    exporter.set_resource(&settings.resource);
    Ok(exporter)
}

#[derive(Debug)]
struct Sender(HttpClient);

#[async_trait]
impl opentelemetry_http::HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.send(request.map(RequestBody::from)).await.map_err(|failure| failure.error)?;
        let mut response = Response::new(answer.body.collect(LONGEST_ANSWER).await?);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
