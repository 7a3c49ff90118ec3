use http::HeaderValue;

use super::*;

fn base(locations: &Locations, uri: &str, host: Option<&str>, forwarded: Option<(&str, &str)>) -> String {
    let host = host.map(|host| (header::HOST, HeaderValue::from_str(host).unwrap()));
    let forwarded = forwarded.map(|(scheme, host)| Forwarded {
        client: [192, 0, 2, 1].into(),
        scheme: Some(scheme).filter(|scheme| !scheme.is_empty()).map(|scheme| scheme.parse().unwrap()),
        host: Some(host).filter(|host| !host.is_empty()).map(str::to_owned),
    });
    locations.base(&uri.parse().unwrap(), &host.into_iter().collect(), forwarded.as_ref())
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
