//! From what the program tells to lines on standard error. A line says what its event says, then what is known of the request
//! on whose behalf it happened, then what every line says.

use std::io::Write as _;

use apus_config::LogFormat;
use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Fields;
use super::line::Line;

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) format: LogFormat,
    pub(super) colours: bool,
    /// What every line says.
    pub(super) always: Vec<(String, Value)>,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Fields::default();
        event.record(&mut said);
        let spans: Vec<_> = context.event_scope(event).into_iter().flatten().collect();
        let extensions: Vec<_> =
            spans.iter().map(tracing_subscriber::registry::SpanRef::extensions).collect();
        let of_spans = extensions.iter().filter_map(|extensions| extensions.get::<Fields>());
        let named = said.named.iter().chain(of_spans.flat_map(|fields| &fields.named));
        let always = self.always.iter().map(|(name, value)| (name.as_str(), value));
        let line = Line {
            time: jiff::Timestamp::now().to_string(),
            level: *event.metadata().level(),
            message: &said.message,
            fields: named.map(|(name, value)| (*name, value)).chain(always).collect(),
        };
        // Where standard error is gone there is nobody left to tell.
        let _ = std::io::stderr().write_all(line.write(self.format, self.colours).as_bytes());
    }
}
