//! What is spoken beside version 1. Clients that know both ask for version 2 first, and stay with it where it is.

use hyper::Method;

use super::Old;
use crate::support::{Apus, Backend};

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
