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
fn tokens_of_an_index_are_asked_for_where_nothing_is_said() {
    let loaded = read("{enabled: true}");
    let index_endpoint = "https://index.docker.io".to_owned();
    assert_eq!(loaded.config.v1.unwrap().access, V1Access::Token { index_endpoint });
    assert_eq!(loaded.hindrances[0].key, "v1");
}

#[test]
fn a_wrong_url_is_refused() {
    let text = "version: 0.1\nstorage: inmemory\nv1: {enabled: true, mirroring: {source: example.org}}\n";
    let error = Config::parse(text, "config.yml").unwrap_err().to_string();
    assert!(error.starts_with("config.yml:3:41: v1.mirroring.source: found \"example.org\""), "{error}");
}
