//! Signing in, in all its ways, and what is said when it fails.

use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Interface as Port, RequestKind};
use apus_storage::{ErrorKind, StorageError};
use apus_swift::{AuthVersion, Interface, SwiftConfig};

use crate::support::{CONTAINER, fake, fake_config, real_v1, real_v3, storage};

async fn refused(config: &SwiftConfig) -> StorageError {
    storage(config).check().await.unwrap_err()
}

/// That signing in fails for good, and that the report says all of this and not the password.
async fn assert_denied(config: &SwiftConfig, said: &[&str]) {
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Denied, "{}", error.report());
    assert_says(&error, said);
}

fn assert_says(error: &StorageError, said: &[&str]) {
    let report = error.report();
    for said in said {
        assert!(report.contains(said), "{said:?} is not in: {report}");
    }
    for output in [&report, &format!("{error:?}"), &format!("{error:#?}")] {
        assert!(!output.contains("s3cret") && !output.contains("testing"), "{output}");
    }
}

#[tokio::test]
async fn both_versions_and_all_interfaces_of_the_fake() {
    let fake = fake(|_| ()).await;
    let v1 = SwiftConfig::new(fake.auth_url_v1(), "test:tester", "testing", CONTAINER);
    storage(&v1).check().await.unwrap();
    let mut v3 = fake_config(&fake);
    storage(&v3).check().await.unwrap();
    assert_eq!(ports(&fake), [Port::Public]);
    v3.interface = Interface::Internal;
    storage(&v3).check().await.unwrap();
    assert_eq!(ports(&fake), [Port::Internal]);

    let mut by_id = fake_config(&fake);
    let options = apus_fake_swift::Options::default();
    (by_id.user_id, by_id.tenant_id) = (Some(options.user_id()), Some(options.project_id()));
    (by_id.user, by_id.tenant) = ("nobody".to_owned(), Some("nothing".to_owned()));
    storage(&by_id).check().await.unwrap();

    let mut domains = fake_config(&fake);
    domains.domain_id = Some("default".to_owned());
    domains.tenant_domain = Some("Default".to_owned());
    domains.region = Some(options.region);
    storage(&domains).check().await.unwrap();
}

fn ports(fake: &FakeSwift) -> Vec<Port> {
    let mut ports: Vec<Port> = fake
        .take_requests()
        .iter()
        .filter(|request| request.kind.is_storage())
        .map(|request| request.interface)
        .collect();
    ports.dedup();
    ports
}

#[tokio::test]
async fn a_storage_url_that_is_given_is_used_as_it_is() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.storage_url = Some(format!("{}/", fake.storage_url(Port::Internal)));
    config.region = Some("nowhere".to_owned());
    storage(&config).check().await.unwrap();
    assert_eq!(ports(&fake), [Port::Internal]);
}

#[tokio::test]
async fn a_real_keystone_says_what_it_is() {
    let given = real_v3(CONTAINER);
    let root = given.auth_url.trim_end_matches('/').trim_end_matches("/v3").to_owned();
    for url in [root.clone(), format!("{root}/"), format!("{root}/v3/")] {
        let mut config = given.clone();
        config.auth_url = url;
        storage(&config).check().await.unwrap();
    }
    let mut config = given;
    config.auth_version = Some(AuthVersion::V3);
    config.auth_url = root;
    config.domain = None;
    config.tenant_domain = None;
    storage(&config).check().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_wrong() {
    let fake = fake(|_| ()).await;
    let mut configs = [
        SwiftConfig::new(fake.auth_url_v1(), "test:tester", "", CONTAINER),
        fake_config(&fake),
        real_v1(CONTAINER),
        real_v3(CONTAINER),
    ];
    for config in &mut configs {
        config.password = "s3cret".into();
        // The user of a real Keystone may be named as its password is.
        config.user = config.user.replace("tester", "someone");
        assert_denied(config, &["401", &config.user, &config.auth_url, "check username, password"]).await;
    }
}

#[tokio::test]
async fn a_missing_project_is_named() {
    let mut config = real_v3(CONTAINER);
    config.tenant = None;
    assert_denied(&config, &["tenant", "tenantid"]).await;
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.tenant = None;
    assert_denied(&config, &["tenant", "tenantid"]).await;
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named_and_so_are_those_that_are() {
    let mut config = real_v3(CONTAINER);
    config.region = Some("Atlantis".to_owned());
    assert_denied(&config, &["public Atlantis", "public RegionOne", "set region and endpointtype"]).await;
}

#[tokio::test]
async fn what_is_no_identity_service_is_said_to_be_none() {
    let fake = fake(|_| ()).await;
    let storage_url = fake.storage_url(Port::Public);
    let (host, _) = storage_url.split_once("/v1").unwrap();
    let config = SwiftConfig::new(host, "user", "s3cret", CONTAINER);
    assert_denied(&config, &["does not say how to sign in", "authversion"]).await;
    let config = SwiftConfig::new("http://127.0.0.1:9/v2.0", "user", "s3cret", CONTAINER);
    assert_denied(&config, &["version 2"]).await;
}

#[tokio::test]
async fn an_unreachable_service_is_named_with_the_cause_and_not_asked_by_each_caller() {
    let mut fake = fake(|_| ()).await;
    let config = fake_config(&fake);
    fake.go_away().await.unwrap();
    let storage = storage(&config);
    let error = storage.check().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }));
    assert_says(&error, &[&config.auth_url, "cannot be reached", "refused", "check authurl"]);

    // Whoever comes directly after gets the same answer at once: each sign-in of its own would take a second.
    let begun = Instant::now();
    for _ in 0..100 {
        storage.check().await.unwrap_err();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    fake.come_back().await.unwrap();
    let begun = Instant::now();
    while let Err(error) = storage.check().await {
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", error.report());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_and_again() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.password = "s3cret".into();
    let storage = storage(&config);
    for _ in 0..100 {
        storage.check().await.unwrap_err();
    }
    assert_eq!(fake.count(|request| request.kind == RequestKind::SignIn), 1);
}

#[tokio::test]
async fn a_container_that_cannot_be_made_is_named() {
    let fake = fake(|options| options.may_create_containers = false).await;
    let config = fake_config(&fake);
    assert_denied(&config, &["container \"registry\"", "403", "none can be made", "role"]).await;
    fake.create_container(CONTAINER);
    storage(&config).check().await.unwrap();
}

#[tokio::test]
async fn many_who_come_first_sign_in_once() {
    let fake = fake(|_| ()).await;
    let storage = storage(&fake_config(&fake));
    let checks: Vec<_> = (0..50)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.check().await.unwrap() })
        })
        .collect();
    for check in checks {
        check.await.unwrap();
    }
    assert_eq!(fake.count(|request| request.kind == RequestKind::SignIn), 1);
    assert_eq!(fake.count(|request| request.kind == RequestKind::Info), 1);
    assert_eq!(fake.count(|request| request.kind == RequestKind::Container), 2);
}
