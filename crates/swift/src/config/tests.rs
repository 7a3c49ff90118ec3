use super::*;

fn config() -> SwiftConfig {
    SwiftConfig::new("http://127.0.0.1:5000", Password::new("user", "secret"), "registry")
}

#[test]
fn the_least_is_enough() {
    config().validate().unwrap();
}

#[test]
fn what_cannot_be_is_named() {
    type Spoil = fn(&mut SwiftConfig);
    let cases: [(&str, Spoil); 14] = [
        ("authurl", |config| config.auth_url = String::new()),
        ("authurl", |config| config.auth_url = "keystone.example/v3".to_owned()),
        ("authurl", |config| config.auth_url = "http://user:secret@keystone.example".to_owned()),
        ("authurl", |config| config.auth_url = "http://keystone.example/?a=secret".to_owned()),
        ("storageurl", |config| config.storage_url = Some("ftp://swift.example".to_owned())),
        ("username", |config| config.credentials = Password::new("", "secret").into()),
        ("username", |config| config.credentials = ApplicationCredential::named("n", "", "secret").into()),
        ("the secret", |config| config.credentials = ApplicationCredential::new("id", "").into()),
        ("the secret", |config| config.credentials = Token::new("").into()),
        ("container", |config| config.container = String::new()),
        ("container", |config| config.container = "a/b".to_owned()),
        ("prefix", |config| config.prefix = "a\nb".to_owned()),
        ("prefix", |config| config.prefix = "p".repeat(257)),
        ("chunksize", |config| config.segment_size = 1_000_000),
    ];
    for (setting, spoil) in cases {
        let mut config = config();
        spoil(&mut config);
        let error = config.validate().unwrap_err();
        assert_eq!(error.setting, setting);
        assert!(!error.to_string().contains("secret@"), "{error}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let mut config = config();
    config.tls.ca_file = Some("/nowhere/ca.pem".into());
    let error = config.http_client().unwrap_err().to_string();
    assert!(error.contains("/nowhere/ca.pem cannot be used: No such file"), "{error}");
    config.tls.ca_file = None;
    config.proxies.https = "socks5://proxy.example".to_owned();
    let error = config.http_client().unwrap_err().to_string();
    assert!(error.starts_with("the proxy of HTTPS_PROXY cannot be used: "), "{error}");
}

#[test]
fn each_version_takes_what_it_knows() {
    use AuthVersion::{V1, V2, V3};
    let by_id = || Entity::Id("1".to_owned());
    let cases: [(Credentials, &[AuthVersion]); 6] = [
        (Password::new("u", "s").for_project("p").into(), &[V1, V2, V3]),
        (Password::new(by_id(), "s").into(), &[V2, V3]),
        (Password::new("u", "s").by_trust("t").into(), &[V3]),
        (ApplicationCredential::new("id", "s").into(), &[V3]),
        (ApplicationCredential::named("n", "u", "s").into(), &[V3]),
        (Token::new("t").into(), &[V3]),
    ];
    for (credentials, versions) in cases {
        for (version, url) in [(V1, "http://h/auth/v1.0"), (V2, "http://h/v2.0"), (V3, "http://h/v3")] {
            let mut config = config();
            config.credentials = credentials.clone();
            config.auth_version = Some(version);
            let by_version = config.validate().is_ok();
            (config.auth_version, config.auth_url) = (None, url.to_owned());
            let by_url = config.validate().is_ok();
            assert_eq!((by_version, by_url), (versions.contains(&version), by_version), "{credentials:?}");
        }
    }
}

#[test]
fn urls_say_what_they_are() {
    use AuthVersion::{V1, V2, V3};
    let cases = [
        ("http://h/auth/v1.0", Some(V1), "http://h/auth"),
        ("http://h/auth/v1.0/", Some(V1), "http://h/auth"),
        ("http://h/auth/v1", Some(V1), "http://h/auth"),
        ("https://h:8080/auth/1.0", Some(V1), "https://h:8080"),
        ("http://h:5000/v2.0", Some(V2), "http://h:5000"),
        ("http://h:5000/v2.0/tokens", Some(V2), "http://h:5000"),
        ("http://h:5000/v3", Some(V3), "http://h:5000"),
        ("http://h:5000/v3//", Some(V3), "http://h:5000"),
        ("http://h/identity/v3/auth/tokens", Some(V3), "http://h/identity"),
        ("http://h/auth", None, "http://h/auth"),
        ("http://h:5000", None, "http://h:5000"),
        ("http://h:5000/", None, "http://h:5000"),
        ("http://v3", None, "http://v3"),
        ("http://v1.example:5000", None, "http://v1.example:5000"),
        ("http://h/zxv1", None, "http://h/zxv1"),
        ("http://h/v1/keystone", None, "http://h/v1/keystone"),
    ];
    for (url, version, base) in cases {
        assert_eq!(AuthVersion::told_by(url), (version, base), "{url}");
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    let secret: [Credentials; 3] = [
        Password::new("u", "hunter2").into(),
        ApplicationCredential::new("id", "hunter2").into(),
        Token::new("hunter2").into(),
    ];
    for credentials in secret {
        let config = SwiftConfig::new("http://h", credentials, "c");
        assert!(!format!("{config:?}{config:#?}").contains("hunter2"));
    }
}
