//! Who is let in: by an index that is asked, by a key, by today's sign-in.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use apus_storage::BoxError;
use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use super::support::*;
use crate::{Index, Needs, Right, SignIn, TokenKey, TokenKeys, V1, V1Options};

const TOKEN: &str = r#"Token signature=ABC,repository="acme/webapp",access=read"#;

/// An index that knows one token's repository and the images in it, and says of each image the same; what it was asked.
struct AnIndex {
    status: AtomicU16,
    access: Mutex<bool>,
    asked: Mutex<Vec<(String, String)>>,
}

async fn with_index() -> (Arc<AnIndex>, Arc<apus_storage::MemoryStorage>, V1) {
    let index =
        Arc::new(AnIndex { status: AtomicU16::new(200), access: Mutex::new(true), asked: Mutex::default() });
    let answering = Arc::clone(&index);
    let address = serve(move |_, path, headers| {
        let index = Arc::clone(&answering);
        async move {
            let shown = headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap()).to_owned();
            let body = if path.ends_with("/access") {
                format!(r#"{{"access": {}}}"#, *index.access.lock().unwrap())
            } else {
                format!(r#"[{{"id": "{NEW}"}}, {{"id": "{TOP}"}}]"#)
            };
            index.asked.lock().unwrap().push((path, shown));
            full(index.status.load(Ordering::Relaxed), &[("content-type", "application/json")], body)
        }
    })
    .await;
    let storage = sample().await;
    let sign_in = SignIn::Index(Box::new(Index::new(outgoing(), &format!("http://{address}/"))));
    let v1 = over(&storage, V1Options { sign_in, standalone: false, ..V1Options::default() });
    (index, storage, v1)
}

async fn as_read(v1: &V1, path: &str) -> Told {
    ask(v1, Method::GET, path, &[("authorization", TOKEN)], "").await
}

#[tokio::test]
async fn the_index_is_shown_the_token() {
    let (index, storage, v1) = with_index().await;
    let closed = get(&v1, "/v1/repositories/acme/webapp/tags").await;
    assert_eq!(closed.error(), (401, "Requires authorization".to_owned()));
    assert_eq!(closed.header("www-authenticate"), "Token");
    assert_eq!(index.asked.lock().unwrap().len(), 0);
    // Ping and search are for all.
    assert_eq!(get(&v1, "/v1/_ping").await.status, 200);
    assert_eq!(get(&v1, "/v1/search?q=x").await.status, 200);

    assert_eq!(as_read(&v1, "/v1/repositories/acme/webapp/tags").await.status, 200);
    let asked = index.asked.lock().unwrap().clone();
    assert_eq!(asked, [("/v1/repositories/acme/webapp/images".to_owned(), TOKEN.to_owned())]);
    // A reading writes nothing.
    assert_eq!(content(&storage, "repositories/acme/webapp/_images_list").await, None);
    assert_eq!(as_read(&v1, "/v1/repositories/base/tags").await.status, 401, "another repository's");
    let written =
        put_to(&v1, "/v1/repositories/acme/webapp/tags/x", &[("authorization", TOKEN)], "\"x\"").await;
    assert_eq!(written.status, 401, "a token to read with");

    index.status.store(403, Ordering::Relaxed);
    assert_eq!(as_read(&v1, "/v1/repositories/acme/webapp/tags").await.status, 401);
    // Nobody knows: that is neither yes nor no.
    index.status.store(503, Ordering::Relaxed);
    let unknown = as_read(&v1, "/v1/repositories/acme/webapp/tags").await;
    assert!(unknown.status == 503 && !unknown.header("retry-after").is_empty(), "{unknown:?}");
}

/// Trap: HEAD with a token to read with was 401.
#[tokio::test]
async fn head_is_a_reading() {
    let (_index, _storage, v1) = with_index().await;
    for path in ["/v1/repositories/acme/webapp/tags".to_owned(), format!("/v1/images/{TOP}/layer")] {
        let told = ask(&v1, Method::HEAD, &path, &[("authorization", TOKEN)], "").await;
        assert_eq!(told.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_push_by_an_index() {
    let (index, storage, v1) = with_index().await;
    let token = "token Token signature=ABC, repository=acme/webapp, access=write";
    let with = [("authorization", token)];
    push(&v1, NEW, Some(TOP), "x", &with).await;
    assert!(
        index.asked.lock().unwrap().iter().any(|(path, _)| path.ends_with(&format!("/layer/{TOP}/access")))
    );
    let list = content(&storage, "repositories/acme/webapp/_images_list").await.unwrap();
    assert_eq!(list, format!(r#"["{NEW}", "{TOP}"]"#));
    let other = "00000000000000000000000000000000000000000000000000000000000000bb";
    let foreign = put_to(&v1, &format!("/v1/images/{other}/json"), &with, json_of(other, None)).await;
    assert_eq!(foreign.error(), (400, "This image does not belong to the repository".to_owned()));

    *index.access.lock().unwrap() = false;
    let parent = "115a9d267f094c530e4f5519e5a0a6a127742ed83a1205b033be6bac1c1e044f";
    let denied = put_to(&v1, &format!("/v1/images/{TOP}/json"), &with, json_of(TOP, Some(parent))).await;
    assert_eq!(denied.error(), (400, "Image depends on an unauthorized parent".to_owned()));
}

/// Only some of what belongs to a private repository was kept from others, and what had not changed was told to anyone.
#[tokio::test]
async fn the_private_flag_is_enforced() {
    let (index, _storage, v1) = with_index().await;
    let paths = ["json", "layer", "ancestry", "files", "diff"].map(|part| format!("/v1/images/{TOP}/{part}"));
    for path in &paths {
        let told = as_read(&v1, path).await;
        assert_eq!(told.status, 200, "{path}");
        assert!(told.header("cache-control").starts_with("private"), "{told:?}");
    }
    *index.access.lock().unwrap() = false;
    for path in &paths {
        let since = [("authorization", TOKEN), ("if-modified-since", "x")];
        for headers in [&since[..1], &since[..]] {
            let told = ask(&v1, Method::GET, path, headers, "").await;
            assert_eq!(told.error(), (404, "Image not found".to_owned()), "{path}");
        }
    }
    assert!(!get(&v1, "/v1/search?q=").await.text().contains("webapp"));
}

/// Trap: `X-Signature` never let anyone in, and one that made no sense was an error of the server.
#[tokio::test]
async fn the_privileged_key_lets_in() {
    let (index, storage, _) = with_index().await;
    let folder = std::env::temp_dir();
    let file = folder.join(format!("apus-v1-{:x}.pem", rand::random::<u64>()));
    std::fs::write(&file, include_str!("signature/public.pem")).unwrap();
    let privileged_key = Some(crate::PrivilegedKey::read(&file).unwrap());
    std::fs::remove_file(&file).unwrap();
    let sign_in = SignIn::Index(Box::new(Index::new(outgoing(), "http://127.0.0.1:9")));
    let v1 = over(&storage, V1Options { sign_in, privileged_key, ..V1Options::default() });
    let path = "/v1/repositories/acme/webapp/tags";
    // Made by: openssl dgst -sha1 -sign private.pem, of the message that stands in signature/message.txt.
    let signature = include_str!("signature/signature.txt").trim();
    let header = format!("data={signature}");
    let signed = [("x-docker-endpoints", "b"), ("x-docker-token", "true"), ("x-signature", &*header)];
    assert_eq!(ask(&v1, Method::GET, path, &signed, "").await.status, 200);
    let other = [("x-docker-token", "false"), ("x-signature", &*header)];
    assert_eq!(ask(&v1, Method::GET, path, &other, "").await.status, 401);
    for nonsense in ["", "data", "data=", "data=!", "x"] {
        let told = ask(&v1, Method::GET, path, &[("x-signature", nonsense)], "").await;
        assert_eq!(told.status, 401, "{nonsense}");
    }
    assert_eq!(index.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_needed_of_todays_sign_in() {
    let v1 = over(
        &Arc::default(),
        V1Options { sign_in: SignIn::Today(Box::new(TokenKey::new(b"secret"))), ..V1Options::default() },
    );
    let needs = async |method: Method, path: &str| v1.needs(&method, path, &HeaderMap::new()).await.unwrap();
    let of = |name: &str, right| Needs::Repository(name.to_owned(), right);
    assert_eq!(needs(Method::GET, "/v1/_ping").await, Needs::Nothing);
    assert_eq!(needs(Method::GET, "/v1/users/").await, Needs::SignedIn);
    assert_eq!(needs(Method::GET, "/v1/search").await, Needs::Catalog);
    assert_eq!(needs(Method::GET, "/v1/repositories/base/tags").await, of("base", Right::Read));
    assert_eq!(needs(Method::HEAD, "/v1/repositories/library/base/images").await, of("base", Right::Read));
    assert_eq!(needs(Method::PUT, "/v1/repositories/a/b/c/").await, of("a/b/c", Right::Write));
    assert_eq!(needs(Method::DELETE, "/v1/repositories/a/b").await, of("a/b", Right::Delete));
    assert_eq!(
        needs(Method::GET, &format!("/v1/images/{TOP}/json")).await,
        Needs::AnyRepository(Right::Read)
    );
    let open = over(&Arc::default(), V1Options::default());
    let open = open.needs(&Method::PUT, "/v1/repositories/a/b/", &HeaderMap::new()).await;
    assert_eq!(open.unwrap(), Needs::Nothing);
}

#[derive(Debug)]
struct NoKey;

#[async_trait]
impl TokenKeys for NoKey {
    async fn key(&self) -> Result<TokenKey, BoxError> {
        Err("storage is away".into())
    }
}

/// A token of our own carries a right from the route where it was proven to those that name no repository.
#[tokio::test]
async fn tokens_of_our_own() {
    let storage = sample().await;
    let today = |secret: &[u8]| V1Options {
        sign_in: SignIn::Today(Box::new(TokenKey::new(secret))),
        ..V1Options::default()
    };
    let v1 = over(&storage, today(b"secret"));
    let mut proven = call(Method::GET, "/v1/repositories/acme/webapp/images", &[], "");
    proven.signed_in = true;
    let token = answered(&v1, proven).await.header("x-docker-token").to_owned();
    assert!(token.contains(r#"repository="acme/webapp",access=read,expires="#), "{token}");
    let needs = async |v1: &V1, method: Method, path: &str, token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, token.parse().unwrap());
        v1.needs(&method, path, &headers).await.unwrap()
    };
    let layer = format!("/v1/images/{TOP}/layer");
    let docker = format!("Token {token}");
    assert_eq!(needs(&v1, Method::GET, &layer, &docker).await, Needs::Nothing);
    assert_eq!(needs(&v1, Method::GET, "/v1/repositories/acme/webapp/tags", &docker).await, Needs::Nothing);
    assert_eq!(needs(&v1, Method::PUT, &layer, &docker).await, Needs::AnyRepository(Right::Write));
    assert_ne!(needs(&v1, Method::GET, "/v1/repositories/base/tags", &docker).await, Needs::Nothing);
    assert_ne!(needs(&v1, Method::GET, "/v1/search", &docker).await, Needs::Nothing);
    for forged in [
        token.replace("acme", "acmf"),
        token.replace("read", "write"),
        token.replace("expires=", "expires=9"),
    ] {
        assert_eq!(
            needs(&v1, Method::GET, &layer, &forged).await,
            Needs::AnyRepository(Right::Read),
            "{forged}"
        );
    }
    // A replica with the same secret believes it, one with another does not.
    assert_eq!(needs(&over(&storage, today(b"secret")), Method::GET, &layer, &token).await, Needs::Nothing);
    assert_eq!(
        needs(&over(&storage, today(b"other")), Method::GET, &layer, &token).await,
        Needs::AnyRepository(Right::Read)
    );

    // Where the key cannot be had it is not known who shows a token, and nobody is let in or turned away.
    let keyless =
        over(&storage, V1Options { sign_in: SignIn::Today(Box::new(NoKey)), ..V1Options::default() });
    let mut headers = HeaderMap::new();
    assert_eq!(
        keyless.needs(&Method::GET, &layer, &headers).await.unwrap(),
        Needs::AnyRepository(Right::Read)
    );
    headers.insert(AUTHORIZATION, docker.parse().unwrap());
    assert!(keyless.needs(&Method::GET, &layer, &headers).await.is_err());
    let tags = "/v1/repositories/acme/webapp/tags";
    let told = ask(&keyless, Method::GET, tags, &[("authorization", &docker)], "").await;
    assert_eq!((told.status, told.header("retry-after").is_empty()), (503, false));
    let mut proven = call(Method::GET, "/v1/repositories/acme/webapp/images", &[], "");
    proven.signed_in = true;
    assert_eq!(answered(&keyless, proven).await.status, 503);

    // Whoever has not signed in does not see what is private, whatever a policy says of everyone.
    for path in ["tags", "tags/dev", "images", "json", "properties"] {
        let path = format!("/v1/repositories/acme/webapp/{path}");
        assert_eq!(get(&v1, &path).await.status, 404, "{path}");
        let mut signed_in = call(Method::GET, &path, &[], "");
        signed_in.signed_in = true;
        assert_eq!(answered(&v1, signed_in).await.status, 200, "{path}");
        assert_eq!(
            ask(&v1, Method::GET, &path, &[("authorization", &docker)], "").await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(get(&v1, "/v1/repositories/base/tags").await.status, 200);
}
