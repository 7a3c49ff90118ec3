//! The three forms, beside what registry:2.8 writes of the same.

use apus_config::LogFormat;
use serde_json::{Value, json};
use tracing::Level;

use super::Line;

fn written(format: LogFormat, message: &str, fields: &[(&str, Value)]) -> String {
    let fields = fields.iter().map(|(name, value)| (*name, value)).collect();
    Line { time: "2026-11-29T19:59:49.576180764Z".to_owned(), level: Level::WARN, message, fields }
        .write(format, false)
}

#[test]
fn the_forms_of_registry_2() {
    let fields = [
        ("http.request.useragent", json!("ag \"x\"")),
        ("http.request.uri", json!("/v2/")),
        ("http.response.status", json!(200)),
    ];
    for (format, expected) in [
        (
            LogFormat::Text,
            "time=\"2026-11-29T19:59:49.576180764Z\" level=warning msg=\"response completed\" \
             http.request.useragent=\"ag \\\"x\\\"\" http.request.uri=/v2/ http.response.status=200\n",
        ),
        (
            LogFormat::Json,
            "{\"http.request.uri\":\"/v2/\",\"http.request.useragent\":\"ag \\\"x\\\"\",\"http.response.status\":200,\
             \"level\":\"warning\",\"msg\":\"response completed\",\"time\":\"2026-11-29T19:59:49.576180764Z\"}\n",
        ),
        (
            LogFormat::Logstash,
            "{\"@timestamp\":\"2026-11-29T19:59:49.576180764Z\",\"@version\":\"1\",\"http.request.uri\":\"/v2/\",\
             \"http.request.useragent\":\"ag \\\"x\\\"\",\"http.response.status\":200,\"level\":\"warning\",\
             \"message\":\"response completed\"}\n",
        ),
    ] {
        assert_eq!(written(format, "response completed", &fields), expected);
    }
}

/// A field that has the name of one of the line's own is told apart, and the first of two with one name counts.
#[test]
fn names_are_there_once() {
    let fields = [("level", json!("mine")), ("a", json!("first")), ("a", json!("second"))];
    assert_eq!(
        written(LogFormat::Text, "m", &fields),
        "time=\"2026-11-29T19:59:49.576180764Z\" level=warning msg=m fields.level=mine a=first\n"
    );
    let line: Value = serde_json::from_str(&written(LogFormat::Logstash, "m", &fields)).unwrap();
    assert_eq!(
        (&line["level"], &line["fields.level"], &line["a"]),
        (&json!("warning"), &json!("mine"), &json!("first"))
    );
}

/// Whoever sends a request may write what he likes; it stays one line, and one value.
#[test]
fn nothing_breaks_out_of_a_line() {
    let evil = "\" level=error\nmsg=\u{1b}[31m\u{2028}\u{202e}";
    for format in [LogFormat::Text, LogFormat::Json, LogFormat::Logstash] {
        let line = written(format, evil, &[("a b\n=\"", json!(evil))]);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
    assert_eq!(
        written(LogFormat::Text, "", &[("a b\n=", json!(evil))]),
        "time=\"2026-11-29T19:59:49.576180764Z\" level=warning msg=\"\" \
         a_b__=\"\\\" level=error\\nmsg=\\u{1b}[31m\\u{2028}\\u{202e}\"\n"
    );
}
