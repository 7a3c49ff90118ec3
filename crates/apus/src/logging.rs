//! The log: on standard error, as text or as JSON lines. What the command has to say to a person who has no log yet is said
//! here too.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use apus_config::{LogConfig, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, reload};

/// Changes the level of a log that was begun.
pub(crate) type SetLevel = Box<dyn Fn(LogLevel) + Send + Sync>;

fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    EnvFilter::default().add_directive(level.into())
}

/// What changes the level by this handle. It fails only where the log has ended, and then there is nothing to change.
fn set_level<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> SetLevel {
    Box::new(move |level| drop(handle.reload(filter(level))))
}

/// Begins to log. Once in a process; a second call changes nothing. Answers what changes its level later.
pub(crate) fn begin(config: &LogConfig) -> SetLevel {
    let level = filter(config.level);
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(level).with_target(false);
    let (begun, set_level) = match config.format {
        LogFormat::Json | LogFormat::Logstash => {
            let builder = builder.json().flatten_event(true).with_span_list(false).with_filter_reloading();
            let handle = builder.reload_handle();
            (builder.try_init(), set_level(handle))
        }
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let builder = builder.with_ansi(colours).with_filter_reloading();
            let handle = builder.reload_handle();
            (builder.try_init(), set_level(handle))
        }
    };
    if let Err(error) = begun {
        complain(&*error);
    }
    set_level
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
