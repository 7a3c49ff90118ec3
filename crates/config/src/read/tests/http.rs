//! `http`, and the sizes of pages: what is told of URLs, proxies and protocols.

use super::parse;
use crate::{HttpConfig, Loaded};

fn read(text: &str) -> Loaded {
    parse(&format!("version: 0.1\nstorage: inmemory\n{text}\n"))
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What `http: {...}` means, and the warnings.
fn http(keys: &str) -> (HttpConfig, Vec<String>) {
    let loaded = read(&format!("http: {{{keys}}}"));
    (loaded.config.http, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn error(text: &str) -> String {
    parse(&format!("version: 0.1\nstorage: inmemory\n{text}\n")).expect_err(text).to_string()
}

#[test]
fn relative_urls_are_told_from_none() {
    assert_eq!(http("").0.relative_urls, None);
    assert_eq!(http("relativeurls: true").0.relative_urls, Some(true));
    assert_eq!(http("relativeurls: off").0.relative_urls, Some(false));
    assert_eq!(http("relativeurls: ''").0.relative_urls, None, "an empty key says nothing");
}

#[test]
fn trusted_proxies() {
    const EXPECTED: &str = "expected an IP address or a network, such as 10.0.0.1, 10.0.0.0/8 or fd00::/8";
    let proxies = |keys| {
        let networks = http(keys).0.trusted_proxies;
        networks.map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(proxies(""), None);
    assert_eq!(proxies("trustedproxies: "), None);
    assert_eq!(proxies("trustedproxies: []"), Some(vec![]), "nobody is trusted");
    assert_eq!(
        proxies("trustedproxies: [10.0.0.0/8, '::1', 192.0.2.7, \"fd00::/8\"]").unwrap(),
        ["10.0.0.0/8", "::1/128", "192.0.2.7/32", "fd00::/8"]
    );
    for (value, told) in [
        ("[10.0.0.0/33]", format!("3:25: http.trustedproxies[0]: found \"10.0.0.0/33\", {EXPECTED}")),
        (
            "[10.0.0.1, proxy.example]",
            format!("3:35: http.trustedproxies[1]: found \"proxy.example\", {EXPECTED}"),
        ),
        ("[[10.0.0.1]]", format!("3:25: http.trustedproxies[0]: found a list, {EXPECTED}")),
        ("10.0.0.1", "3:24: http.trustedproxies: found \"10.0.0.1\", expected a list".to_owned()),
        ("{a: b}", "3:24: http.trustedproxies: found a mapping, expected a list".to_owned()),
    ] {
        assert_eq!(error(&format!("http: {{trustedproxies: {value}}}")), format!("config.yml:{told}"));
    }
    assert_eq!(
        http("trustedproxy: [10.0.0.1]").1,
        ["config.yml:3:8: http.trustedproxy: unknown key, ignored; did you mean \"trustedproxies\"?"]
    );
}

#[test]
fn http2_with_tls_and_without() {
    for (keys, h2c, warnings) in [
        ("", false, &[][..]),
        ("h2c: {enabled: true}", true, &[]),
        ("h2c: {enabled: false}", false, &[]),
        ("h2c: ", false, &[]),
        ("http2: {disabled: true}", false, &[]),
        ("http2: {disabled: false}, h2c: {enabled: yes}", true, &[]),
        (
            "http2: {disabled: true}, h2c: {enabled: true}",
            false,
            &["config.yml:3:39: http.h2c.enabled: without effect, for http.http2.disabled is true"],
        ),
        (
            "h2c: {enable: true}",
            false,
            &["config.yml:3:14: http.h2c.enable: unknown key, ignored; did you mean \"enabled\"?"],
        ),
        (
            "http2: {disable: true}",
            false,
            &["config.yml:3:16: http.http2.disable: unknown key, ignored; did you mean \"disabled\"?"],
        ),
    ] {
        let (http, told) = http(keys);
        assert_eq!(http.http2, !keys.contains("disabled: true"), "{keys}");
        assert_eq!(
            (http.h2c, &*told),
            (h2c, &warnings.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{keys}"
        );
    }
    assert_eq!(
        error("http: {h2c: true}"),
        "config.yml:3:13: http.h2c: found \"true\", expected a mapping of keys to values"
    );
    assert_eq!(
        error("http: {h2c: {enabled: 1}}"),
        "config.yml:3:23: http.h2c.enabled: found \"1\", expected true or false, without quotes"
    );
}

#[test]
fn sizes_of_pages() {
    let sizes = |text: &str| {
        let config = read(text).config;
        [config.catalog_max_entries, config.tags_max_tags].map(|size| size.map_or(0, usize::from))
    };
    assert_eq!(sizes(""), [0, 0]);
    assert_eq!(sizes("catalog: {maxentries: 250}\ntags: {maxtags: 7}"), [250, 7]);
    assert_eq!(sizes("catalog: {maxentries: 0}\ntags: {maxtags: -1}"), [0, 0]);
    assert_eq!(sizes("catalog: {maxentries: }\ntags:"), [0, 0]);
    assert_eq!(
        error("catalog: {maxentries: many}"),
        "config.yml:3:23: catalog.maxentries: found \"many\", expected a whole number"
    );
    assert_eq!(
        error("tags: {maxtags: 1.5}"),
        "config.yml:3:17: tags.maxtags: found \"1.5\", expected a whole number"
    );
    let loaded = read("catalog: {maxentry: 5}\ntags: {maxtag: 5}");
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "config.yml:3:11: catalog.maxentry: unknown key, ignored; did you mean \"maxentries\"?",
            "config.yml:4:8: tags.maxtag: unknown key, ignored; did you mean \"maxtags\"?",
        ]
    );
}

#[test]
fn a_socket_in_the_file_system() {
    let (http, warnings) = http("net: unix, addr: /run/apus.sock");
    assert_eq!(http.unix_socket.as_deref(), Some(std::path::Path::new("/run/apus.sock")));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(self::http("net: tcp, addr: ':5000'").0.unix_socket, None);
}

#[test]
fn headers() {
    let (http, _) =
        http("headers: {X-Content-Type-Options: [nosniff], X-Two: [a, 007], X-One: one, X-None: []}");
    let values = |name: &str| http.headers.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(values("x-content-type-options"), ["nosniff"]);
    assert_eq!(values("x-two"), ["a", "007"]);
    assert_eq!(values("x-one"), ["one"]);
    assert_eq!(http.headers.len(), 4);
    assert_eq!(
        error("http: {headers: {'X:': [a]}}"),
        "config.yml:3:18: http.headers.X:: not the name of a header"
    );
    assert_eq!(
        error("http: {headers: [nosniff]}"),
        "config.yml:3:17: http.headers: found a list, expected a mapping of keys to values"
    );
}

#[test]
fn debug_server() {
    let debug = |keys: &str| http(&format!("debug: {{{keys}}}")).0.debug;
    assert_eq!(debug(""), None);
    let addr = || crate::ListenAddress { host: String::new(), port: 5001 };
    for (keys, metrics_path) in [
        ("addr: ':5001'", None),
        ("addr: ':5001', prometheus: {enabled: false, path: /m}", None),
        ("addr: ':5001', prometheus: {enabled: true}", Some("/metrics".to_owned())),
        ("addr: ':5001', prometheus: {enabled: true, path: /m}", Some("/m".to_owned())),
    ] {
        assert_eq!(debug(keys), Some(crate::DebugConfig { addr: addr(), metrics_path }), "{keys}");
    }
    assert_eq!(
        http("debug: {prometheus: {enabled: true}}").1,
        ["config.yml:3:16: http.debug.prometheus: without effect, for http.debug.addr is not given"]
    );
    for (keys, told) in [
        (
            "addr: 5001",
            "22: http.debug.addr: found \"5001\", expected host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000",
        ),
        (
            "prometheus: {path: metrics}",
            "35: http.debug.prometheus.path: found \"metrics\", expected a path that begins with a slash, such as \
             /metrics",
        ),
        (
            "prometheus: true",
            "28: http.debug.prometheus: found \"true\", expected a mapping of keys to values",
        ),
    ] {
        assert_eq!(error(&format!("http: {{debug: {{{keys}}}}}")), format!("config.yml:3:{told}"), "{keys}");
    }
    assert_eq!(
        http("debug: {address: ':5001'}").1,
        ["config.yml:3:16: http.debug.address: unknown key, ignored; did you mean \"addr\"?"]
    );
}
