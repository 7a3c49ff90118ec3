//! `proxy`

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::parse;
use crate::{ProxyConfig, ProxyCredentials};

/// What `proxy: {...}` means, and the warnings.
fn proxy(keys: &str) -> (Option<ProxyConfig>, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nproxy: {{{keys}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.proxy, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: inmemory\nproxy: {{{keys}}}\n");
    parse(&text).expect_err(keys).to_string()
}

#[test]
fn none() {
    for nothing in ["", "remoteurl: '', username: '', password: ''", "exec: {command: }"] {
        let (proxy, warnings) = proxy(nothing);
        assert!(proxy.is_none() && warnings.is_empty(), "{nothing}");
    }
}

#[test]
fn defaults() {
    let proxy = proxy("remoteurl: https://registry-1.docker.io/, username: ''").0.unwrap();
    assert_eq!(proxy.remote_url, "https://registry-1.docker.io");
    assert!(proxy.credentials.is_none() && proxy.remote_namespace.is_none());
    assert_eq!(proxy.ttl, Some(Duration::from_hours(168)));
    assert_eq!(proxy.cache_write_timeout, Duration::from_mins(5));
}

#[test]
fn values() {
    let (proxy, warnings) = proxy(
        "remoteurl: 'http://r.example:5000', username: me, password: 007, ttl: 24h, cachewritetimeout: 1m, \
         remotenamespace: /team/",
    );
    let proxy = proxy.unwrap();
    let Some(ProxyCredentials::Password { username, password }) = &proxy.credentials else {
        panic!("{proxy:?}")
    };
    assert_eq!((&**username, password.expose_secret()), ("me", "007"));
    assert_eq!(proxy.ttl, Some(Duration::from_hours(24)));
    assert_eq!(proxy.cache_write_timeout, Duration::from_mins(1));
    assert_eq!(proxy.remote_namespace.as_deref(), Some("team"));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!format!("{proxy:?}").contains("007"), "Debug shows a secret");
}

#[test]
fn a_helper_and_no_end_of_life() {
    let helper = |keys: &str| {
        let proxy =
            proxy(&format!("remoteurl: 'https://r', ttl: 0, exec: {{command: helper{keys}}}")).0.unwrap();
        assert_eq!(proxy.ttl, None);
        match proxy.credentials {
            Some(ProxyCredentials::Helper { command, lifetime }) => (command, lifetime),
            other => panic!("no helper: {other:?}"),
        }
    };
    assert_eq!(helper(""), ("helper".into(), None));
    assert_eq!(helper(", lifetime: 1h"), ("helper".into(), Some(Duration::from_hours(1))));
    assert_eq!(helper(", lifetime: 0s"), ("helper".into(), Some(Duration::ZERO)));
}

#[test]
fn what_is_wrong() {
    const URL: &str =
        "expected an http or https URL without credentials, such as https://registry-1.docker.io";
    for (keys, told) in [
        ("username: me", format!("1: proxy.remoteurl: missing, {URL}")),
        (
            "remoteurl: registry-1.docker.io",
            format!("20: proxy.remoteurl: found \"registry-1.docker.io\", {URL}"),
        ),
        ("remoteurl: 'https://me:hunter2@r'", format!("20: proxy.remoteurl: found \"<hidden>@r\", {URL}")),
        (
            "remoteurl: 'https://r', username: me",
            "1: proxy.password: missing, expected the user's password".into(),
        ),
        (
            "remoteurl: 'https://r', password: hunter2",
            "1: proxy.username: missing, expected the name of a user at the other registry".into(),
        ),
        (
            "remoteurl: 'https://r', password: [hunter2]",
            "43: proxy.password: found a list, expected a single text".into(),
        ),
        (
            "remoteurl: 'https://r', exec: {lifetime: 1h}",
            "33: proxy.exec.command: missing, expected a Docker credential helper".into(),
        ),
        (
            "remoteurl: 'https://r', username: a, password: b, exec: {command: c}",
            "59: proxy.exec: given beside \"username\" and \"password\"; remove one of them".into(),
        ),
        (
            "remoteurl: 'https://r', ttl: 7d",
            "38: proxy.ttl: found \"7d\", expected a duration, such as 30s or 1m30s".into(),
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        proxy("remoteurl: 'https://r', remote_url: x").1,
        ["config.yml:3:33: proxy.remote_url: unknown key, ignored; did you mean \"remoteurl\"?"]
    );
}
