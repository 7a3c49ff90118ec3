//! TempAuth, and tokens of any kind: what they allow, and how long.

use std::time::Duration;

use apus_fake_swift::{FakeSwift, Interface, Options};
use http::Method;
use serde_json::json;

use crate::client::{Client, bench, bench_with, split};

#[tokio::test]
async fn tempauth_gives_a_token_and_the_account() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let (_, path) = split(&fake.auth_url_v1());
    let client = Client::stranger(&fake);
    let good = [("x-auth-user", "test:tester"), ("x-auth-key", "testing")];
    let reply = client.ask(Method::GET, &path, &good, "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-storage-url"), fake.storage_url(Interface::Public));
    assert_eq!(reply.header("x-auth-token-expires"), "86400");
    assert!(reply.header("x-auth-token").starts_with("AUTH_tk"));

    let again = client.ask(Method::GET, &path, &good, "").await;
    assert_eq!(again.header("x-auth-token"), reply.header("x-auth-token"), "a good token is given out again");

    let wrong_key = [("x-auth-user", "test:tester"), ("x-auth-key", "guess")];
    let wrong_user = [("x-auth-user", "test:nobody"), ("x-auth-key", "testing")];
    for headers in [&wrong_key[..], &wrong_user[..], &[]] {
        let reply = client.ask(Method::GET, &path, headers, "").await;
        assert_eq!(reply.status, 401, "{headers:?}");
        assert!(reply.header("www-authenticate").starts_with("Swift realm="));
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_account_and_its_time() {
    let bench = bench().await;
    let mut client = bench.client.clone();
    assert_eq!(client.ask(Method::GET, "/v1/AUTH_other", &[], "").await.status, 403);
    bench.fake.expire_tokens();
    let reply = client.put("o", "data").await;
    assert_eq!(reply.status, 401);
    assert!(reply.header("www-authenticate").contains(client.account.trim_start_matches("/v1/")));
    client = Client::signed_in(&bench.fake).await;
    assert_eq!(client.put("o", "data").await.status, 201);
    client.token = None;
    assert_eq!(client.get("o").await.status, 401);
}

#[tokio::test]
async fn a_token_ages() {
    let bench = bench_with(Options { token_life: Duration::from_secs(1), ..Options::default() }).await;
    assert_eq!(bench.client.put("o", "data").await.status, 201);
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert_eq!(bench.client.get("o").await.status, 401);
    assert_ne!(Client::signed_in(&bench.fake).await.token, bench.client.token);
}

/// Swift asks late who is there: with a token of Keystone's that has expired, requests that work through many
/// objects are carried out as far as the first question, and say so inside.
#[tokio::test]
async fn an_expired_keystone_token_shows_only_inside_some_answers() {
    let bench = bench().await;
    let mut client = bench.client.clone();
    client.put("segment", "data").await;
    client.put_large("large", &["segment"]).await;
    client.token = Some("gAAAAABexpired".into());
    let json = [("accept", "application/json")];

    let path = client.path("new?multipart-manifest=put");
    let manifest = json!([{"path": "/box/segment"}]).to_string();
    let reply = client.ask(Method::PUT, &path, &json, manifest).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["Errors"], json!([["/box/segment", "401 Unauthorized"]]));

    let reply = client.delete_with("large?multipart-manifest=delete", &json).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["Errors"], json!([["/box/large", "401 Unauthorized"]]));

    let path = format!("{}?bulk-delete", client.account);
    let reply = client.ask(Method::POST, &path, &json, "/box/large").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["Errors"], json!([["/box/large", "401 Unauthorized"]]));

    assert_eq!(client.get("large").await.status, 401);
    assert_eq!(bench.fake.object_names("box"), ["large", "segment"]);
}
