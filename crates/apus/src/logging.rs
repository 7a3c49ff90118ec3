//! The log: on standard error, in one of registry:2's three forms; and the access log on standard output. What the command has to
//! say to a person who has no log yet is said here too.

mod fields;
mod layer;
mod line;

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use apus_config::{LogConfig, LogLevel};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry, reload};

use crate::instance;
use crate::traces::Traces;

/// Changes the level of a log that was begun.
pub(crate) type SetLevel = Box<dyn Fn(LogLevel) + Send + Sync>;

/// Begins to log. Once in a process; a second call changes nothing.
pub(crate) fn begin(config: &LogConfig) {
    drop(begin_with(config, None));
}

/// The same, and follows what is traced. Answers what changes its level later.
pub(crate) fn begin_with(config: &LogConfig, traces: Option<&Traces>) -> SetLevel {
    let own = [("version", env!("CARGO_PKG_VERSION")), ("instance.id", instance::id())];
    let own = own.map(|(name, value)| (name.to_owned(), value.into()));
    let chosen = config.fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let log = layer::Log {
        format: config.format,
        colours: std::io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        // Whoever runs it knows best.
        always: chosen.chain(own).collect(),
    };
    let (filter, handle) = reload::Layer::new(filter(config.level));
    let log = log.with_filter(filter);
    if let Err(error) = registry().with(log).with(traces.map(Traces::layer)).try_init() {
        complain(&error);
    }
    // It fails only where the log has ended, and then there is nothing to change.
    Box::new(move |level| drop(handle.reload(self::filter(level))))
}

/// What is logged at this level.
fn filter(level: LogLevel) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + Clone> {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    filter_fn(move |metadata| wanted(metadata, level)).with_max_level_hint(level)
}

/// Of the spans, only a request's says what a line is about. Libraries say nothing of how they do it: what passes through them
/// may be secret.
fn wanted(metadata: &Metadata<'_>, level: LevelFilter) -> bool {
    let own = metadata.target().starts_with("apus");
    let level = if own { level } else { level.min(LevelFilter::INFO) };
    *metadata.level() <= level && (metadata.is_event() || metadata.name() == apus_server::REQUEST_SPAN)
}

/// A line of the access log.
pub(crate) fn access(line: &str) {
    // A reader that went away has read enough.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// Says on standard error what went wrong, with its causes, one to a line.
pub(crate) fn complain(error: &(dyn std::error::Error + 'static)) {
    let mut text = format!("apus: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        // To write to a text does not fail.
        let _ = writeln!(text, "  because: {error}");
        cause = error.source();
    }
    // Where standard error is gone there is nobody left to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
