//! Which version of the sign-in is taken, and that none is given up for a lower one.

use apus_fake_swift::{FakeSwift, Feature, Interface as Port, Options, RequestKind};
use apus_storage::{ErrorKind, Freshness, Storage};
use apus_swift::{ApplicationCredential, AuthVersion, Entity, Interface, Password, SwiftConfig};

use crate::support::{CONTAINER, fake, name, real_v3, storage};

async fn without(features: &[Feature]) -> FakeSwift {
    fake(|options| options.without = features.to_vec()).await
}

fn user() -> Password {
    Password::new("tester", "testing").for_project("test")
}

/// Where it signed in, in the order in which it was asked.
fn asked(fake: &FakeSwift) -> Vec<String> {
    let requests = fake.take_requests();
    let sign_ins = requests.iter().filter(|request| request.kind == RequestKind::SignIn);
    sign_ins.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn version_2_in_all_its_forms() {
    let fake = without(&[]).await;
    let options = Options::default();
    let (user_id, project_id) = (Entity::Id(options.user_id()), Entity::Id(options.project_id()));
    for user in [
        user(),
        Password::new("test:tester", "testing"),
        Password::new("tester", "testing").for_project(project_id.clone()),
        Password::new(user_id, "testing").for_project(project_id),
    ] {
        for interface in [Interface::Public, Interface::Internal] {
            let mut config = SwiftConfig::new(fake.auth_url_v2(), user.clone(), CONTAINER);
            config.interface = interface;
            config.region = Some(options.region.clone());
            storage(&config).check().await.unwrap();
            let port = if interface == Interface::Public { Port::Public } else { Port::Internal };
            let requests = fake.requests();
            assert!(
                requests
                    .iter()
                    .filter(|request| request.kind.is_storage())
                    .all(|request| request.interface == port)
            );
            assert_eq!(asked(&fake), ["POST /v2.0/tokens"]);
        }
    }
    let mut config = SwiftConfig::new(fake.auth_url_v2(), user(), CONTAINER);
    config.region = Some("Atlantis".to_owned());
    let error = storage(&config).check().await.unwrap_err();
    assert!(error.report().contains("it has: public RegionOne, internal RegionOne, admin RegionOne"));
}

#[tokio::test]
async fn the_highest_version_that_is_offered_is_taken() {
    for (absent, expected) in [(&[][..], "POST /v3/auth/tokens"), (&[Feature::SignInV3], "POST /v2.0/tokens")]
    {
        let fake = without(absent).await;
        storage(&SwiftConfig::new(fake.auth_url(), user(), CONTAINER)).check().await.unwrap();
        assert_eq!(asked(&fake), ["GET /", expected]);
    }
}

/// What was found is found once, not with every sign-in.
#[tokio::test]
async fn the_version_is_asked_for_once() {
    let fake = without(&[]).await;
    let storage = storage(&SwiftConfig::new(fake.auth_url(), user(), CONTAINER));
    for _ in 0..3 {
        storage.stat(&name("o"), Freshness::Any).await.unwrap();
        fake.expire_tokens();
    }
    assert_eq!(
        asked(&fake),
        ["GET /", "POST /v3/auth/tokens", "POST /v3/auth/tokens", "POST /v3/auth/tokens"]
    );
}

#[tokio::test]
async fn what_is_found_is_not_given_up_for_less() {
    // Version 3 refuses; version 2 and version 1 would not.
    let fake = without(&[]).await;
    let nobody =
        Password::new(Entity::named("tester").in_domain(apus_swift::Domain::Name("x".into())), "testing");
    let config = SwiftConfig::new(fake.auth_url(), nobody.for_project("test"), CONTAINER);
    let error = storage(&config).check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{}", error.report());
    assert!(error.report().contains("/v3/auth/tokens answered 401"), "{}", error.report());
    assert_eq!(asked(&fake), ["GET /", "POST /v3/auth/tokens"]);

    // A version that is said but not there.
    let fake = without(&[Feature::SignInV3]).await;
    let error = storage(&SwiftConfig::new(fake.auth_url_v3(), user(), CONTAINER)).check().await.unwrap_err();
    assert!(error.report().contains("/v3/auth/tokens"), "{}", error.report());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn what_no_version_on_offer_can_do_is_said() {
    let fake = without(&[Feature::SignInV3]).await;
    let credential = ApplicationCredential::new("id", "s3cret");
    let error = storage(&SwiftConfig::new(fake.auth_url(), credential, CONTAINER)).check().await.unwrap_err();
    let report = error.report();
    assert!(report.contains("v2.0 as the highest version") && report.contains("needs version 3"), "{report}");
    assert_eq!(asked(&fake), ["GET /"]);
}

#[tokio::test]
async fn what_is_no_identity_service_is_said_to_be_none_and_gets_no_password() {
    let fake = without(&[Feature::SignInV2, Feature::SignInV3]).await;
    for url in [fake.auth_url(), fake.storage_url(Port::Public)] {
        let error = storage(&SwiftConfig::new(&url, user(), CONTAINER)).check().await.unwrap_err();
        let report = error.report();
        assert_eq!(error.kind(), ErrorKind::Denied, "{report}");
        for said in [&*url, "does not say how to sign in", "GET there", "authversion"] {
            assert!(report.contains(said), "{said:?} is not in: {report}");
        }
    }
    assert_eq!(fake.count(|request| request.method != http::Method::GET), 0);
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
    config.auth_url = root.clone();
    storage(&config).check().await.unwrap();

    // It has no version 2 any more, and says so.
    config.auth_version = Some(AuthVersion::V2);
    let error = storage(&config).check().await.unwrap_err();
    assert!(error.report().contains(&format!("{root}/v2.0/tokens")), "{}", error.report());
}
