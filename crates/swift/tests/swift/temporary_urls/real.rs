//! On the real Swift: what a URL opens, and what it does not; and which keys it is signed with.

use std::time::{Duration, Instant};

use apus_storage::{Storage, UrlMethod, WriteMode};
use apus_swift::{SwiftConfig, SwiftStorage, TemporaryUrlError, TemporaryUrlScope};
use bytes::Bytes;
use http::{Method, StatusCode};

use super::outside::{Owner, get, send};
use super::{MINUTE, PATIENCE, try_url, until, url};
use crate::support::{MEBIBYTE, name, publish, random, real_v1, storage, variable};

const FIRST: &str = "x-container-meta-temp-url-key";
const SECOND: &str = "x-container-meta-temp-url-key-2";

/// A container of the real Swift for one test, and its owner.
struct Own {
    owner: Owner,
    container: String,
    config: SwiftConfig,
}

impl Own {
    async fn new() -> Self {
        let owner = Owner::sign_in(&variable("ST_AUTH"), &variable("ST_USER"), &variable("ST_KEY")).await;
        let container = format!("apus-urls-{:016x}", rand::random::<u64>());
        owner.must(Method::PUT, &container, &[]).await;
        let config = real_v1(&container);
        Self { owner, container, config }
    }

    async fn set(&self, header: &str, key: &str) {
        self.owner.set(&self.container, header, key).await;
    }

    async fn keys(&self) -> [String; 2] {
        self.owner.keys(&self.container).await
    }

    async fn remove(self) {
        self.owner.remove(&self.container).await;
    }
}

async fn write(storage: &SwiftStorage, object: &str, content: &Bytes) {
    storage.write(&name(object), content.clone().into(), WriteMode::Replace).await.unwrap();
}

async fn assert_gives(url: &str, content: &Bytes) {
    let answer = get(url).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, content.len()));
    assert!(answer.body == *content, "other bytes came");
}

/// A URL that could write, and a manifest that points elsewhere, opened all of an account in CVE-2015-5223. None is made
/// for anything but reading.
#[tokio::test]
async fn a_url_opens_one_object_for_reading_and_nothing_else() {
    let own = Own::new().await;
    let storage = storage(&own.config);
    storage.prove_temporary_urls().await.unwrap();
    let (content, other) = (random(1000), random(1000));
    write(&storage, "o", &content).await;
    write(&storage, "other", &other).await;

    let to_get = url(&storage, "o");
    let to_head = try_url(&storage, "o", UrlMethod::Head).unwrap();
    assert_gives(&to_get, &content).await;
    for url in [&to_get, &to_head] {
        let answer = send(Method::HEAD, url, &[], Bytes::new()).await;
        assert_eq!((answer.status, answer.header("content-length")), (StatusCode::OK, Some("1000")));
    }
    assert_eq!(get(&to_head).await.status, StatusCode::UNAUTHORIZED);
    for method in [Method::PUT, Method::POST, Method::DELETE] {
        for url in [&to_get, &to_head] {
            let answer = send(method.clone(), url, &[("x-object-manifest", "a/b")], random(10)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method}");
        }
    }
    // What is signed is the path and the end.
    for changed in [
        to_get.replace("/files/o?", "/files/other?"),
        to_get.replace("/files/o?", "/?"),
        to_get.replace("/files/o?", "?"),
        to_get.replace("temp_url_expires=", "temp_url_expires=1"),
        to_get.split_once('?').unwrap().0.to_owned(),
    ] {
        assert_eq!(get(&changed).await.status, StatusCode::UNAUTHORIZED, "{changed}");
    }
    assert_gives(&to_get, &content).await;
    own.remove().await;
}

#[tokio::test]
async fn a_url_ends() {
    let own = Own::new().await;
    let storage = storage(&own.config);
    storage.prove_temporary_urls().await.unwrap();
    write(&storage, "o", &random(10)).await;
    let life = Duration::from_secs(3);
    let url = storage.temporary_url(&name("o"), UrlMethod::Get, life).await.unwrap().unwrap();
    let begun = Instant::now();
    let mut status = get(&url).await.status;
    // A machine may be so slow that the first look comes too late.
    assert!(status == StatusCode::OK || begun.elapsed() > Duration::from_secs(1), "{status}");
    while status == StatusCode::OK {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(200)).await;
        status = get(&url).await.status;
    }
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    own.remove().await;
}

#[tokio::test]
async fn names_are_signed_as_swift_sees_them() {
    let own = Own::new().await;
    for prefix in ["", "a b%/ü", "with/slash/", "q?x=1&y#z"] {
        let mut config = own.config.clone();
        prefix.clone_into(&mut config.prefix);
        let storage = storage(&config);
        storage.prove_temporary_urls().await.unwrap();
        for object in
            ["plain", "ob ject+%", "per%20cent", "q?x=1&temp_url_sig=1#f", "Ünï/cödé/鳥", "a;b=c:d@e,f'g\"h"]
        {
            let content = random(100);
            write(&storage, object, &content).await;
            assert_gives(&url(&storage, object), &content).await;
            storage.delete(&[name(object)]).await[0].as_ref().unwrap();
        }
    }
    own.remove().await;
}

#[tokio::test]
async fn large_objects_come_whole() {
    let own = Own::new().await;
    let mut config = own.config.clone();
    config.segment_size = 1 << 20;
    let storage = storage(&config);
    storage.prove_temporary_urls().await.unwrap();

    let content = random(3 * MEBIBYTE + 5);
    publish(&storage, "s", "static", &content).await;
    let to_static = url(&storage, "static");
    assert_gives(&to_static, &content).await;
    let border = format!("bytes={}-{}", MEBIBYTE - 5, MEBIBYTE + 4);
    let part = send(Method::GET, &to_static, &[("range", &*border)], Bytes::new()).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert!(part.body == content[MEBIBYTE - 5..MEBIBYTE + 5]);

    // As registry:2 wrote them.
    let container = &own.container;
    for (number, part) in content.chunks(MEBIBYTE).enumerate() {
        let path = format!("{container}/segments/abc/def/{:016}", number + 1);
        let answer = own.owner.ask(Method::PUT, &path, &[], Bytes::copy_from_slice(part)).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let manifest = format!("{container}/segments/abc/def");
    let headers = [("x-object-manifest", &*manifest)];
    own.owner.must(Method::PUT, &format!("{container}/files/dynamic"), &headers).await;
    assert_gives(&url(&storage, "dynamic"), &content).await;

    storage.delete(&[name("static")]).await[0].as_ref().unwrap();
    own.remove().await;
}

#[tokio::test]
async fn the_key_that_is_there_is_used_and_kept() {
    let own = Own::new().await;
    own.set(FIRST, "somebody's").await;
    let storage = storage(&own.config);
    let proof = storage.prove_temporary_urls().await.unwrap();
    assert_eq!((proof.digest.as_str(), proof.scope), ("sha512", Some(TemporaryUrlScope::Container)));
    assert_eq!(own.keys().await, ["somebody's", ""]);
    own.remove().await;
}

#[tokio::test]
async fn a_key_is_made_up_where_none_is_and_shared_by_all() {
    let own = Own::new().await;
    let mut config = own.config.clone();
    config.temporary_urls.proof_interval = Duration::from_millis(100);
    let (one, other) = (storage(&config), storage(&config));
    let (first, second) = tokio::join!(one.prove_temporary_urls(), other.prove_temporary_urls());
    first.unwrap();
    second.unwrap();
    let keys = own.keys().await;
    assert_eq!(keys.each_ref().map(String::len), [64, 0]);
    let content = random(100);
    write(&one, "o", &content).await;
    for storage in [&one, &other] {
        until(storage, "its URLs do not work", async |url| match url {
            Some(url) => get(&url).await.status == StatusCode::OK,
            None => false,
        })
        .await;
    }
    assert_eq!(own.keys().await, keys);
    own.remove().await;
}

#[tokio::test]
async fn a_key_can_be_replaced_while_the_other_serves() {
    let own = Own::new().await;
    own.set(FIRST, "old").await;
    let storage = storage(&own.config);
    storage.prove_temporary_urls().await.unwrap();
    let content = random(100);
    write(&storage, "o", &content).await;
    let by_old = url(&storage, "o");
    own.set(SECOND, "new").await;
    assert_gives(&by_old, &content).await;
    assert_gives(&url(&storage, "o"), &content).await;

    // The old key goes, and from the next proof on the new one signs.
    own.set(FIRST, "").await;
    assert_eq!(get(&by_old).await.status, StatusCode::UNAUTHORIZED);
    storage.prove_temporary_urls().await.unwrap();
    assert_gives(&url(&storage, "o"), &content).await;
    assert_eq!(own.keys().await, ["", "new"]);
    own.remove().await;
}

#[tokio::test]
async fn a_configured_key_is_set_where_no_other_is() {
    let own = Own::new().await;
    let mut config = own.config.clone();
    config.temporary_urls.key = Some("configured".into());
    for (before, after) in [
        (["", ""], ["configured", ""]),
        (["foreign", ""], ["foreign", "configured"]),
        (["", "foreign"], ["configured", "foreign"]),
        (["foreign", "strange"], ["foreign", "strange"]),
        (["foreign", "configured"], ["foreign", "configured"]),
    ] {
        own.set(FIRST, before[0]).await;
        own.set(SECOND, before[1]).await;
        let storage = storage(&config);
        storage.prove_temporary_urls().await.unwrap();
        assert_eq!(own.keys().await, after, "{before:?}");
        let content = random(100);
        write(&storage, "o", &content).await;
        let signed = url(&storage, "o");
        assert_gives(&signed, &content).await;
        if after.contains(&"configured") {
            // It is the one that signs.
            own.set(FIRST, "configured").await;
            own.set(SECOND, "").await;
            assert_gives(&signed, &content).await;
        }
    }
    own.remove().await;
}

/// A user of one account may use a container of another by its access lists, but is shown no key and can set none.
#[tokio::test]
async fn who_may_not_set_a_key_gives_out_no_url() {
    let keystone = keystone_owner().await;
    let container = format!("apus-urls-{:016x}", rand::random::<u64>());
    let user = variable("ST_USER");
    let lists = [("x-container-read", &*user), ("x-container-write", &*user)];
    keystone.must(Method::PUT, &container, &lists).await;
    let mut config = guest_of(&keystone, &container);
    let guest = storage(&config);
    let content = random(100);
    write(&guest, "o", &content).await;
    let error = guest.prove_temporary_urls().await.unwrap_err();
    assert!(matches!(error, TemporaryUrlError::NoKey { .. }), "{error:?}");
    assert!(error.advice().contains("X-Container-Meta-Temp-URL-Key"), "{}", error.advice());
    assert_eq!(try_url(&guest, "o", UrlMethod::Get), None);
    assert_eq!(keystone.keys(&container).await, ["", ""]);

    // With a key that the owner has set and told, no right is needed.
    keystone.set(&container, FIRST, "told").await;
    config.temporary_urls.key = Some("told".into());
    let guest = storage(&config);
    guest.prove_temporary_urls().await.unwrap();
    assert_gives(&url(&guest, "o"), &content).await;
    keystone.remove(&container).await;
}

/// How the user of version 1 comes to a container of another account.
pub(crate) fn guest_of(owner: &Owner, container: &str) -> SwiftConfig {
    let mut config = real_v1(container);
    // The other account, as the proxy shows it where this user signs in.
    let (proxy, _) = config.auth_url.split_once("/auth/").unwrap();
    let (_, account) = owner.storage_url.split_once("/v1/").unwrap();
    config.storage_url = Some(format!("{proxy}/v1/{account}"));
    config
}

/// The owner of the account that version 3 signs in to.
pub(crate) async fn keystone_owner() -> Owner {
    let body = serde_json::json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": variable("OS_USERNAME"),
            "domain": { "name": variable("OS_USER_DOMAIN_NAME") },
            "password": variable("OS_PASSWORD"),
        } } },
        "scope": { "project": {
            "name": variable("OS_PROJECT_NAME"),
            "domain": { "name": variable("OS_PROJECT_DOMAIN_NAME") },
        } },
    } });
    let url = format!("{}/auth/tokens", variable("OS_AUTH_URL"));
    let headers = [("content-type", "application/json")];
    let answer = send(Method::POST, &url, &headers, body.to_string().into()).await;
    let token: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let catalog = token["token"]["catalog"].as_array().unwrap();
    let store = catalog.iter().find(|service| service["type"] == "object-store").unwrap();
    let storage_url = store["endpoints"][0]["url"].as_str().unwrap();
    Owner::with_token(storage_url, answer.header("x-subject-token").unwrap())
}

#[tokio::test]
async fn the_account_s_key_signs_where_it_is_wanted() {
    let own = Own::new().await;
    let name = "x-account-meta-temp-url-key-2";
    let key = format!("{:032x}", rand::random::<u128>());
    own.owner.must(Method::POST, "", &[(name, &*key)]).await;
    let mut config = own.config.clone();
    config.temporary_urls.key_scope = Some(TemporaryUrlScope::Account);
    let storage = storage(&config);
    let proof = storage.prove_temporary_urls().await.unwrap();
    assert_eq!(proof.scope, Some(TemporaryUrlScope::Account));
    assert_eq!(own.keys().await, ["", ""]);
    let content = random(100);
    write(&storage, "o", &content).await;
    let lifetime = MINUTE;
    let url =
        storage.temporary_url(&crate::support::name("o"), UrlMethod::Get, lifetime).await.unwrap().unwrap();
    assert_gives(&url, &content).await;
    own.owner.must(Method::POST, "", &[(name, "")]).await;
    own.remove().await;
}
