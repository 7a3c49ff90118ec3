use crate::{Config, Loaded, V1Access};

fn read(v1: &str) -> Loaded {
    Config::parse(&format!("version: 0.1\nstorage: inmemory\nv1: {v1}\n"), "config.yml").unwrap()
}

#[test]
fn it_is_off_unless_it_is_enabled() {
    assert_eq!(Config::parse("version: 0.1\nstorage: inmemory\n", "c.yml").unwrap().config.v1, None);
    let loaded = read("{standalone: true}");
    assert!(loaded.config.v1.is_none() && loaded.hindrances.is_empty());
    assert_eq!(read("{enabled: true, standalone: true}").config.v1.unwrap().access, V1Access::Standalone);
}

#[test]
fn one_switch_turns_it_on_under_the_sign_in_of_today() {
    let loaded = read("{enabled: true}");
    assert!(loaded.warnings.is_empty() && loaded.hindrances.is_empty());
    let v1 = loaded.config.v1.unwrap();
    assert_eq!((v1.access, v1.exclusive), (V1Access::Today, false));
    let token = |index: &str| V1Access::Token { index_endpoint: index.to_owned() };
    let access = |text: &str| read(text).config.v1.unwrap().access;
    assert_eq!(access("{enabled: true, standalone: false}"), token("https://index.docker.io"));
    assert_eq!(access("{enabled: true, indexendpoint: https://a.example}"), token("https://a.example"));
    assert_eq!(access("{enabled: true, disabletokenauth: true}"), V1Access::Open);
}

/// The images of version 1 in version 2: with version 1 beside it or without, and never behind its back.
#[test]
fn its_images_can_be_shown_by_version_2() {
    let loaded = read("{version2: true}");
    assert!(loaded.warnings.is_empty() && loaded.hindrances.is_empty());
    let v1 = loaded.config.v1.unwrap();
    assert_eq!((v1.spoken, v1.shown, v1.exclusive), (false, true, false));
    let v1 = read("{enabled: true, exclusive: true, version2: true}").config.v1.unwrap();
    assert_eq!((v1.spoken, v1.shown, v1.exclusive), (true, true, false));

    let hindered = |rest: &str| {
        let v1 = "{enabled: true, version2: true, indexendpoint: https://index.example}";
        let text = format!("version: 0.1\nstorage: inmemory\n{rest}\nv1: {v1}\n");
        Config::parse(&text, "config.yml").unwrap().hindrances
    };
    let hindrances = hindered("");
    assert_eq!(hindrances.len(), 1, "{hindrances:?}");
    assert_eq!(hindrances[0].key, "v1.version2");
    assert!(hindrances[0].message.contains("an index says who may read these images"), "{hindrances:?}");
    for said in ["auth: none", "auth: {htpasswd: {realm: a, path: /etc/users}}"] {
        assert!(hindered(said).is_empty(), "{said}");
    }

    let text =
        "version: 0.1\nstorage: inmemory\nv1: {version2: true}\nproxy: {remoteurl: https://a.example}\n";
    let error = Config::parse(text, "config.yml").unwrap_err().to_string();
    assert!(error.starts_with("config.yml:3:6: v1.version2: ") && error.contains("proxy"), "{error}");
}

#[test]
fn a_wrong_url_is_refused() {
    let text = "version: 0.1\nstorage: inmemory\nv1: {enabled: true, mirroring: {source: example.org}}\n";
    let error = Config::parse(text, "config.yml").unwrap_err().to_string();
    assert!(error.starts_with("config.yml:3:41: v1.mirroring.source: found \"example.org\""), "{error}");
}
