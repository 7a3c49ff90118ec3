//! TempAuth, Keystone, tokens and what they allow.

use std::time::Duration;

use apus_fake_swift::{FakeSwift, Interface, Options};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply, bench, bench_with, split};

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

async fn keystone(fake: &FakeSwift, user: Value, scope: Option<Value>) -> Reply {
    let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
    if let Some(scope) = scope {
        auth["scope"] = scope;
    }
    let (_, path) = split(&fake.auth_url_v3());
    let body = json!({"auth": auth}).to_string();
    Client::stranger(fake).ask(Method::POST, &format!("{path}/auth/tokens"), &[], body).await
}

#[tokio::test]
async fn keystone_knows_user_and_project_by_name_and_by_id() {
    let options = Options::default();
    let fake = FakeSwift::start(options.clone()).await.unwrap();
    let users = [
        json!({"name": "tester", "domain": {"name": "Default"}, "password": "testing"}),
        json!({"name": "tester", "domain": {"id": "default"}, "password": "testing"}),
        json!({"id": options.user_id(), "password": "testing"}),
    ];
    let projects = [
        json!({"name": "test", "domain": {"name": "Default"}}),
        json!({"name": "test", "domain": {"id": "default"}}),
        json!({"id": options.project_id()}),
    ];
    for (user, project) in users.into_iter().zip(projects) {
        let reply = keystone(&fake, user, Some(json!({"project": project}))).await;
        assert_eq!(reply.status, 201);
        let token = reply.json()["token"].clone();
        let store = token["catalog"].as_array().unwrap().iter().find(|entry| entry["type"] == "object-store");
        let url = |interface: &str| {
            let endpoints = store.unwrap()["endpoints"].as_array().unwrap();
            let endpoint = endpoints.iter().find(|endpoint| endpoint["interface"] == interface).unwrap();
            assert_eq!(endpoint["region"], "RegionOne");
            endpoint["url"].as_str().unwrap().to_owned()
        };
        assert_eq!(url("public"), fake.storage_url(Interface::Public));
        assert_eq!(url("internal"), fake.storage_url(Interface::Internal));
        assert_eq!(url("admin"), url("internal"));
        assert_ne!(url("public"), url("internal"));

        let mut client = Client::stranger(&fake);
        client.token = Some(reply.header("x-subject-token").to_owned());
        assert_eq!(client.ask(Method::HEAD, &client.account, &[], "").await.status, 204);
    }
}

#[tokio::test]
async fn keystone_gives_an_unscoped_token_no_catalog() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let user = json!({"name": "tester", "domain": {"name": "Default"}, "password": "testing"});
    let reply = keystone(&fake, user, None).await;
    assert_eq!(reply.status, 201);
    assert!(reply.json()["token"].get("catalog").is_none());
    let mut client = Client::stranger(&fake);
    client.token = Some(reply.header("x-subject-token").to_owned());
    assert_eq!(client.ask(Method::HEAD, &client.account, &[], "").await.status, 403);
}

#[tokio::test]
async fn keystone_refuses_in_its_own_words() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let domain = json!({"name": "Default"});
    let user = |name: &str, password: &str| json!({"name": name, "domain": domain, "password": password});
    let project = |name: &str| Some(json!({"project": {"name": name, "domain": domain}}));
    for (user, scope) in [
        (user("tester", "guess"), project("test")),
        (user("nobody", "testing"), project("test")),
        (user("tester", "testing"), project("none")),
        (json!({"name": "tester", "domain": {"id": "Default"}, "password": "testing"}), project("test")),
    ] {
        let reply = keystone(&fake, user, scope).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.json()["error"]["code"], 401);
        assert_eq!(reply.json()["error"]["title"], "Unauthorized");
    }
    let reply = keystone(&fake, json!({"name": "tester", "password": "testing"}), project("test")).await;
    assert_eq!(reply.status, 400);
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Expecting to find domain in user."), "{message}");
}

#[tokio::test]
async fn keystone_tells_its_version() {
    let bench = bench().await;
    let (_, path) = split(&bench.fake.auth_url_v3());
    let reply = bench.client.ask(Method::GET, &path, &[], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["version"]["id"], "v3.14");
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
    let bench = bench_with(Options { token_life: Duration::from_millis(300), ..Options::default() }).await;
    assert_eq!(bench.client.put("o", "data").await.status, 201);
    tokio::time::sleep(Duration::from_millis(350)).await;
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
