use std::num::NonZeroU32;
use std::time::Duration;

use apus_config::{FileCheck, HttpCheck, TcpCheck};
use apus_storage::MemoryStorage;

use super::*;

const PACE: HealthPace = HealthPace { interval: Duration::from_secs(10), threshold: NonZeroU32::MIN };

fn http(uri: &str) -> HttpCheck {
    HttpCheck {
        uri: uri.to_owned(),
        headers: http::HeaderMap::new(),
        status: StatusCode::OK,
        timeout: None,
        pace: PACE,
    }
}

/// As registry:2 names them; but no secret is shown, and each has a name of its own.
#[test]
fn checks_have_the_names_of_registry_2() {
    let config = HealthConfig {
        storage: Some(PACE),
        files: vec![FileCheck { path: "/run/down".into(), pace: PACE }],
        http: ["http://a/b?key=hunter2", "http://a/b?key=other", "http://a/b (2)", "https://a"]
            .map(|uri| http(&uri.replace(' ', "%20")))
            .into(),
        tcp: vec![TcpCheck { address: "redis:6379".to_owned(), timeout: None, pace: PACE }],
    };
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let checks = checks(&config, &StorageDriver::InMemory, &storage).unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "storagedriver_inmemory",
            "/run/down",
            "http://a/b",
            "http://a/b (2)",
            "http://a/b%20(2)",
            "https://a",
            "redis:6379"
        ]
    );
    assert!(self::checks(&HealthConfig::default(), &StorageDriver::InMemory, &storage).unwrap().is_empty());
}

#[test]
fn equal_names_get_numbers() {
    let check =
        |path: &str| Check { name: path.to_owned(), probe: Probe::File(path.into()), pace: pace(PACE) };
    let mut checks = ["a", "a", "a (2)", "a"].map(check);
    tell_apart(&mut checks);
    assert_eq!(checks.map(|check| check.name), ["a", "a (2)", "a (2) (2)", "a (3)"]);
}

#[test]
fn nothing_that_fails_is_registry_2_s_empty_object() {
    let page = in_form_of_registry_2(&Health::new(Vec::new()));
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[http::header::CONTENT_TYPE], "application/json; charset=utf-8");
    assert_eq!(page.body().as_ref(), b"{}");
}
