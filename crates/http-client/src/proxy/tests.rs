use super::*;

fn proxies(http: &str, https: &str, except: &str) -> Proxies {
    Proxies { http: http.to_owned(), https: https.to_owned(), except: except.to_owned() }
}

fn way(routes: &Routes, peer: &'static str) -> Option<String> {
    routes.proxy(&Uri::from_static(peer)).map(|proxy| proxy.uri().to_string())
}

#[test]
fn each_scheme_has_its_proxy() {
    let routes = proxies("http://one:3128", "https://two:3129", "").routes().unwrap();
    assert_eq!(way(&routes, "http://swift.example:8080/v1").as_deref(), Some("http://one:3128/"));
    assert_eq!(way(&routes, "https://swift.example/v1").as_deref(), Some("https://two:3129/"));
    let none = Proxies::default().routes().unwrap();
    assert_eq!(way(&none, "http://swift.example/"), None);
    let without_scheme = proxies("proxy.example:3128", "", "").routes().unwrap();
    assert_eq!(way(&without_scheme, "http://swift.example/").as_deref(), Some("http://proxy.example:3128/"));
    assert_eq!(way(&without_scheme, "https://swift.example/"), None);
}

#[test]
fn exceptions_and_this_machine_are_reached_directly() {
    let routes = proxies("http://p", "http://p", "swift.example, 10.0.0.0/8,2001:db8::1").routes().unwrap();
    for direct in [
        "http://swift.example/",
        "http://a.swift.example/",
        "https://10.1.2.3:8080/",
        "http://[2001:db8::1]/",
        "http://localhost:8080/",
        "http://127.0.0.2/",
        "https://[::1]:5000/",
    ] {
        assert_eq!(way(&routes, direct), None, "{direct}");
    }
    for through in ["http://notswift.example/", "https://11.1.2.3/", "http://[2001:db8::2]/"] {
        assert!(way(&routes, through).is_some(), "{through}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_that_shows_no_password() {
    for url in ["socks5://p:1080", "http://", "::", "http://user:s3cret@p q"] {
        for proxies in [proxies(url, "", ""), proxies("", url, "")] {
            let error = proxies.routes().unwrap_err();
            assert!(error.to_string().contains("_PROXY"), "{error}");
            assert!(!format!("{error:?}{proxies:?}").contains("s3cret"), "{error:?} {proxies:?}");
        }
    }
}

#[test]
fn variables_are_read_in_both_cases() {
    let from = |variables: &[(&str, &str)]| {
        let find = |wanted: &str| variables.iter().find(|(name, _)| *name == wanted);
        Proxies::from_variables(|wanted| find(wanted).map(|(_, value)| (*value).to_owned()))
    };
    assert_eq!(
        from(&[("HTTP_PROXY", "http://a"), ("https_proxy", "http://b"), ("no_proxy", "c")]),
        proxies("http://a", "http://b", "c")
    );
    assert_eq!(
        from(&[("HTTP_PROXY", ""), ("http_proxy", "http://a"), ("NO_PROXY", "c"), ("no_proxy", "d")]),
        proxies("http://a", "", "c")
    );
    assert_eq!(from(&[]), Proxies::default());
}

#[test]
fn only_a_request_that_the_proxy_reads_carries_the_password() {
    let routes = proxies("http://user:s3cret@p", "http://user:s3cret@p", "").routes().unwrap();
    let authorization = routes.authorization(&Uri::from_static("http://swift.example/")).unwrap();
    assert_eq!(authorization, "Basic dXNlcjpzM2NyZXQ=");
    assert!(authorization.is_sensitive());
    assert_eq!(routes.authorization(&Uri::from_static("https://swift.example/")), None);
}
