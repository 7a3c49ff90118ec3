use super::*;

fn config() -> SwiftConfig {
    SwiftConfig::new("http://127.0.0.1:5000/v3", "user", "secret", "registry")
}

#[test]
fn the_least_is_enough() {
    config().validate().unwrap();
}

#[test]
fn what_cannot_be_is_named() {
    type Spoil = fn(&mut SwiftConfig);
    let cases: [(&str, Spoil); 10] = [
        ("authurl", |config| config.auth_url = String::new()),
        ("authurl", |config| config.auth_url = "keystone.example/v3".to_owned()),
        ("authurl", |config| config.auth_url = "http://user:secret@keystone.example".to_owned()),
        ("storage URL", |config| config.storage_url = Some("ftp://swift.example".to_owned())),
        ("username", |config| config.user = String::new()),
        ("container", |config| config.container = String::new()),
        ("container", |config| config.container = "a/b".to_owned()),
        ("prefix", |config| config.prefix = "a\nb".to_owned()),
        ("prefix", |config| config.prefix = "p".repeat(257)),
        ("chunksize", |config| config.segment_size = 1_000_000),
    ];
    for (field, spoil) in cases {
        let mut config = config();
        spoil(&mut config);
        assert_eq!(config.validate().unwrap_err().field, field);
    }
}

#[test]
fn no_debug_output_shows_the_password() {
    assert!(!format!("{:?}", config()).contains("secret"));
}
