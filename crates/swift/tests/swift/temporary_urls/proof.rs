//! On the fake: clusters that have no temporary URLs, or others, or none any more.

use std::time::Duration;

use apus_fake_swift::{Action, Digest, FakeSwift, Fault, Feature, Interface, Options};
use apus_storage::{ByteRange, ErrorKind, Freshness, Storage, UrlMethod, WriteMode};
use apus_swift::{Entity, Password, SwiftConfig, SwiftStorage, TemporaryUrlError, TemporaryUrlSupport};
use http::{HeaderMap, Method, StatusCode};

use super::outside::{Owner, get, nobody};
use super::{MINUTE, try_url, until, url};
use crate::dynamic::{base, raw, write};
use crate::support::{CONTAINER, fake, fake_config, forget, name, random, storage};

const FIRST: &str = "x-container-meta-temp-url-key";
const PROBE: &str = "apus/probes/temporary-url";

/// A fake Swift, and how to use it.
async fn set_up(change: impl FnOnce(&mut Options)) -> (FakeSwift, SwiftConfig) {
    let fake = fake(change).await;
    let config = fake_config(&fake);
    (fake, config)
}

/// The same, with proofs that do not last.
async fn impatient() -> (FakeSwift, SwiftConfig) {
    let (fake, mut config) = set_up(|_| ()).await;
    config.temporary_urls.proof_interval = Duration::from_millis(50);
    (fake, config)
}

async fn owner(fake: &FakeSwift) -> Owner {
    Owner::sign_in(&fake.auth_url_v1(), "test:tester", "testing").await
}

fn refuse(method: Method, path: &str) -> Fault {
    let action = Action::Status(StatusCode::FORBIDDEN, HeaderMap::new());
    Fault { method: Some(method), path_contains: path.to_owned(), ..Fault::always(action) }
}

fn refuse_signatures() -> Fault {
    let action = Action::Status(StatusCode::UNAUTHORIZED, HeaderMap::new());
    Fault { path_contains: "temp_url_sig".to_owned(), ..Fault::always(action) }
}

/// Requests to set a key.
fn posts(fake: &FakeSwift) -> usize {
    fake.count(|request| request.method == Method::POST && request.kind.is_storage())
}

/// Requests by temporary URLs.
fn fetches(fake: &FakeSwift) -> usize {
    fake.count(|request| request.query.contains("temp_url_sig"))
}

async fn assert_works(storage: &SwiftStorage) {
    let content = random(100);
    storage.write(&name("o"), content.clone().into(), WriteMode::Replace).await.unwrap();
    until(storage, "there is no URL that works", async |url| match url {
        Some(url) => get(&url).await.body == content,
        None => false,
    })
    .await;
}

#[tokio::test]
async fn a_cluster_without_them_is_left_alone() {
    let (fake, config) = set_up(|options| options.without.push(Feature::TemporaryUrls)).await;
    let storage = storage(&config);
    let error = storage.prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::NoMiddleware), "{error:?}");
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    assert_eq!((posts(&fake), fake.object_names(CONTAINER).len()), (0, 0));
}

#[tokio::test]
async fn a_cluster_that_lies_about_them_is_found_out() {
    let (_fake, mut config) = set_up(|options| options.without.push(Feature::TemporaryUrls)).await;
    let methods = vec!["GET".to_owned(), "HEAD".to_owned()];
    config.capabilities.temporary_urls = Some(TemporaryUrlSupport { methods, digests: Vec::new() });
    let storage = storage(&config);
    let error = storage.prove_temporary_urls().await.unwrap_err();
    // Two keys, the container's and the account's, by three digests.
    assert!(matches!(error, TemporaryUrlError::Refused { tried, .. } if tried >= 3), "{error:?}");
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
}

#[tokio::test]
async fn the_strongest_digest_that_the_cluster_takes_is_used() {
    for (digests, expected) in [
        (vec![Digest::Sha1], "sha1"),
        (vec![Digest::Sha1, Digest::Sha256], "sha256"),
        (Digest::ALL.to_vec(), "sha512"),
    ] {
        for info in [true, false] {
            let digests = digests.clone();
            let (_fake, config) = set_up(|options| {
                options.tempurl_digests = digests;
                options.info = info;
            })
            .await;
            let storage = storage(&config);
            assert_eq!(storage.prove_temporary_urls().await.unwrap().digest.as_str(), expected);
            assert_works(&storage).await;
        }
    }
}

#[tokio::test]
async fn a_digest_can_be_chosen() {
    let (_fake, mut config) = set_up(|_| ()).await;
    config.capabilities.temporary_urls =
        Some(TemporaryUrlSupport { methods: vec!["GET".to_owned()], digests: vec!["sha256".to_owned()] });
    let storage = storage(&config);
    assert_eq!(storage.prove_temporary_urls().await.unwrap().digest.as_str(), "sha256");
    assert_works(&storage).await;
    // HEAD is not among the methods.
    assert_eq!(try_url(&storage, "o", UrlMethod::Head), None);
}

#[tokio::test]
async fn a_cluster_that_gives_nothing_to_read_has_none() {
    let (_fake, config) = set_up(|options| options.tempurl_methods = vec![Method::PUT]).await;
    let error = storage(&config).prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::NoMethod { .. }), "{error:?}");
}

#[tokio::test]
async fn the_first_use_begins_the_proof_and_does_not_wait_for_it() {
    let (fake, config) = set_up(|_| ()).await;
    let storage = storage(&config);
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    until(&storage, "there is no URL", async |url| url.is_some()).await;
    assert_works(&storage).await;
    assert_eq!(fake.object_names(CONTAINER), [PROBE, "files/o"]);
}

/// What was proven stays so without use; with use it is proven again, which costs one request.
#[tokio::test]
async fn a_proof_is_made_anew_by_one_request() {
    let (fake, config) = set_up(|_| ()).await;
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();
    forget(&fake);
    storage.prove_temporary_urls().await.unwrap();
    let requests = fake.take_requests();
    let asked: Vec<_> =
        requests.iter().map(|request| (request.method.as_str(), request.authenticated)).collect();
    assert_eq!(asked, [("GET", false)]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn refusals_after_the_start_are_noticed_and_so_is_their_end() {
    let (fake, config) = impatient().await;
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();
    assert_works(&storage).await;

    // A front end that takes the query away, or a middleware that was removed.
    fake.fault(refuse_signatures());
    until(&storage, "URLs are given out that do not work", async |url| url.is_none()).await;
    fake.clear_faults();
    until(&storage, "no URLs are given out again", async |url| url.is_some()).await;
    assert_works(&storage).await;

    // The key is taken away: another is found or made.
    owner(&fake).await.set(CONTAINER, FIRST, "").await;
    assert_works(&storage).await;
    owner(&fake).await.set(CONTAINER, FIRST, "another").await;
    assert_works(&storage).await;
    assert_eq!(owner(&fake).await.keys(CONTAINER).await, ["another", ""]);
}

#[tokio::test]
async fn what_does_not_work_is_tried_again_but_seldom() {
    let (fake, config) = set_up(|_| ()).await;
    fake.fault(refuse_signatures());
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap_err();
    let tried = fetches(&fake);
    assert!(tried > 0);
    for _ in 0..1000 {
        assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fetches(&fake), tried);
}

/// Nobody has asked for so long that a key may have been replaced meanwhile: the first who asks gets no URL.
#[tokio::test]
async fn an_old_proof_is_not_believed() {
    let (_fake, config) = impatient().await;
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();
    tokio::time::sleep(config.temporary_urls.proof_interval * 11).await;
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    assert_works(&storage).await;
}

#[tokio::test]
async fn many_that_ask_at_once_cause_one_proof() {
    let (fake, config) = set_up(|_| ()).await;
    let storage = storage(&config);
    for _ in 0..1000 {
        let _ = try_url(&storage, "o", UrlMethod::Get);
    }
    until(&storage, "there is no URL", async |url| url.is_some()).await;
    // The first fetch finds no probe, the second finds it.
    assert_eq!((posts(&fake), fetches(&fake)), (1, 2));
}

#[tokio::test]
async fn without_the_right_to_set_a_key_there_are_none() {
    let (fake, config) = set_up(|options| options.containers.push(CONTAINER.to_owned())).await;
    let account = fake.storage_url(Interface::Public).rsplit_once('/').unwrap().1.to_owned();
    let may_look = Action::Delay(Duration::ZERO);
    fake.fault(Fault {
        path_contains: format!("/{CONTAINER}"),
        method: Some(Method::HEAD),
        ..Fault::always(may_look)
    });
    fake.fault(refuse(Method::POST, &format!("{account}/{CONTAINER}")));
    fake.fault(refuse(Method::HEAD, &account));
    let storage = storage(&config);
    let error = storage.prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::NoKey { source: Some(_), .. }), "{error:?}");
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    assert_eq!(fetches(&fake), 0);
}

#[tokio::test]
async fn clients_are_sent_to_the_public_host() {
    let (fake, mut config) = set_up(|_| ()).await;
    let here = fake.storage_url(Interface::Public);
    let (origin, _) = here.split_once("/v1/").unwrap();
    // Another name of the same host.
    let public = origin.replace("127.0.0.1", "localhost");
    config.temporary_urls.public_host = Some(public.clone());
    let storage = storage(&config);
    let proof = storage.prove_temporary_urls().await.unwrap();
    assert!(proof.host.starts_with("localhost:"), "{proof:?}");
    assert!(url(&storage, "o").starts_with(&format!("{public}/v1/")));
    assert_works(&storage).await;
}

/// Over an endpoint for the cloud's own network nobody is sent to it, unless it is said where clients find the object store.
#[tokio::test]
async fn an_internal_endpoint_is_not_handed_out() {
    for interface in [apus_swift::Interface::Internal, apus_swift::Interface::Admin] {
        let (fake, mut config) = set_up(|_| ()).await;
        config.interface = interface;
        let hidden = storage(&config);
        let error = hidden.prove_temporary_urls().await.unwrap_err();
        assert!(matches!(error, TemporaryUrlError::Inward { .. }), "{error:?}");
        assert!(error.advice().contains("tempurlhost"), "{}", error.advice());
        assert_eq!(try_url(&hidden, "o", UrlMethod::Get), None);
        assert_eq!((posts(&fake), fetches(&fake)), (0, 0));

        let public = fake.storage_url(Interface::Public);
        let (origin, _) = public.split_once("/v1/").unwrap();
        config.temporary_urls.public_host = Some(origin.to_owned());
        let shown = storage(&config);
        shown.prove_temporary_urls().await.unwrap();
        assert!(url(&shown, "o").starts_with(origin));
        assert_works(&shown).await;
    }
}

#[tokio::test]
async fn a_public_host_that_is_not_the_object_store_is_found_out() {
    let (_fake, config) = set_up(|_| ()).await;
    let elsewhere = fake(|_| ()).await;
    let other = elsewhere.storage_url(Interface::Public);
    let (_reserved, nobody) = nobody();
    let nobody = format!("http://{nobody}");
    for (host, reachable) in [(other.split_once("/v1/").unwrap().0, true), (&*nobody, false)] {
        let mut config = config.clone();
        config.temporary_urls.public_host = Some(host.to_owned());
        let storage = storage(&config);
        let error = storage.prove_temporary_urls().await.unwrap_err();
        let unreachable = matches!(error, TemporaryUrlError::Unreachable { .. });
        assert_eq!(unreachable, !reachable, "{error:?}");
        assert!(error.to_string().contains(host.strip_prefix("http://").unwrap()), "{error}");
        assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    }
}

/// What Swift would send poorly is read here, as soon as it was looked at: a dynamic large object of many segments.
#[tokio::test]
async fn a_large_object_of_registry_2_is_not_handed_out() {
    let (fake, config) = set_up(|options| options.container_listing_limit = 2).await;
    fake.create_container(CONTAINER);
    let raw = raw(&config);
    let parts = [random(10), random(10), random(10)];
    write(&raw, &["files/many"], &base("", "many"), &parts).await;
    write(&raw, &["files/few"], &base("", "few"), &parts[..1]).await;
    for look in [true, false] {
        let storage = storage(&config);
        storage.prove_temporary_urls().await.unwrap();
        for (object, size) in [("many", 30), ("few", 10)] {
            assert!(try_url(&storage, object, UrlMethod::Get).is_some(), "it was not met yet");
            let (name, any) = (name(object), Freshness::Any);
            let info = if look {
                storage.stat(&name, any).await.unwrap().unwrap()
            } else {
                storage.read(&name, ByteRange::Full, any).await.unwrap().unwrap().info
            };
            assert_eq!(info.size, size);
        }
        assert_eq!(try_url(&storage, "many", UrlMethod::Get), None);
        assert!(get(&url(&storage, "few")).await.body == parts[0]);
    }
}

#[tokio::test]
async fn another_object_in_place_of_the_probe_is_no_proof() {
    let (fake, config) = set_up(|_| ()).await;
    fake.create_container(CONTAINER);
    fake.put_object(CONTAINER, PROBE, "something else");
    let error = storage(&config).prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::Elsewhere { .. }), "{error:?}");
}

#[tokio::test]
async fn hp_clouds_manner_takes_a_key_that_is_set_elsewhere() {
    let (fake, mut config) = set_up(|_| ()).await;
    config.temporary_urls.access_key = Some("access".to_owned());
    config.temporary_urls.key = Some("sesame".into());
    let error = storage(&config).prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::NoProjectId), "{error:?}");
    let user = Password::new("tester", "testing").for_project(Entity::Id(Options::default().project_id()));
    config.credentials = user.into();
    // The fake knows no such manner.
    let error = storage(&config).prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::Refused { .. }), "{error:?}");
    assert_eq!(posts(&fake), 0);
    let project = Options::default().project_id();
    let signed =
        fake.requests().iter().any(|request| request.query.contains(&format!("={project}%3Aaccess%3A")));
    assert!(signed);
}

#[tokio::test]
async fn no_debug_output_shows_a_key() {
    let (fake, mut config) = set_up(|_| ()).await;
    config.temporary_urls.key = Some("sesame".into());
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();
    fake.fault(refuse_signatures());
    let error = storage.prove_temporary_urls().await.unwrap_err();
    for text in
        [format!("{storage:?}"), format!("{config:?}"), format!("{error:?} {error} {}", error.advice())]
    {
        assert!(!text.contains("sesame") && !text.contains("temp_url_sig"), "{text}");
    }
}

#[tokio::test]
async fn a_name_that_is_too_long_is_an_error_and_no_url() {
    let (_fake, mut config) = set_up(|_| ()).await;
    config.prefix = "p".repeat(256);
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();
    let object = name(&vec!["c".repeat(223); 4].join("/"));
    let error = storage.temporary_url(&object, UrlMethod::Get, MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}

#[tokio::test]
async fn a_swift_that_is_down_has_none_until_it_is_back() {
    let (mut fake, config) = impatient().await;
    fake.go_away().await.unwrap();
    let storage = storage(&config);
    assert_eq!(try_url(&storage, "o", UrlMethod::Get), None);
    let error = storage.prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::Swift(_)), "{error:?}");
    fake.come_back().await.unwrap();
    until(&storage, "there is no URL", async |url| url.is_some()).await;
}
