//! `health`

use std::time::Duration;

use super::parse;
use crate::HealthConfig;

/// What `health: {...}` means, and the warnings.
fn health(keys: &str) -> (HealthConfig, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nhealth: {{{keys}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.health, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: inmemory\nhealth: {{{keys}}}\n");
    parse(&text).expect_err(keys).to_string()
}

/// Seconds between two checks, and failures that count.
fn pace(pace: crate::HealthPace) -> (u64, u32) {
    (pace.interval.as_secs(), pace.threshold.get())
}

#[test]
fn nothing_is_checked_by_default() {
    for nothing in
        ["", "storagedriver: {enabled: false}", "storagedriver: {interval: 3s}", "file: [], http: , tcp: []"]
    {
        assert_eq!(health(nothing), (HealthConfig::default(), vec![]), "{nothing}");
    }
}

#[test]
fn the_storage() {
    let storage = |keys: &str| health(&format!("storagedriver: {{{keys}}}")).0.storage.map(pace);
    assert_eq!(storage("enabled: true"), Some((10, 1)));
    assert_eq!(storage("enabled: yes, interval: 1m, threshold: 3"), Some((60, 3)));
    assert_eq!(storage("enabled: on, interval: 0s, threshold: -2"), Some((10, 1)));
}

#[test]
fn files_and_services() {
    let (health, warnings) = health(
        "file: [{file: /tmp/down, interval: 5s, threshold: 2}, {file: /tmp/off}],
         http: [{uri: 'http://a/b?c=d', headers: {Authorization: [Basic hunter2]}, statuscode: 204, timeout: 3s,
                 interval: 10s, threshold: 3}, {uri: 'https://a'}],
         tcp: [{addr: 'redis:6379', timeout: 3s, interval: 20s}, {addr: '[::1]:80'}]",
    );
    let files: Vec<_> =
        health.files.iter().map(|file| (file.path.to_str().unwrap(), pace(file.pace))).collect();
    assert_eq!(files, [("/tmp/down", (5, 2)), ("/tmp/off", (10, 1))]);
    let http = |check: &crate::HttpCheck| {
        (check.uri.clone(), check.status.as_u16(), check.timeout, pace(check.pace))
    };
    let three = Some(Duration::from_secs(3));
    assert_eq!(
        health.http.iter().map(http).collect::<Vec<_>>(),
        [("http://a/b?c=d".into(), 204, three, (10, 3)), ("https://a".into(), 200, None, (10, 1))]
    );
    assert_eq!(health.http[0].headers["authorization"], "Basic hunter2");
    let tcp: Vec<_> =
        health.tcp.iter().map(|check| (&*check.address, check.timeout, pace(check.pace))).collect();
    assert_eq!(tcp, [("redis:6379", three, (20, 1)), ("[::1]:80", None, (10, 1))]);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!format!("{health:?}").contains("hunter2"), "Debug shows a secret");
}

#[test]
fn what_is_wrong() {
    for (keys, told) in [
        (
            "storagedriver: true",
            "25: health.storagedriver: found \"true\", expected a mapping of keys to values",
        ),
        (
            "storagedriver: {enabled: 1}",
            "35: health.storagedriver.enabled: found \"1\", expected true or false, without quotes",
        ),
        (
            "storagedriver: {interval: often}",
            "36: health.storagedriver.interval: found \"often\", expected a duration, such as 30s or 1m30s",
        ),
        ("file: /tmp/x", "16: health.file: found \"/tmp/x\", expected a list of checks"),
        ("file: [{interval: 1s}]", "17: health.file[0].file: missing, expected the path of a file"),
        (
            "http: [{uri: redis}]",
            "23: health.http[0].uri: found \"redis\", expected an http or https URL without credentials, such as \
             https://service.example/alive",
        ),
        (
            "http: [{uri: 'http://a', statuscode: 99}]",
            "47: health.http[0].statuscode: found \"99\", expected an HTTP status from 100 to 599",
        ),
        (
            "tcp: [{addr: ':80'}]",
            "23: health.tcp[0].addr: found \":80\", expected host:port, such as cache.example:6379",
        ),
        (
            "tcp: [{addr: redis}]",
            "23: health.tcp[0].addr: found \"redis\", expected host:port, such as cache.example:6379",
        ),
        (
            "tcp: [{timeout: 1s}]",
            "16: health.tcp[0].addr: missing, expected host:port, such as cache.example:6379",
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        health("storagedrive: {enabled: true}").1,
        ["config.yml:3:10: health.storagedrive: unknown key, ignored; did you mean \"storagedriver\"?"]
    );
}
