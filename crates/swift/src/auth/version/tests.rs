use serde_json::json;

use super::*;
use crate::config::{ApplicationCredential, Password};

fn config(url: &str, version: Option<AuthVersion>) -> SwiftConfig {
    let mut config = SwiftConfig::new(url, Password::new("user", "secret"), "registry");
    config.auth_version = version;
    config
}

#[test]
fn the_configuration_comes_first_and_then_the_url() {
    use AuthVersion::{V1, V2, V3};
    let cases = [
        ("http://h/auth/v1.0", None, Some((V1, "http://h/auth/v1.0"))),
        ("http://h/auth/v1.0/", None, Some((V1, "http://h/auth/v1.0/"))),
        ("http://h/auth", Some(V1), Some((V1, "http://h/auth"))),
        ("http://h/auth", None, None),
        ("http://h:5000/v3/", None, Some((V3, "http://h:5000/v3"))),
        ("http://h/identity/v3/auth/tokens", None, Some((V3, "http://h/identity/v3"))),
        ("http://h:5000", Some(V3), Some((V3, "http://h:5000/v3"))),
        ("http://h:5000/v2.0", Some(V3), Some((V3, "http://h:5000/v3"))),
        ("http://h:5000/v2.0/", None, Some((V2, "http://h:5000/v2.0"))),
        ("http://h:5000/", Some(V2), Some((V2, "http://h:5000/v2.0"))),
        ("http://h/v1/keystone", Some(V3), Some((V3, "http://h/v1/keystone/v3"))),
    ];
    for (url, version, way) in cases {
        let way = way.map(|(version, url)| Way { version, url: url.to_owned() });
        assert_eq!(told(&config(url, version)), way, "{url}");
    }
}

fn found(document: serde_json::Value, url: &str) -> Result<Way, AuthError> {
    highest(serde_json::from_value(document).unwrap(), url, &Password::new("u", "p").into())
}

fn version(id: &str, href: &str) -> serde_json::Value {
    json!({"id": id, "status": "stable", "links": [{"rel": "self", "href": href}]})
}

#[test]
fn the_highest_version_is_taken_in_every_form_of_the_document() {
    let (v2, v3) = (version("v2.0", "http://h:5000/v2.0/"), version("v3.14", "http://h:5000/v3/"));
    let both = json!({"versions": {"values": [v2, v3]}});
    for document in [both, json!({"version": v3}), json!({"versions": [v3]})] {
        let way = found(document, "http://h:5000/").unwrap();
        assert_eq!(way, Way { version: AuthVersion::V3, url: "http://h:5000/v3".to_owned() });
    }
    let way = found(json!({"versions": {"values": [v2]}}), "http://h:5000").unwrap();
    assert_eq!(way, Way { version: AuthVersion::V2, url: "http://h:5000/v2.0".to_owned() });
}

#[test]
fn a_link_says_the_path_but_not_the_host() {
    let cases = [
        ("https://h/", "http://h/identity/v3/", "https://h/identity/v3"),
        ("https://h/", "/identity/v3", "https://h/identity/v3"),
        ("https://h/identity", "http://inner:5000/v3/", "https://h/identity/v3"),
        ("https://h/identity", "http://h/elsewhere", "https://h/identity/v3"),
        ("https://h/identity", "not a URL", "https://h/identity/v3"),
    ];
    for (asked, href, url) in cases {
        let way = found(json!({"version": version("v3.8", href)}), asked).unwrap();
        assert_eq!(way.url, url, "{asked} {href}");
    }
    let without_link = found(json!({"version": {"id": "v3"}}), "https://h/identity/").unwrap();
    assert_eq!(without_link.url, "https://h/identity/v3");
}

#[test]
fn a_version_of_no_use_is_said_and_not_given_up_for_a_lower_one() {
    let error = found(json!({"versions": {"values": [{"id": "v4.0"}]}}), "http://h").unwrap_err().to_string();
    assert!(error.contains("v4.0") && error.contains("neither 2 nor 3"), "{error}");
    let v2 = serde_json::from_value(json!({"version": {"id": "v2.0"}})).unwrap();
    let credential = ApplicationCredential::new("id", "secret").into();
    let error = highest(v2, "http://h", &credential).unwrap_err().to_string();
    assert!(error.contains("v2.0") && error.contains("needs version 3"), "{error}");
}
