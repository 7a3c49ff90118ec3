//! Traces by OpenTelemetry, off unless the variables of its specification ask for them ("OpenTelemetry Environment Variable
//! Specification"). What is traced are the program's own spans; how they are called is the matter of the rooms that open them.
//!
//! | room | what happens there |
//! |---|---|
//! | `settings` | what the variables say |
//! | `queue` | spans wait, bounded, and go out in batches |
//! | `sender` | a batch goes to the collector by our one HTTP stack |

mod queue;
mod sender;
mod settings;

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use settings::Settings;
pub(crate) use settings::TracesError;

/// How long the last spans may take to go out, when the registry stops.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// Traces that are wanted.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    worker: queue::Worker,
}

impl Traces {
    /// What the environment asks for; nothing is sent yet.
    pub(crate) fn of_environment() -> Result<Option<Self>, TracesError> {
        let Some(settings) = Settings::read(|name| std::env::var(name).ok())? else { return Ok(None) };
        let (queue, spans) = queue::bounded(settings.queue);
        let exporter = sender::exporter(&settings)?;
        let provider = SdkTracerProvider::builder()
            .with_resource(settings.resource.clone())
            .with_span_processor(queue)
            .build();
        let worker = queue::Worker::new(spans, exporter, settings.batch, settings.delay);
        Ok(Some(Self { provider, worker }))
    }

    /// What turns the program's spans into those of traces.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        // Spans alone: what is logged on the way has its own place.
        let own = filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::DEBUG && metadata.target().starts_with("apus")
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("apus"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_filter(own)
    }

    /// Begins to send, in a runtime.
    pub(crate) fn begin(self) -> Sending {
        Sending(self.worker.begin())
    }
}

/// Traces that are being sent.
#[derive(Debug)]
pub(crate) struct Sending(queue::Running);

impl Sending {
    /// Sends what waits, and ends.
    pub(crate) async fn end(self) {
        self.0.end(LAST_BATCH).await;
    }
}

/// Makes a request's span part of the trace that its headers name (W3C, "Trace Context"). Nothing without traces.
pub(crate) fn join(span: &Span, headers: &HeaderMap) {
    let named = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if named.span().span_context().is_valid() {
        // An error says that there are no traces.
        let _ = span.set_parent(named);
    }
}

/// Names the trace of the span in which a request is sent, in that request's headers. Nothing without traces.
pub(crate) fn name(headers: &mut HeaderMap) {
    let context = Span::current().context();
    if context.span().span_context().is_valid() {
        TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    }
}
