//! `proxy`

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::parse;
use crate::{ProxyConfig, ProxyCredentials, UpstreamConfig};

/// What `proxy: {...}` means, and the warnings.
fn section(keys: &str) -> (Option<ProxyConfig>, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nproxy: {{{keys}}}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.proxy, loaded.warnings.iter().map(ToString::to_string).collect())
}

/// The one registry that `proxy: {...}` means, and the warnings.
fn proxy(keys: &str) -> (UpstreamConfig, Vec<String>) {
    let (proxy, warnings) = section(keys);
    let [upstream] = <[_; 1]>::try_from(proxy.unwrap().upstreams).unwrap();
    (upstream, warnings)
}

fn error(keys: &str) -> String {
    let text = format!("version: 0.1\nstorage: inmemory\nproxy: {{{keys}}}\n");
    parse(&text).expect_err(keys).to_string()
}

#[test]
fn none() {
    for nothing in ["", "remoteurl: '', username: '', password: ''", "exec: {command: }"] {
        let (proxy, warnings) = section(nothing);
        assert!(proxy.is_none() && warnings.is_empty(), "{nothing}");
    }
}

#[test]
fn defaults() {
    let keys = "remoteurl: https://registry-1.docker.io/, username: ''";
    let proxy = proxy(keys).0;
    assert_eq!(proxy.remote_url, "https://registry-1.docker.io");
    assert!(proxy.credentials.is_none() && proxy.remote_namespace.is_none() && proxy.prefix.is_none());
    assert_eq!(proxy.ttl, Some(Duration::from_hours(168)));
    assert_eq!(proxy.freshness, Duration::ZERO);
    assert_eq!(proxy.ns, ["docker.io", "registry-1.docker.io"]);
    assert!(proxy.token_servers.is_empty() && proxy.allowed_networks.is_empty());
    assert_eq!(section(keys).0.unwrap().cache_write_timeout, Duration::from_mins(5));
}

#[test]
fn values() {
    let keys = "remoteurl: 'http://R.example:5000', username: me, password: 007, ttl: 24h, cachewritetimeout: 1m, \
                remotenamespace: /team/, freshness: 30s, tokenservers: [auth.example], \
                allowednetworks: [10.0.0.0/8, 192.168.1.1]";
    let (proxy, warnings) = proxy(keys);
    let Some(ProxyCredentials::Password { username, password }) = &proxy.credentials else {
        panic!("{proxy:?}")
    };
    assert_eq!((&**username, password.expose_secret()), ("me", "007"));
    assert_eq!(proxy.ttl, Some(Duration::from_hours(24)));
    assert_eq!(section(keys).0.unwrap().cache_write_timeout, Duration::from_mins(1));
    assert_eq!(proxy.remote_namespace.as_deref(), Some("team"));
    assert_eq!((proxy.freshness, &*proxy.ns), (Duration::from_secs(30), &["r.example:5000".to_owned()][..]));
    assert_eq!(proxy.token_servers, ["auth.example"]);
    assert_eq!(proxy.allowed_networks, ["10.0.0.0/8".parse().unwrap(), "192.168.1.1/32".parse().unwrap()]);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!format!("{proxy:?}").contains("007"), "Debug shows a secret");
}

#[test]
fn a_helper_and_no_end_of_life() {
    let helper = |keys: &str| {
        let proxy = proxy(&format!("remoteurl: 'https://r', ttl: 0, exec: {{command: helper{keys}}}")).0;
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
fn several_registries() {
    let (proxy, warnings) = section(
        "remoteurl: 'https://registry-1.docker.io', ttl: 1h, upstreams: [{prefix: quay.io, remoteurl: 'https://quay.io', \
         username: me, password: x}, {prefix: /deep/er/, remoteurl: 'https://r', ns: [a, b], ttl: 0}]",
    );
    assert!(warnings.is_empty(), "{warnings:?}");
    let upstreams = proxy.unwrap().upstreams;
    let shown: Vec<_> = upstreams
        .iter()
        .map(|one| {
            (one.prefix.as_deref(), &*one.remote_url, one.ns.join(" "), one.ttl, one.credentials.is_some())
        })
        .collect();
    let hours = |hours| Some(Duration::from_hours(hours));
    assert_eq!(
        shown,
        [
            (
                None,
                "https://registry-1.docker.io",
                "docker.io registry-1.docker.io".to_owned(),
                hours(1),
                false
            ),
            (Some("quay.io"), "https://quay.io", "quay.io".to_owned(), hours(1), true),
            (Some("deep/er"), "https://r", "a b".to_owned(), None, false),
        ]
    );
    let alone = section("freshness: 1m, upstreams: [{prefix: a, remoteurl: 'https://r'}]").0.unwrap();
    let [alone] = <[_; 1]>::try_from(alone.upstreams).unwrap();
    assert_eq!((alone.freshness, alone.ttl), (Duration::from_mins(1), hours(168)));
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
        (
            "upstreams: [{remoteurl: 'https://r'}]",
            "21: proxy.upstreams[0].prefix: missing, expected the beginning of repositories' names, such as quay.io".into(),
        ),
        (
            "upstreams: [{prefix: Quay, remoteurl: 'https://r'}]",
            "30: proxy.upstreams[0].prefix: found \"Quay\", expected the beginning of repositories' names, such as quay.io"
                .into(),
        ),
        (
            "username: me, upstreams: [{prefix: a, remoteurl: 'https://r'}]",
            format!("1: proxy.remoteurl: missing, {URL}"),
        ),
        (
            "upstreams: [{prefix: a, remoteurl: 'https://r'}, {prefix: a, remoteurl: 'https://s'}]",
            "1: proxy: two registries have the prefix \"a\"".into(),
        ),
        (
            "remoteurl: 'https://r', upstreams: [{prefix: a, remoteurl: 'https://R'}]",
            "1: proxy: two registries have the ns \"r\"; say of each which it answers to".into(),
        ),
        (
            "remoteurl: 'https://r', allowednetworks: [all]",
            "51: proxy.allowednetworks[0]: found \"all\", expected an IP address or a network, such as 10.0.0.1, \
             10.0.0.0/8 or fd00::/8"
                .into(),
        ),
    ] {
        assert_eq!(error(keys), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        proxy("remoteurl: 'https://r', remote_url: x").1,
        ["config.yml:3:33: proxy.remote_url: unknown key, ignored; did you mean \"remoteurl\"?"]
    );
}
