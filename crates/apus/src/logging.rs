//! The log: on standard error, as text or as JSON lines. What the command has to say to a person who has no log yet is said
//! here too.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use apus_config::{LogConfig, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;

/// Begins to log. Once in a process; a second call changes nothing.
pub(crate) fn begin(config: &LogConfig) {
    let level = match config.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).with_target(false);
    let begun = match config.format {
        LogFormat::Json | LogFormat::Logstash => {
            builder.json().flatten_event(true).with_span_list(false).try_init()
        }
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            builder.with_ansi(colours).try_init()
        }
    };
    if let Err(error) = begun {
        complain(&*error);
    }
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
