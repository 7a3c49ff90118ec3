//! What is spoken beside version 1. Clients that know both ask for version 2 first, and stay with it where it is.

use hyper::Method;
use sha2::{Digest as _, Sha256};

use super::Old;
use crate::support::{Apus, Backend};

/// The user alice with the password wonderland, as htpasswd writes it.
pub(super) const ALICE: &str = "alice:$2b$04$Y7BEUAj4.lFWDTQ8PYGzZes..Hcc37Hv7GQ51jwYvKd9FWAuo6ghe";

/// An old configuration speaks version 1 alone, as docker-registry 0.x did.
#[tokio::test]
async fn an_old_configuration_speaks_nothing_else() {
    let old = Old::in_directory().with_sample().await;
    let apus = old.start();
    let client = apus.client();
    for path in ["/v2/", "/v2/_catalog"] {
        let absent = client.get(path).await.expect(404);
        assert!(!absent.headers.contains_key("docker-distribution-api-version"), "{absent:?}");
    }
    let root = client.get("/").await.expect(200);
    assert_eq!(root.body, "\"\\\"docker-registry server\\\"\"");
    client.get("/v1/_ping").await.expect(200);
    let found = client.get("/v1/search?q=bas").await.expect(200);
    assert!(found.body.starts_with(b"{\"num_results\": 1"), "{found:?}");
    // A name that is longer than a file's can be.
    client.get(&format!("/v1/repositories/a/{}/tags", "b".repeat(300))).await.expect(400);
}

/// A configuration of today speaks both by one switch, over one store.
#[tokio::test]
async fn one_switch_turns_it_on_beside_version_2() {
    let off = Apus::start(Backend::memory().storage());
    off.client().get("/v1/_ping").await.expect(404);
    drop(off);
    let backend = Backend::filesystem();
    let apus = Apus::start_with(backend.storage(), "v1: {enabled: true}");
    let client = apus.client();
    let base = client.get("/v2/").await.expect(200);
    assert_eq!(base.header("docker-distribution-api-version"), "registry/2.0");
    let ping = client.get("/v1/_ping").await.expect(200);
    assert!(!ping.headers.contains_key("docker-distribution-api-version"), "{ping:?}");
    let digest = client.push("a/b", "content").await;
    let id = "0123456789abcdef";
    client.put(&format!("/v1/images/{id}/json"), format!(r#"{{"id":"{id}"}}"#)).await.expect(200);
    client.put(&format!("/v1/images/{id}/layer"), "layer").await.expect(200);
    client.get(&format!("/v2/a/b/blobs/{digest}")).await.expect(200);
    // Neither sees the other's.
    let told = client.request(Method::GET, "/v2/_catalog", &[], "").await.expect(200);
    assert_eq!(told.body.trim_ascii(), br#"{"repositories":["a/b"]}"#);
    client.get("/v1/repositories/a/b/tags").await.expect(404);
}

/// Promise: who signs in to version 2 signs in to version 1, with the same rights. docker shows its password where a repository is
/// named, and the token that it gets where none is.
#[tokio::test]
async fn todays_sign_in_holds_for_version_1() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("htpasswd");
    std::fs::write(&users, format!("{ALICE}\n")).unwrap();
    let backend = Backend::filesystem();
    let more = format!(
        "auth: {{htpasswd: {{realm: r, path: {}}}}}\nv1: {{enabled: true, search: {{enabled: true}}}}\naccess:\n  rules:\n    \
         - {{who: [everyone], may: [pull], repositories: [\"public/*\"]}}\n    \
         - {{who: [\"user:alice\"], may: [pull, push], repositories: [\"public/*\", \"team/*\"]}}\n",
        users.display()
    );
    let apus = Apus::start_with(backend.storage(), &more);
    let client = apus.client();
    let alice = format!("Basic {}", data_encoding::BASE64.encode(b"alice:wonderland"));
    let alice = [("authorization", &*alice)];

    client.get("/v1/_ping").await.expect(200);
    let login = client.request(Method::POST, "/v1/users/", &[], "{}").await.expect(401);
    assert!(login.header("www-authenticate").starts_with("Basic"), "{login:?}");
    client.request(Method::GET, "/v1/users/", &alice, "").await.expect(200);
    client.request(Method::GET, "/v1/search?q=", &alice, "").await.expect(403);
    for repository in ["public/app", "team/app", "other/app"] {
        let path = format!("/v1/repositories/{repository}/");
        client.request(Method::PUT, &path, &[], "[]").await.expect(401);
    }
    client.request(Method::PUT, "/v1/repositories/other/app/", &alice, "[]").await.expect(403);

    let id = "0123456789abcdef";
    let json = format!(r#"{{"id":"{id}"}}"#);
    for repository in ["public/app", "team/app"] {
        let path = format!("/v1/repositories/{repository}/");
        let begun =
            client.request(Method::PUT, &path, &alice, format!(r#"[{{"id":"{id}"}}]"#)).await.expect(200);
        let token = format!("Token {}", begun.header("x-docker-token"));
        let with = [("authorization", &*token)];
        let image = format!("/v1/images/{id}/json");
        if repository == "public/app" {
            client.request(Method::PUT, &image, &[], json.clone()).await.expect(401);
            // Her password says nothing of which repository.
            client.request(Method::PUT, &image, &alice, json.clone()).await.expect(403);
            client.request(Method::PUT, &image, &with, json.clone()).await.expect(200);
            let layer = format!("/v1/images/{id}/layer");
            client.request(Method::PUT, &layer, &with, "layer").await.expect(200);
            let mut hash = Sha256::new();
            hash.update(format!("{json}\nlayer"));
            let sum = format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.finalize()));
            let with = [with[0], ("x-docker-checksum-payload", &*sum)];
            client.request(Method::PUT, &format!("/v1/images/{id}/checksum"), &with, "").await.expect(200);
        }
        client.request(Method::GET, &image, &with, "").await.expect(200);
        client
            .request(
                Method::PUT,
                &format!("/v1/repositories/{repository}/tags/a"),
                &with,
                format!("\"{id}\""),
            )
            .await
            .expect(200);
        client
            .request(Method::PUT, "/v1/repositories/public/other/tags/a", &with, format!("\"{id}\""))
            .await
            .expect(401);
    }
    let pulled = client.get("/v1/repositories/public/app/images").await.expect(200);
    let token = format!("Token {}", pulled.header("x-docker-token"));
    let with = [("authorization", &*token)];
    client.request(Method::GET, "/v1/repositories/public/app/tags", &with, "").await.expect(200);
    client.request(Method::GET, &format!("/v1/images/{id}/layer"), &with, "").await.expect(200);
    client.get(&format!("/v1/images/{id}/layer")).await.expect(401);
    // Another replica believes it.
    let other = Apus::start_with(backend.storage(), &more);
    other.client().request(Method::GET, &format!("/v1/images/{id}/layer"), &with, "").await.expect(200);
    client.get("/v1/repositories/team/app/tags").await.expect(401);
    client.request(Method::GET, "/v1/repositories/team/app/tags", &alice, "").await.expect(200);
    // What is private is there for who has signed in.
    let private = r#"{"access":"private"}"#;
    client.request(Method::PUT, "/v1/repositories/public/app/properties", &alice, private).await.expect(200);
    client.get("/v1/repositories/public/app/images").await.expect(404);
    client.request(Method::GET, "/v1/repositories/public/app/images", &alice, "").await.expect(200);
}
