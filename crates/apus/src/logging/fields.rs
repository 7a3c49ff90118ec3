//! What a line of the log says beside its message: names with values, each name once.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};

/// The name under which an event has its message.
const MESSAGE: &str = "message";

/// For traces alone; the log has the status by registry:2's name.
fn is_of_traces(name: &str) -> bool {
    name.starts_with("otel.") || name == "http.response.status_code"
}

/// The fields of an event or a span, in the order in which they were said.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) named: Vec<(&'static str, Value)>,
}

impl Fields {
    /// What is said again takes the place of what was said.
    fn set(&mut self, field: &Field, value: Value) {
        if is_of_traces(field.name()) {
            return;
        }
        match self.named.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, old)) => *old = value,
            None => self.named.push((field.name(), value)),
        }
    }

    fn text(&mut self, field: &Field, text: String) {
        if field.name() == MESSAGE {
            self.message = text;
        } else {
            self.set(field, Value::String(text));
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    /// With its causes.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.text(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }
}
