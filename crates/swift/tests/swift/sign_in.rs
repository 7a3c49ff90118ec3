//! Signing in, in all its ways, and what is said when it fails: mostly on the fake; the ways of a real Keystone are in
//! `keystone.rs`, the versions in `versions.rs`.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Interface as Port, Options, RequestKind};
use apus_storage::{ErrorKind, Freshness, Storage, StorageError};
use apus_swift::{
    ApplicationCredential, Credentials, Domain, Entity, Interface, Password, Secret, SwiftConfig, Token,
};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::support::{CONTAINER, fake, fake_config, forget, name, real_v1, real_v3, storage};

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

/// That signing in to the fake's Keystone by these works.
async fn assert_signs_in(fake: &FakeSwift, credentials: impl Into<Credentials>) {
    let credentials = credentials.into();
    let config = SwiftConfig::new(fake.auth_url_v3(), credentials.clone(), CONTAINER);
    let outcome = storage(&config).check().await;
    outcome.unwrap_or_else(|error| panic!("{credentials:?}: {}", error.report()));
}

#[tokio::test]
async fn every_way_to_sign_in() {
    let fake = fake(|_| ()).await;
    let v1 = Password::new("test:tester", "testing");
    storage(&SwiftConfig::new(fake.auth_url_v1(), v1, CONTAINER)).check().await.unwrap();

    let Options {
        application_credential: name,
        application_credential_secret: key,
        trustee,
        trustee_password,
        ..
    } = Options::default();
    let options = Options::default();
    let (user, project) = (Entity::Id(options.user_id()), Entity::Id(options.project_id()));
    let domain = || Domain::Name("Default".to_owned());
    let domain_id = || Domain::Id("default".to_owned());
    assert_signs_in(&fake, Password::new("tester", "testing").for_project("test")).await;
    assert_signs_in(&fake, Password::new(user.clone(), "testing").for_project(project.clone())).await;
    let named = |domain| Entity::named("tester").in_domain(domain);
    let of = |domain| Entity::named("test").in_domain(domain);
    assert_signs_in(&fake, Password::new(named(domain()), "testing").for_project(of(domain_id()))).await;
    assert_signs_in(&fake, Password::new(named(domain_id()), "testing").for_project("test")).await;
    assert_signs_in(&fake, Password::new(trustee, trustee_password).by_trust(options.trust_id())).await;
    let id = options.application_credential_id();
    assert_signs_in(&fake, ApplicationCredential::new(id, key.clone())).await;
    assert_signs_in(&fake, ApplicationCredential::named(&name, named(domain()), key.clone())).await;
    assert_signs_in(&fake, ApplicationCredential::named(&name, user, key)).await;
    assert_signs_in(&fake, Token::new(fake.give_token(false)).for_project(project)).await;
    assert_signs_in(&fake, Token::new(fake.give_token(true)).for_project("test")).await;
}

#[tokio::test]
async fn a_catalog_has_an_address_for_each_interface() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    for (interface, port) in [
        (Interface::Public, Port::Public),
        (Interface::Internal, Port::Internal),
        (Interface::Admin, Port::Internal),
    ] {
        config.interface = interface;
        config.region = Some(Options::default().region);
        storage(&config).check().await.unwrap();
        assert_eq!(ports(&fake), [port]);
    }
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

/// The same configuration, but with another password and the name of a user who is not there.
fn with_wrong_password(mut config: SwiftConfig) -> SwiftConfig {
    if let Credentials::Password(password) = &mut config.credentials {
        password.password = "s3cret".into();
        // The user of a real Keystone may be named as its password is.
        if let Entity::Name { name, .. } = &mut password.user {
            *name = name.replace("tester", "someone");
        }
    }
    config
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_wrong() {
    let fake = fake(|_| ()).await;
    let v1 = SwiftConfig::new(fake.auth_url_v1(), Password::new("test:tester", ""), CONTAINER);
    let v2 = Password::new("test:tester", "");
    let v2 = SwiftConfig::new(fake.auth_url_v2(), v2, CONTAINER);
    for config in [v1, v2, fake_config(&fake), real_v1(CONTAINER), real_v3(CONTAINER)] {
        let config = with_wrong_password(config);
        assert_denied(&config, &["401", "someone", &config.auth_url, "check username, password"]).await;
    }
}

#[tokio::test]
async fn a_wrong_application_credential_and_a_wrong_token_are_said_to_be_wrong() {
    let fake = fake(|_| ()).await;
    let with = |credentials: Credentials| SwiftConfig::new(fake.auth_url_v3(), credentials, CONTAINER);
    let credential = with(ApplicationCredential::new("nobody", "s3cret").into());
    let said = ["application credential \"nobody\"", "404", "has not expired"];
    assert_denied(&credential, &said).await;
    let credential = with(ApplicationCredential::named("robot", "tester", "s3cret").into());
    assert_denied(&credential, &["application credential \"robot\" of user \"tester\""]).await;
    let token = with(Token::new("s3cret").for_project("test").into());
    assert_denied(&token, &["the token", "give a new one"]).await;
    let trust = with(Password::new("tester", "testing").by_trust("nothing").into());
    assert_denied(&trust, &["user \"tester\" by trust \"nothing\"", "trustid"]).await;
}

#[tokio::test]
async fn a_missing_project_is_named() {
    let fake = fake(|_| ()).await;
    let user = Password::new("tester", "testing");
    for url in [fake.auth_url_v2(), fake.auth_url_v3()] {
        let config = SwiftConfig::new(url, user.clone(), CONTAINER);
        assert_denied(&config, &["tenant", "tenantid", "OS_PROJECT_NAME"]).await;
        // Also where nobody has to look into the catalog.
        let mut config = config;
        config.storage_url = Some(fake.storage_url(Port::Public));
        assert_denied(&config, &["without a project"]).await;
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named_and_so_are_those_that_are() {
    let mut config = real_v3(CONTAINER);
    config.region = Some("Atlantis".to_owned());
    assert_denied(&config, &["public Atlantis", "public RegionOne", "set region and endpointtype"]).await;
}

#[tokio::test]
async fn a_service_without_a_certificate_that_is_believed_is_said_to_have_none() {
    let fake = fake(|_| ()).await;
    let mut config = fake_config(&fake);
    config.auth_url = config.auth_url.replace("http:", "https:");
    let error = refused(&config).await;
    assert_says(&error, &[&config.auth_url, "no TLS", "cacert"]);

    // The object store may have another authority than the identity service.
    let mut config = fake_config(&fake);
    let url = fake.storage_url(Port::Public);
    config.storage_url = Some(url.replace("http:", "https:"));
    let error = storage(&config).stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }), "{}", error.report());
    assert_says(&error, &["no TLS", "cacert", "OS_CACERT"]);
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

fn sign_ins(fake: &FakeSwift) -> usize {
    fake.count(|request| request.kind == RequestKind::SignIn)
}

/// A Keystone locks out a user for whom too many wrong passwords are tried.
#[tokio::test]
async fn a_wrong_password_is_tried_once_for_all_who_come_at_once_or_one_after_the_other() {
    let fake = fake(|_| ()).await;
    let storage = storage(&with_wrong_password(fake_config(&fake)));
    let together: Vec<_> = (0..50)
        .map(|_| {
            let storage = storage.clone();
            tokio::spawn(async move { storage.check().await.unwrap_err().kind() })
        })
        .collect();
    for check in together {
        assert_eq!(check.await.unwrap(), ErrorKind::Denied);
    }
    for _ in 0..100 {
        storage.check().await.unwrap_err();
    }
    assert_eq!(sign_ins(&fake), 1);
}

/// The task that signs in is nobody's: those who wait may go away.
#[tokio::test]
async fn a_sign_in_is_not_begun_anew_when_those_who_wait_go_away() {
    let fake = fake(|_| ()).await;
    let delay = Action::Delay(Duration::from_secs(1));
    fake.fault(Fault { path_contains: "/auth/tokens".to_owned(), ..Fault::always(delay) });
    let storage = storage(&fake_config(&fake));
    for _ in 0..10 {
        let _ = tokio::time::timeout(Duration::from_millis(20), storage.check()).await;
    }
    storage.check().await.unwrap();
    assert_eq!(sign_ins(&fake), 1);
}

#[tokio::test]
async fn a_keystone_that_asks_to_wait_is_left_alone_for_so_long() {
    let fake = fake(|_| ()).await;
    let busy = |seconds: &'static str| {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, seconds.parse().unwrap())]);
        let action = Action::Status(StatusCode::TOO_MANY_REQUESTS, headers);
        Fault { path_contains: "/auth/tokens".to_owned(), ..Fault::once(action) }
    };
    // A short wait is waited.
    fake.fault(busy("2"));
    let begun = Instant::now();
    storage(&fake_config(&fake)).check().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(sign_ins(&fake), 2);

    // A long one is said to whoever asks, and Keystone is not asked meanwhile.
    forget(&fake);
    fake.fault(busy("30"));
    let storage = storage(&fake_config(&fake));
    for _ in 0..100 {
        let error = storage.check().await.unwrap_err();
        let asked = ErrorKind::Unavailable { retry_after: Some(Duration::from_secs(30)) };
        assert_eq!(error.kind(), asked, "{}", error.report());
    }
    assert_eq!(sign_ins(&fake), 1);
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_at_each_sign_in() {
    let fake = fake(|_| ()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    let user = Password::new("tester", Secret::file(&file)).for_project("test");
    let config = SwiftConfig::new(fake.auth_url_v3(), user, CONTAINER);
    assert_denied(&config, &[file.to_str().unwrap(), "cannot be read", "put the secret there"]).await;

    let storage = storage(&config);
    std::fs::write(&file, "testing\n").unwrap();
    storage.check().await.unwrap();
    std::fs::write(&file, "s3cret\n").unwrap();
    storage.stat(&name("o"), Freshness::Any).await.unwrap();
    fake.expire_tokens();
    let error = storage.stat(&name("o"), Freshness::Any).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["401", "check username, password"]);
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
    assert_eq!(sign_ins(&fake), 1);
    assert_eq!(fake.count(|request| request.kind == RequestKind::Info), 1);
    assert_eq!(fake.count(|request| request.kind == RequestKind::Container), 2);
}
