//! `log`, and the old `loglevel`.

use super::parse;
use crate::{LogConfig, LogFormat, LogLevel};

/// What the lines mean, and the warnings.
fn log(lines: &str) -> (LogConfig, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\n{lines}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let lasting = loaded.warnings.iter().filter(|warning| !warning.message.starts_with("not obeyed"));
    (loaded.config.log, lasting.map(ToString::to_string).collect())
}

fn error(lines: &str) -> String {
    parse(&format!("version: 0.1\nstorage: inmemory\n{lines}\n")).expect_err(lines).to_string()
}

#[test]
fn levels() {
    for (lines, level) in [
        ("", LogLevel::Info),
        ("log: {level: DEBUG}", LogLevel::Debug),
        ("log: {level: Warn}", LogLevel::Warn),
        ("loglevel: error", LogLevel::Error),
        ("loglevel: error\nlog: {level: ''}", LogLevel::Error),
        ("loglevel: error\nlog: {level: info}", LogLevel::Info),
    ] {
        assert_eq!(log(lines).0.level, level, "{lines}");
    }
}

#[test]
fn forms() {
    for (word, format) in [
        ("", LogFormat::Text),
        ("text", LogFormat::Text),
        ("JSON", LogFormat::Json),
        ("logstash", LogFormat::Logstash),
    ] {
        assert_eq!(log(&format!("log: {{formatter: {word}}}")).0.format, format, "{word}");
    }
}

#[test]
fn fields_and_access_log() {
    let (log, warnings) =
        log("log: {accesslog: {disabled: true}, fields: {service: registry, Build: 007, empty: , on: yes}}");
    let fields: Vec<_> = log.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(fields, [("service", "registry"), ("Build", "007"), ("on", "yes")]);
    assert!(!log.access_log);
    assert_eq!(
        self::log("log: {fields: {a: {b: c}}}").1,
        ["config.yml:3:16: log.fields.a: left out: a field of the log is a single text here"]
    );
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(LogConfig::default().access_log);
}

#[test]
fn mail_and_callers() {
    let hook = |disabled: bool| {
        format!(
            "log: {{hooks: [{{type: mail, disabled: {disabled}, levels: [panic], options: {{smtp: {{addr: 'mail:25', \
             username: u, password: hunter2, insecure: true}}, from: a@b.example, to: [c@d.example]}}}}]}}"
        )
    };
    assert_eq!(
        log(&hook(false)).1,
        ["config.yml:3:7: log.hooks: no effect: Apus sends no mail; let what gathers its log do that"]
    );
    assert!(log(&hook(true)).1.is_empty());
    assert_eq!(
        log("log: {reportcaller: true}").1,
        [
            "config.yml:3:7: log.reportcaller: no effect: a line names what happened, not the code that it comes from"
        ]
    );
    assert!(log("log: {reportcaller: false}").1.is_empty());
}

#[test]
fn what_is_wrong() {
    for (lines, told) in [
        ("log: {level: verbose}", "14: log.level: found \"verbose\", expected error, warn, info or debug"),
        ("loglevel: 3", "11: loglevel: found \"3\", expected error, warn, info or debug"),
        ("log: {formatter: xml}", "18: log.formatter: found \"xml\", expected text, json or logstash"),
        ("log: {fields: [a]}", "15: log.fields: found a list, expected a mapping of keys to values"),
        (
            "log: {accesslog: {disabled: maybe}}",
            "29: log.accesslog.disabled: found \"maybe\", expected true or false, without quotes",
        ),
        ("log: {accesslog: off}", "18: log.accesslog: found \"off\", expected a mapping of keys to values"),
        ("log: {hooks: mail}", "14: log.hooks: found \"mail\", expected a list of hooks"),
        (
            "log: {hooks: [{options: {smtp: {insecure: 1}}}]}",
            "43: log.hooks[0].options.smtp.insecure: found \"1\", expected true or false, without quotes",
        ),
    ] {
        assert_eq!(error(lines), format!("config.yml:3:{told}"), "{lines}");
    }
    assert_eq!(
        log("log: {format: json}").1,
        ["config.yml:3:7: log.format: unknown key, ignored; did you mean \"formatter\"?"]
    );
}
