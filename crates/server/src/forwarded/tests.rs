use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

fn trusted() -> Vec<IpNet> {
    ["10.0.0.0/8", "fd00::/8"].iter().map(|network| network.parse().unwrap()).collect()
}

/// Scheme and host as `scheme host`, each `-` where nobody says it.
fn url(forwarded: &Forwarded) -> String {
    let scheme = forwarded.scheme.as_ref().map_or("-", Scheme::as_str);
    format!("{scheme} {}", forwarded.host.as_deref().unwrap_or("-"))
}

fn by_anyone(lines: &[(&'static str, &str)]) -> String {
    let forwarded = Forwarded::read(&headers(lines), ip("192.0.2.1"), None);
    assert_eq!(forwarded.client, ip("192.0.2.1"), "without proxies that are trusted the peer is the client");
    url(&forwarded)
}

#[test]
fn scheme_and_host_in_either_form() {
    for (lines, expected) in [
        (&[][..], "- -"),
        (&[("x-forwarded-proto", "https")], "https -"),
        (&[("x-forwarded-proto", "HTTPS"), ("x-forwarded-host", "r.example:8443")], "https r.example:8443"),
        (&[("x-forwarded-host", "r.example, inner.example")], "- r.example"),
        (&[("x-forwarded-host", "r.example"), ("x-forwarded-host", "inner.example")], "- r.example"),
        (&[("x-forwarded-proto", "https, http")], "https -"),
        (&[("forwarded", "proto=https;host=r.example")], "https r.example"),
        (
            &[("forwarded", r#"For="[2001:db8::1]:4711"; Proto=HTTPS; HOST="r.example:5000""#)],
            "https r.example:5000",
        ),
        (&[("forwarded", "proto=https;host=a.example, proto=http;host=b.example")], "https a.example"),
        (&[("forwarded", r#"host="[2001:db8::1]:5000""#)], "- [2001:db8::1]:5000"),
        // What one header does not say, the other may.
        (
            &[
                ("forwarded", "for=192.0.2.9"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "r.example"),
            ],
            "https r.example",
        ),
        (&[("forwarded", "proto=http"), ("x-forwarded-proto", "https")], "http -"),
    ] {
        assert_eq!(by_anyone(lines), expected, "{lines:?}");
    }
}

#[test]
fn what_is_no_scheme_or_host_is_not_said() {
    let long = format!("{}.example", "a".repeat(250));
    for hostile in [
        "",
        "user@r.example",
        "user:password@r.example",
        "r.example/path",
        "r.example?query",
        "r.example#fragment",
        "r.example\\evil",
        "r.example:port",
        "r.example:65536",
        "r.example:",
        ":5000",
        "a:b:c",
        "r%2eexample",
        "r example",
        "r.example\tx",
        "\u{e9}.example",
        "[::1",
        "[::g]",
        "[::1]5000",
        "[127.0.0.1]",
        "\"r.example",
        "<script>",
        &long,
    ] {
        assert_eq!(by_anyone(&[("x-forwarded-host", hostile)]), "- -", "{hostile:?}");
        assert_eq!(host(hostile), None, "{hostile:?}");
    }
    for hostile in ["", "ftp", "https://", "javascript", "https:", "http s"] {
        assert_eq!(by_anyone(&[("x-forwarded-proto", hostile)]), "- -", "{hostile:?}");
    }
    for sound in ["localhost", "r.example", "127.0.0.1:5000", "[::1]", "[::1]:0", "under_score-1:65535"] {
        assert_eq!(host(sound).as_deref(), Some(sound));
    }
}

#[test]
fn only_trusted_peers_are_believed() {
    let said = headers(&[
        ("forwarded", "for=192.0.2.7;proto=https;host=r.example"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "r.example"),
    ]);
    for (peer, client, expected) in [
        (PROXY, "192.0.2.7", "https r.example"),
        ("::ffff:10.0.0.1", "192.0.2.7", "https r.example"),
        ("fd00::1", "192.0.2.7", "https r.example"),
        ("192.0.2.1", "192.0.2.1", "- -"),
        ("::1", "::1", "- -"),
    ] {
        let forwarded = Forwarded::read(&said, ip(peer), Some(&trusted()));
        assert_eq!((forwarded.client, url(&forwarded).as_str()), (ip(client), expected), "{peer}");
    }
    assert_eq!(Forwarded::read(&said, ip(PROXY), Some(&[])).client, ip(PROXY), "nobody is trusted");
}

#[test]
fn a_chain_is_followed_as_far_as_it_is_trusted() {
    for (chain, client) in [
        ("", PROXY),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.0.0.3, 10.0.0.2", "192.0.2.7"),
        // Whatever the client wrote itself stands before its own address.
        ("10.9.9.9, 198.51.100.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.4, 10.0.0.3", "10.0.0.4"),
        ("192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("192.0.2.7, rubbish", PROXY),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ] {
        let plain = headers(&[("x-forwarded-for", chain)]);
        assert_eq!(Forwarded::read(&plain, ip(PROXY), Some(&trusted())).client, ip(client), "{chain}");
        let elements: Vec<String> = split(chain, ',').map(|node| format!("for=\"{node}\"")).collect();
        let forwarded = headers(&[("forwarded", &elements.join(", "))]);
        assert_eq!(Forwarded::read(&forwarded, ip(PROXY), Some(&trusted())).client, ip(client), "{chain}");
    }
}

#[test]
fn the_url_is_told_by_the_outermost_proxy_that_is_trusted() {
    let said = headers(&[(
        "forwarded",
        "for=198.51.100.9;proto=http;host=spoofed.example, for=192.0.2.7;proto=https;host=r.example, \
         for=10.0.0.2;proto=http;host=inner.example",
    )]);
    let forwarded = Forwarded::read(&said, ip(PROXY), Some(&trusted()));
    assert_eq!((forwarded.client, url(&forwarded).as_str()), (ip("192.0.2.7"), "https r.example"));
}

#[test]
fn two_headers_that_disagree_name_nobody() {
    let read = |forwarded, x_forwarded_for| {
        let said = headers(&[("forwarded", forwarded), ("x-forwarded-for", x_forwarded_for)]);
        Forwarded::read(&said, ip(PROXY), Some(&trusted())).client
    };
    assert_eq!(read("for=192.0.2.7", "192.0.2.7"), ip("192.0.2.7"));
    assert_eq!(read("for=192.0.2.7", "192.0.2.8"), ip(PROXY));
    assert_eq!(read("for=192.0.2.7", "unknown"), ip("192.0.2.7"));
    assert_eq!(read("for=unknown", "192.0.2.8"), ip("192.0.2.8"));
}

#[test]
fn a_hostile_chain_is_read_in_one_pass() {
    // Were it not one pass, each of these would take minutes.
    for text in [
        ",".repeat(1 << 20),
        "10.0.0.2,".repeat(1 << 17),
        "for=10.0.0.2;".repeat(1 << 16),
        "\"\\".repeat(1 << 19),
    ] {
        let said = headers(&[("forwarded", &text), ("x-forwarded-for", &text), ("x-forwarded-host", &text)]);
        let client = Forwarded::read(&said, ip(PROXY), Some(&trusted())).client;
        assert!([ip(PROXY), ip("10.0.0.2")].contains(&client), "{client}");
    }
}

proptest! {
    #[test]
    fn any_headers_are_read(values in prop::collection::vec((0_usize..4, prop::collection::vec(any::<u8>(), 0..80)), 0..6)) {
        let names = [header::FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO];
        let said: HeaderMap = values
            .into_iter()
            .filter_map(|(name, value)| Some((names[name].clone(), HeaderValue::from_bytes(&value).ok()?)))
            .collect();
        for trusted in [None, Some(&*trusted())] {
            let _ = Forwarded::read(&said, ip(PROXY), trusted);
        }
    }

    #[test]
    fn what_is_taken_for_a_host_is_the_authority_of_a_url(text in "[a-zA-Z0-9._:@/?#\\[\\]%-]{1,30}|[a-z0-9.-]{1,20}(:[0-9]{1,6})?") {
        if let Some(host) = host(&text) {
            let url: http::Uri = format!("http://{host}/v2/").parse().unwrap();
            prop_assert_eq!(url.authority().unwrap().as_str(), text);
            prop_assert_eq!(url.path(), "/v2/");
        }
    }

    #[test]
    fn the_nearest_address_that_is_not_trusted_is_the_client(
        invented in prop::collection::vec(any::<[u8; 4]>(), 0..5),
        client in any::<[u8; 4]>().prop_filter("not trusted", |octets| octets[0] != 10),
        proxies in prop::collection::vec(any::<[u8; 3]>(), 0..5),
    ) {
        let proxies = proxies.into_iter().map(|[b, c, d]| [10, b, c, d]);
        let chain = invented.into_iter().chain([client]).chain(proxies).map(|octets| IpAddr::from(octets).to_string());
        let said = headers(&[("x-forwarded-for", &chain.collect::<Vec<_>>().join(", "))]);
        prop_assert_eq!(Forwarded::read(&said, ip(PROXY), Some(&trusted())).client, IpAddr::from(client));
    }
}
