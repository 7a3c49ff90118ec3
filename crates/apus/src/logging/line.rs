//! The form of one line, as registry:2 has it by logrus: `text` is one of names and values, `json` and `logstash` are one object
//! of JSON, with other names for time and message.

use std::fmt::Write as _;

use apus_config::LogFormat;
use serde_json::{Map, Value};
use tracing::Level;

/// What one line says.
pub(super) struct Line<'a> {
    /// In the form of RFC 3339.
    pub(super) time: String,
    pub(super) level: Level,
    pub(super) message: &'a str,
    /// Of two with one name, the first counts.
    pub(super) fields: Vec<(&'a str, &'a Value)>,
}

impl Line<'_> {
    /// The line in a form, with its line break. Whatever it says, it is one line.
    pub(super) fn write(&self, format: LogFormat, colours: bool) -> String {
        let mut line = match format {
            LogFormat::Text => self.text(colours),
            LogFormat::Json => self.object("time", "msg", None),
            LogFormat::Logstash => self.object("@timestamp", "message", Some(("@version", "1"))),
        };
        line.push('\n');
        line
    }

    fn object(&self, time: &str, message: &str, more: Option<(&str, &str)>) -> String {
        let mut object = Map::new();
        let own = [(time, &*self.time), ("level", word(self.level)), (message, self.message)];
        for (name, text) in own.into_iter().chain(more) {
            object.insert(name.to_owned(), text.into());
        }
        for (name, value) in &self.fields {
            let name = if own.iter().chain(&more).any(|(taken, _)| taken == name) {
                format!("fields.{name}")
            } else {
                (*name).to_owned()
            };
            object.entry(name).or_insert_with(|| (*value).clone());
        }
        Value::Object(object).to_string()
    }

    fn text(&self, colours: bool) -> String {
        let (begin, end) = if colours { (colour(self.level), "\x1b[0m") } else { ("", "") };
        let level = word(self.level);
        let mut line = format!("time=\"{}\" level={begin}{level}{end} msg=", self.time);
        push(&mut line, self.message);
        let mut said = vec!["time", "level", "msg"];
        for (name, value) in &self.fields {
            let prefix = if matches!(*name, "time" | "level" | "msg") { "fields." } else { "" };
            if prefix.is_empty() && said.contains(name) {
                continue;
            }
            said.push(name);
            line.push(' ');
            line.push_str(prefix);
            line.extend(name.chars().map(|c| if c.is_control() || " =\"".contains(c) { '_' } else { c }));
            line.push('=');
            match value {
                Value::String(text) => push(&mut line, text),
                // To write to a text does not fail.
                other => drop(write!(line, "{other}")),
            }
        }
        line
    }
}

/// A value of the text form: as it is where that can be read in one way only, else in quotes.
fn push(line: &mut String, text: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/@^+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for character in text.chars() {
        match character {
            '\'' => line.push('\''),
            other => line.extend(other.escape_debug()),
        }
    }
    line.push('"');
}

/// logrus's word.
fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[36m",
        _ => "\x1b[37m",
    }
}

#[cfg(test)]
mod tests;
