//! `notifications`

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::parse;
use crate::{EventAction, NotificationsConfig};

/// What `notifications: {...}` means, and the warnings.
fn read(keys: &str) -> (NotificationsConfig, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nnotifications: {{{keys}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.notifications, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: inmemory\nnotifications: {{{keys}}}\n");
    parse(&text).expect_err(keys).to_string()
}

#[test]
fn nobody_is_told_by_default() {
    for nothing in ["", "endpoints: ", "endpoints: []", "events: {}"] {
        let (notifications, warnings) = read(nothing);
        assert!(notifications.endpoints.is_empty() && !notifications.include_references, "{nothing}");
        assert!(warnings.is_empty());
    }
}

#[test]
fn an_endpoint_with_nothing_but_its_url() {
    let (notifications, _) = read("endpoints: [{url: 'http://hook.example:8080/events?token=hunter2'}]");
    let endpoint = &notifications.endpoints[0];
    assert_eq!(endpoint.name, "hook.example");
    assert_eq!(endpoint.url.expose_secret(), "http://hook.example:8080/events?token=hunter2");
    assert_eq!((endpoint.timeout, endpoint.backoff), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!(endpoint.threshold.get(), 10);
    assert!(endpoint.headers.is_empty());
    assert!(endpoint.ignored_media_types.is_empty() && endpoint.ignored_actions.is_empty());
    assert!(!format!("{notifications:?}").contains("hunter2"));
}

#[test]
fn an_endpoint_with_everything() {
    let (notifications, warnings) = read(
        "events: {includereferences: true}, endpoints: [
          {name: a, disabled: false, url: 'https://u:hunter1@a.example', timeout: 500ms, threshold: 5, backoff: 2s,
           headers: {Authorization: [Bearer hunter2], X-Two: [a, b], X-One: c}, ignoredmediatypes: [text/a],
           ignore: {mediatypes: [text/b], actions: [pull, Mount]}},
          {name: b, disabled: true, url: 'https://b.example'}]",
    );
    assert!(notifications.include_references);
    assert_eq!(notifications.endpoints.len(), 1, "without the one that is disabled");
    let endpoint = &notifications.endpoints[0];
    assert_eq!(endpoint.name, "a");
    assert_eq!((endpoint.timeout, endpoint.backoff), (Duration::from_millis(500), Duration::from_secs(2)));
    assert_eq!(endpoint.threshold.get(), 5);
    let values = |name: &str| endpoint.headers.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(values("authorization"), ["Bearer hunter2"]);
    assert_eq!(values("x-two"), ["a", "b"]);
    assert_eq!(values("x-one"), ["c"]);
    assert_eq!(endpoint.ignored_media_types, ["text/a", "text/b"]);
    assert_eq!(endpoint.ignored_actions, [EventAction::Pull, EventAction::Mount]);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!format!("{notifications:?}").contains("hunter"), "Debug shows a secret");
}

#[test]
fn where_events_wait() {
    let queue = |keys: &str| {
        let (notifications, warnings) = read(keys);
        assert!(warnings.is_empty(), "{warnings:?}");
        let directory = notifications.queue_directory.map(|path| path.display().to_string());
        (directory, notifications.queue_size)
    };
    let directory = || Some("/var/events".to_owned());
    assert_eq!(queue(""), (None, 16 << 20));
    assert_eq!(queue("queue: {maxsize: 1MiB}"), (None, 1 << 20));
    assert_eq!(queue("queue: {directory: /var/events}"), (directory(), 1 << 30));
    assert_eq!(queue("queue: {directory: /var/events, maxsize: 20G}"), (directory(), 20 << 30));
    for size in ["1023K", "0", "-1", "much"] {
        let told = format!("found {size:?}, expected a number of bytes, at least 1MiB");
        let error = error(&format!("queue: {{maxsize: {size}}}"));
        assert!(error.ends_with(&format!("notifications.queue.maxsize: {told}")), "{error}");
    }
}

#[test]
fn zero_is_the_default_and_a_bare_number_a_trap() {
    let (notifications, warnings) = read(
        "endpoints: [{url: 'http://a', timeout: 0, backoff: 0s, threshold: -1}, {url: 'http://b', timeout: 5}]",
    );
    let [a, b] = &notifications.endpoints[..] else { panic!("{notifications:?}") };
    assert_eq!((a.timeout, a.backoff), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!(a.threshold.get(), 10);
    assert_eq!(b.timeout, Duration::from_nanos(5));
    assert_eq!(
        warnings,
        [
            "config.yml:3:106: notifications.endpoints[1].timeout: a bare number is nanoseconds, as in registry:2; for \
             seconds write 30s"
        ]
    );
}

#[test]
fn what_is_wrong() {
    const URL: &str = "expected an http or https URL, such as https://events.example.org/registry";
    for (keys, told) in [
        ("endpoints: {url: 'http://a'}", "28: notifications.endpoints: found a mapping, expected a list of endpoints".to_owned()),
        (
            "endpoints: ['http://a']",
            "29: notifications.endpoints[0]: found \"http://a\", expected a mapping of keys to values".to_owned(),
        ),
        ("endpoints: [{name: a}]", format!("29: notifications.endpoints[0].url: missing, {URL}")),
        (
            "endpoints: [{url: 'ftp://hunter2@a'}]",
            format!("35: notifications.endpoints[0].url: found something else, {URL}"),
        ),
        (
            "endpoints: [{url: 'http://a', headers: {'X Y': [a]}}]",
            "57: notifications.endpoints[0].headers.X Y: not the name of a header".to_owned(),
        ),
        (
            "endpoints: [{url: 'http://a', headers: {X: [\"hunter2\\n\"]}}]",
            "61: notifications.endpoints[0].headers.X[0]: found something else, expected the value of a header".to_owned(),
        ),
        (
            "endpoints: [{url: 'http://a', headers: {X: {hunter2: x}}}]",
            "60: notifications.endpoints[0].headers.X: found a mapping, expected a list of texts".to_owned(),
        ),
        (
            "endpoints: [{url: 'http://a', ignore: {actions: [put]}}]",
            "66: notifications.endpoints[0].ignore.actions[0]: found \"put\", expected pull, push, mount or delete".to_owned(),
        ),
        (
            "endpoints: [{url: 'http://a', threshold: some}]",
            "58: notifications.endpoints[0].threshold: found \"some\", expected a whole number".to_owned(),
        ),
        (
            "endpoints: [{url: 'http://a', timeout: 5 s}]",
            "56: notifications.endpoints[0].timeout: found \"5 s\", expected a duration, such as 30s or 1m30s".to_owned(),
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        read("endpoints: [{url: 'http://a', header: {A: [b]}}]").1,
        [
            "config.yml:3:47: notifications.endpoints[0].header: unknown key, ignored; did you mean \"headers\"?"
        ]
    );
}
