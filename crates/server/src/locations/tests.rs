use http::HeaderValue;

use super::*;

fn base(locations: &Locations, uri: &str, host: Option<&str>, forwarded: Option<(&str, &str)>) -> String {
    let forwarded = forwarded.map(|(scheme, host)| self::forwarded(scheme, host));
    locations.base(&uri.parse().unwrap(), &headers(host), forwarded.as_ref())
}

fn headers(host: Option<&str>) -> HeaderMap {
    let host = host.map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
    host.into_iter().collect()
}

fn forwarded(scheme: &str, host: &str) -> Forwarded {
    Forwarded {
        client: [192, 0, 2, 1].into(),
        scheme: Some(scheme).filter(|scheme| !scheme.is_empty()).map(|scheme| scheme.parse().unwrap()),
        host: Some(host).filter(|host| !host.is_empty()).map(str::to_owned),
    }
}

#[test]
fn a_fixed_beginning_does_not_ask_the_request() {
    let proxied = Some(("https", "r.example"));
    assert_eq!(base(&Locations::Relative, "/v2/", Some("inner:5000"), proxied), "");
    let under = Locations::Under("https://registry.example".into());
    assert_eq!(base(&under, "/v2/", Some("inner:5000"), proxied), "https://registry.example");
}

#[test]
fn as_asked_is_how_the_client_asked() {
    for (uri, host, forwarded, expected) in [
        ("/v2/", Some("r.example:5000"), None, "http://r.example:5000"),
        ("/v2/", Some("r.example"), Some(("https", "")), "https://r.example"),
        ("/v2/", Some("inner"), Some(("https", "r.example")), "https://r.example"),
        ("/v2/", Some("inner"), Some(("", "r.example")), "http://r.example"),
        ("http://asked:80/v2/", Some("other"), None, "http://asked:80"),
        ("http://asked:80/v2/", None, None, "http://asked:80"),
        ("/v2/", Some("[::1]:5000"), None, "http://[::1]:5000"),
        // Nothing to begin with, or nothing that could be echoed: a path is right all the same.
        ("/v2/", None, None, ""),
        ("/v2/", None, Some(("https", "")), ""),
        ("/v2/", Some("user@evil"), None, ""),
        ("http://user:password@evil/v2/", None, None, ""),
        ("/v2/", Some("a b"), None, ""),
    ] {
        assert_eq!(base(&Locations::AsAsked, uri, host, forwarded), expected, "{uri} {host:?} {forwarded:?}");
    }
}

#[test]
fn a_password_is_sent_where_it_is_safe() {
    let secret = |locations: &Locations, host: Option<&str>, forwarded: Option<(&str, &str)>| {
        let forwarded = forwarded.map(|(scheme, host)| self::forwarded(scheme, host));
        locations.secret_base(&"/v2/".parse().unwrap(), &headers(host), forwarded.as_ref())
    };
    for (host, forwarded, expected) in [
        ("r.example", Some(("https", "")), "https://r.example"),
        ("inner:5000", Some(("https", "r.example:8443")), "https://r.example:8443"),
        // The registry's own word, or a proxy's, for what is not encrypted on its last stretch.
        ("r.example", Some(("http", "")), "https://r.example"),
        ("r.example:443", Some(("http", "")), "https://r.example:443"),
        ("inner:5000", Some(("http", "r.example")), "https://r.example"),
        ("192.0.2.1", None, "https://192.0.2.1"),
        ("[2001:db8::1]", None, "https://[2001:db8::1]"),
        ("r.example:5000", Some(("http", "")), "http://r.example:5000"),
        ("[2001:db8::1]:5000", None, "http://[2001:db8::1]:5000"),
        ("127.0.0.1", Some(("http", "")), "http://127.0.0.1"),
        ("localhost", None, "http://localhost"),
        ("[::1]", None, "http://[::1]"),
        ("localhost:5000", Some(("https", "")), "https://localhost:5000"),
    ] {
        for locations in [Locations::Relative, Locations::AsAsked] {
            let base = secret(&locations, Some(host), forwarded);
            assert_eq!(base.as_deref(), Some(expected), "{host} {forwarded:?}");
        }
        let under = Locations::Under("http://registry.example".into());
        assert_eq!(secret(&under, Some(host), forwarded).as_deref(), Some("http://registry.example"));
    }
    for host in [None, Some("user@evil"), Some("a b")] {
        assert_eq!(secret(&Locations::Relative, host, None), None, "{host:?}");
    }
}
