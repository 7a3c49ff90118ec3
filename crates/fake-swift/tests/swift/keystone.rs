//! Keystone: its versions, the ways to sign in, and what it says no with.

use std::time::Duration;

use apus_fake_swift::{FakeSwift, Feature, Interface, Options};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, Reply, split};

/// Signs in with version 3, by one method.
async fn by(fake: &FakeSwift, method: &str, proof: Value, scope: Option<Value>) -> Reply {
    let mut auth = json!({"identity": {"methods": [method], method: proof}});
    if let Some(scope) = scope {
        auth["scope"] = scope;
    }
    post(fake, &format!("{}/auth/tokens", fake.auth_url_v3()), &auth).await
}

async fn by_password(fake: &FakeSwift, user: Value, scope: Option<Value>) -> Reply {
    by(fake, "password", json!({"user": user}), scope).await
}

/// Signs in with version 2.0.
async fn by_v2(fake: &FakeSwift, auth: Value) -> Reply {
    post(fake, &format!("{}/tokens", fake.auth_url_v2()), &auth).await
}

async fn post(fake: &FakeSwift, url: &str, auth: &Value) -> Reply {
    let body = json!({ "auth": auth }).to_string();
    Client::stranger(fake).ask(Method::POST, &split(url).1, &[], body).await
}

async fn get(fake: &FakeSwift, url: &str) -> Reply {
    Client::stranger(fake).ask(Method::GET, &split(url).1, &[], "").await
}

/// The status of a HEAD of the account with this token.
async fn status_with(fake: &FakeSwift, token: &str) -> u16 {
    let mut client = Client::stranger(fake);
    client.token = Some(token.to_owned());
    client.ask(Method::HEAD, &client.account, &[], "").await.status
}

fn tester() -> Value {
    json!({"name": "tester", "domain": {"name": "Default"}, "password": "testing"})
}

fn project() -> Value {
    json!({"project": {"name": "test", "domain": {"name": "Default"}}})
}

/// What a refusal of version 3 or 2.0 says; it has the status in its document again.
fn refusal(reply: &Reply) -> (u16, String) {
    let error = &reply.json()["error"];
    assert_eq!(error["code"], reply.status);
    assert_eq!(reply.headers.contains_key("www-authenticate"), reply.status == 401);
    (reply.status, error["message"].as_str().unwrap().to_owned())
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
        let reply = by_password(&fake, user, Some(json!({"project": project}))).await;
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

        assert_eq!(status_with(&fake, reply.header("x-subject-token")).await, 204);
    }
}

#[tokio::test]
async fn keystone_gives_an_unscoped_token_no_catalog() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    for scope in [None, Some(json!("unscoped")), Some(json!({"unscoped": {}}))] {
        let reply = by_password(&fake, tester(), scope).await;
        assert_eq!(reply.status, 201);
        assert!(reply.json()["token"].get("catalog").is_none());
        assert_eq!(status_with(&fake, reply.header("x-subject-token")).await, 403);
    }
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
        let reply = by_password(&fake, user, scope).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.json()["error"]["code"], 401);
        assert_eq!(reply.json()["error"]["title"], "Unauthorized");
    }
    let reply = by_password(&fake, json!({"name": "tester", "password": "testing"}), project("test")).await;
    assert_eq!(reply.status, 400);
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Expecting to find domain in user."), "{message}");
}

#[tokio::test]
async fn keystone_refuses_what_it_cannot_read() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let url = format!("{}/auth/tokens", split(&fake.auth_url_v3()).1);
    for body in ["{", "[]", "{}", "{\"auth\": {}}", "{\"auth\": {\"identity\": {\"methods\": \"password\"}}}"]
    {
        let reply = Client::stranger(&fake).ask(Method::POST, &url, &[], body).await;
        assert_eq!(refusal(&reply).0, 400, "{body}");
    }
    let reply = by(&fake, "password", json!({}), None).await;
    assert!(refusal(&reply).1.starts_with("Expecting to find user"));
    let reply = by(&fake, "totp", json!({}), None).await;
    assert_eq!(refusal(&reply), (401, "Attempted to authenticate with an unsupported method.".into()));
    for (scope, status) in [
        (json!({}), 400),
        (json!({"project": {}}), 400),
        (json!({"project": {"name": "test"}}), 400),
        (json!({"project": {"id": "none"}}), 401),
        (json!({"domain": {"name": "Default"}}), 401),
        (json!({"OS-TRUST:trust": {}}), 400),
    ] {
        assert_eq!(refusal(&by_password(&fake, tester(), Some(scope.clone())).await).0, status, "{scope}");
    }
}

#[tokio::test]
async fn an_application_credential_is_for_its_project() {
    let options = Options::default();
    let fake = FakeSwift::start(options.clone()).await.unwrap();
    let (id, secret) = (options.application_credential_id(), &options.application_credential_secret);
    let domain = json!({"id": "default"});
    let good = [
        json!({"id": id, "secret": secret}),
        json!({"name": "robot", "secret": secret, "user": {"name": "tester", "domain": domain}}),
        json!({"name": "robot", "secret": secret, "user": {"id": options.user_id()}}),
    ];
    for proof in good {
        let reply = by(&fake, "application_credential", proof, None).await;
        let token = &reply.json()["token"];
        assert_eq!((reply.status, &token["project"]["name"]), (201, &json!("test")));
        assert_eq!(token["application_credential"]["id"], id);
        assert_eq!(token["catalog"][1]["type"], "object-store");
        assert_eq!(status_with(&fake, reply.header("x-subject-token")).await, 204);
    }
    let bad = [
        (json!({"id": id, "secret": "guess"}), 401),
        (json!({"id": id}), 401),
        (json!({"id": "none", "secret": secret}), 404),
        (json!({"name": "none", "secret": secret, "user": {"id": options.user_id()}}), 401),
        (json!({"name": "robot", "secret": secret, "user": {"id": options.trustee_id()}}), 401),
        (json!({"name": "robot", "secret": secret, "user": {"name": "tester"}}), 400),
        (json!({"name": "robot", "secret": secret}), 400),
        (json!({}), 400),
    ];
    for (proof, status) in bad {
        let reply = by(&fake, "application_credential", proof.clone(), None).await;
        assert_eq!(refusal(&reply).0, status, "{proof}");
    }
    let reply =
        by(&fake, "application_credential", json!({"id": id, "secret": secret}), Some(project())).await;
    assert!(refusal(&reply).1.ends_with("Application credentials cannot request a scope."));
}

#[tokio::test]
async fn a_token_is_had_for_a_token() {
    let options = Options { token_life: Duration::from_mins(1), ..Options::default() };
    let fake = FakeSwift::start(options).await.unwrap();
    let unscoped = by_password(&fake, tester(), None).await.header("x-subject-token").to_owned();
    for token in [unscoped, fake.give_token(true), fake.give_token(false)] {
        let reply = by(&fake, "token", json!({ "id": token }), Some(project())).await;
        assert_eq!((reply.status, &reply.json()["token"]["methods"][0]), (201, &json!("token")));
        assert_eq!(status_with(&fake, reply.header("x-subject-token")).await, 204);
    }
    assert_eq!(status_with(&fake, &fake.give_token(true)).await, 204);
    assert_eq!(status_with(&fake, &fake.give_token(false)).await, 403);
    let old = fake.give_token(true);
    fake.expire_tokens();
    for token in [old.as_str(), "guess"] {
        let reply = by(&fake, "token", json!({ "id": token }), Some(project())).await;
        assert_eq!(refusal(&reply), (404, "Could not recognize Fernet token".into()));
    }
    assert_eq!(refusal(&by(&fake, "token", json!({}), None).await).0, 400);
}

#[tokio::test]
async fn a_trustee_acts_for_the_user() {
    let options = Options::default();
    let fake = FakeSwift::start(options.clone()).await.unwrap();
    let trustee = json!({"name": "trustee", "domain": {"id": "default"}, "password": "trusted"});
    let trust = |id: &str| Some(json!({"OS-TRUST:trust": {"id": id}}));
    let reply = by_password(&fake, trustee.clone(), trust(&options.trust_id())).await;
    assert_eq!(reply.status, 201);
    let token = &reply.json()["token"];
    assert_eq!((&token["user"]["name"], &token["project"]["name"]), (&json!("tester"), &json!("test")));
    assert_eq!(token["OS-TRUST:trust"]["trustee_user"]["id"], options.trustee_id());
    assert_eq!(status_with(&fake, reply.header("x-subject-token")).await, 204);

    assert_eq!(refusal(&by_password(&fake, trustee.clone(), trust("none")).await).0, 401);
    assert_eq!(refusal(&by_password(&fake, tester(), trust(&options.trust_id())).await).0, 403);
    assert_eq!(refusal(&by_password(&fake, trustee.clone(), Some(project())).await).0, 401);
    assert_eq!(by_password(&fake, trustee, None).await.status, 201);
}

#[tokio::test]
async fn version_2_knows_tenants() {
    let options = Options::default();
    let fake = FakeSwift::start(options.clone()).await.unwrap();
    let password = json!({"username": "tester", "password": "testing"});
    for tenant in [json!({"tenantName": "test"}), json!({"tenantId": options.project_id()})] {
        let mut auth = tenant;
        auth["passwordCredentials"] = password.clone();
        let reply = by_v2(&fake, auth).await;
        let access = reply.json()["access"].clone();
        assert_eq!((reply.status, &access["token"]["tenant"]["name"]), (200, &json!("test")));
        assert_eq!(access["user"]["username"], "tester");
        let store = &access["serviceCatalog"][1];
        assert_eq!(store["type"], "object-store");
        let endpoint = &store["endpoints"][0];
        assert_eq!(endpoint["region"], "RegionOne");
        assert_eq!(endpoint["publicURL"], fake.storage_url(Interface::Public));
        assert_eq!(endpoint["internalURL"], fake.storage_url(Interface::Internal));
        assert_eq!(endpoint["adminURL"], endpoint["internalURL"]);
        let expires = access["token"]["expires"].as_str().unwrap();
        assert!(expires.parse::<jiff::Timestamp>().is_ok() && expires.len() == 20, "{expires}");
        assert_eq!(status_with(&fake, access["token"]["id"].as_str().unwrap()).await, 204);
    }
    let unscoped = by_v2(&fake, json!({"passwordCredentials": password})).await.json()["access"].clone();
    assert_eq!((unscoped["serviceCatalog"].clone(), unscoped["token"].get("tenant")), (json!([]), None));
    let token = unscoped["token"]["id"].as_str().unwrap();
    assert_eq!(status_with(&fake, token).await, 403);
    let again = by_v2(&fake, json!({"token": {"id": token}, "tenantName": "test"})).await.json();
    assert_eq!(status_with(&fake, again["access"]["token"]["id"].as_str().unwrap()).await, 204);
}

#[tokio::test]
async fn version_2_refuses_in_the_same_words() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let user = |name: &str, password: &str| json!({"username": name, "password": password});
    for (auth, status) in [
        (json!({"tenantName": "test", "passwordCredentials": user("tester", "guess")}), 401),
        (json!({"tenantName": "test", "passwordCredentials": user("nobody", "testing")}), 401),
        (json!({"tenantName": "none", "passwordCredentials": user("tester", "testing")}), 401),
        (json!({"tenantName": "test", "passwordCredentials": user("trustee", "trusted")}), 401),
        (json!({"tenantName": "test", "token": {"id": "guess"}}), 401),
        (json!({"tenantName": "test", "passwordCredentials": {"username": "tester"}}), 400),
        (json!({"tenantName": "test", "passwordCredentials": {"password": "testing"}}), 400),
        (json!({"tenantName": "test"}), 400),
    ] {
        assert_eq!(refusal(&by_v2(&fake, auth.clone()).await).0, status, "{auth}");
    }
}

#[tokio::test]
async fn keystone_tells_its_versions() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let root = get(&fake, &fake.auth_url()).await;
    assert_eq!((root.status, root.header("location")), (300, format!("{}/", fake.auth_url_v3()).as_str()));
    let versions = &root.json()["versions"]["values"];
    assert_eq!((&versions[0]["id"], &versions[1]["id"]), (&json!("v3.14"), &json!("v2.0")));
    for (url, index) in [(fake.auth_url_v3(), 0), (fake.auth_url_v2(), 1)] {
        for url in [format!("{url}/"), url] {
            let reply = get(&fake, &url).await;
            assert_eq!((reply.status, &reply.json()["version"]), (200, &versions[index]), "{url}");
            let own = versions[index]["links"][0]["href"].as_str().unwrap();
            assert_eq!(own.trim_end_matches('/'), url.trim_end_matches('/'));
        }
    }
    assert_eq!(get(&fake, &format!("{}/nothing", fake.auth_url_v3())).await.status, 404);
}

#[tokio::test]
async fn a_version_may_be_missing() {
    let of = async |features: &[Feature]| {
        FakeSwift::start(Options { without: features.to_vec(), ..Options::default() }).await.unwrap()
    };
    let fake = of(&[Feature::SignInV2]).await;
    assert_eq!(get(&fake, &fake.auth_url()).await.json()["versions"]["values"].as_array().unwrap().len(), 1);
    assert_eq!(get(&fake, &fake.auth_url_v2()).await.status, 404);
    assert_eq!(by_password(&fake, tester(), Some(project())).await.status, 201);

    let fake = of(&[Feature::SignInV1, Feature::SignInV3]).await;
    assert_eq!(get(&fake, &fake.auth_url()).await.json()["versions"]["values"][0]["id"], "v2.0");
    assert_eq!(by_password(&fake, tester(), Some(project())).await.status, 404);
    assert_eq!(get(&fake, &fake.auth_url_v1()).await.status, 400);

    let fake = of(&[Feature::SignInV2, Feature::SignInV3]).await;
    assert_eq!(get(&fake, &fake.auth_url()).await.status, 404);
    assert_eq!(get(&fake, &fake.auth_url_v1()).await.status, 401);
}
