//! What an operator adds to every answer.

use apus_server::{App, AppOptions, ServeOptions};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::support::{Site, app, ask, header};

fn with(headers: &[(&'static str, &'static str)]) -> App {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    app(AppOptions { headers, ..AppOptions::default() })
}

#[tokio::test]
async fn every_answer_carries_them() {
    let app = with(&[("x-content-type-options", "nosniff"), ("x-twice", "one"), ("x-twice", "two")]);
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::GET, "/v2/", 200),
        (Method::HEAD, "/v2/", 200),
        (Method::GET, "/v2/a/manifests/none", 404),
        (Method::GET, "/v2/A/tags/list", 400),
        (Method::PUT, "/v2/", 405),
        (Method::GET, "/elsewhere", 404),
        (Method::POST, "/v2/a/blobs/uploads/", 202),
    ] {
        let answer = ask(&app, method, path, &[], "").await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        let twice: Vec<_> = answer.headers().get_all("x-twice").iter().collect();
        assert_eq!(twice, ["one", "two"], "{path}");
    }
}

#[tokio::test]
async fn the_word_of_the_registry_stands() {
    let app = with(&[
        ("content-type", "text/html"),
        ("content-length", "7"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("docker-distribution-api-version", "registry/1.0"),
        ("x-request-id", "always the same"),
    ]);
    let site = Site::serving(app, ServeOptions::default()).await;
    let mut socket = site.connect().await;
    for (path, length) in [("/v2/", "2"), ("/", "0"), ("/elsewhere", "19")] {
        let answer = socket.ask(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_eq!(header(&answer, "content-length"), length, "{path}");
        assert_eq!(header(&answer, "docker-distribution-api-version"), "registry/2.0");
        for (name, most) in [
            ("content-type", 1),
            ("content-length", 1),
            ("connection", 0),
            ("transfer-encoding", 0),
            ("x-request-id", 1),
        ] {
            assert!(answer.headers().get_all(name).iter().count() <= most, "{path}: {answer:?}");
        }
        assert_ne!(header(&answer, "x-request-id"), "always the same");
    }
    let answer = socket.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(header(&answer, "content-type"), "application/json");
}
