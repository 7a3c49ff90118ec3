//! What the variables of OpenTelemetry say. Where spans go, with which headers, and which of them are sampled, its own crates
//! read; here is what they leave to the program.

use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use crate::instance;

/// Why there are no traces, though they were asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TracesError {
    /// What Apus does not speak.
    #[error("{variable}={value}: Apus sends traces by {expected} alone; unset it, or say none")]
    Unknown {
        /// Which one.
        variable: &'static str,
        /// What it says.
        value: String,
        /// What is possible.
        expected: &'static str,
    },
    /// The way to the collector.
    #[error("the collector of traces cannot be reached as OTEL_EXPORTER_OTLP_... say")]
    Collector(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How spans wait and go out.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Spans that may wait.
    pub(super) queue: usize,
    /// Spans that go out together.
    pub(super) batch: usize,
    /// How long a span may wait for others.
    pub(super) delay: Duration,
    /// Who is believed to be the collector; `None` for the machine's authorities.
    pub(super) authorities: Option<PathBuf>,
    /// What is said of this process.
    pub(super) resource: Resource,
}

impl Settings {
    /// `None` where nobody asks for traces: neither an exporter nor an endpoint is named.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, TracesError> {
        // Empty is unset, by the specification.
        let said = |name| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let of_traces = |traces: &'static str, all: &'static str| {
            said(traces).map(|value| (traces, value)).or_else(|| said(all).map(|value| (all, value)))
        };
        let endpoint = of_traces("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
        let disabled = said("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match said("OTEL_TRACES_EXPORTER").as_deref() {
            _ if disabled => return Ok(None),
            Some("none") => return Ok(None),
            None if endpoint.is_none() => return Ok(None),
            None | Some("otlp") => {}
            Some(other) => {
                let variable = "OTEL_TRACES_EXPORTER";
                return Err(TracesError::Unknown { variable, value: other.to_owned(), expected: "otlp" });
            }
        }
        match of_traces("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") {
            Some((variable, value)) if value != "http/protobuf" => {
                return Err(TracesError::Unknown { variable, value, expected: "http/protobuf" });
            }
            _ => {}
        }
        let number = |name, default: usize| {
            said(name).and_then(|value| value.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
        };
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048);
        let delay = number("OTEL_BSP_SCHEDULE_DELAY", 5000);
        let authorities =
            of_traces("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
        Ok(Some(Self {
            queue,
            batch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).min(queue),
            delay: Duration::from_millis(u64::try_from(delay).unwrap_or(u64::MAX)),
            authorities: authorities.map(|(_, file)| file.into()),
            resource: resource(
                said("OTEL_SERVICE_NAME").is_some()
                    || said("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|said| said.contains("service.name=")),
            ),
        }))
    }
}

/// `named`: whether the environment says what the service is called.
fn resource(named: bool) -> Resource {
    let own = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance::id()),
    ];
    let resource = Resource::builder().with_attributes(own);
    if named { resource } else { resource.with_service_name("apus") }.build()
}

#[cfg(test)]
mod tests;
