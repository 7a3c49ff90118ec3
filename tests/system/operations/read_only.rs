//! `storage.maintenance.readonly`: what is there can be pulled, and nothing is written: not at the start, not by the registry
//! itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use apus_fake_swift::{FakeSwift, Options};

use crate::support::backend::PROVEN;
use crate::support::content::random;
use crate::support::swift::{Container, object_names};
use crate::support::{Apus, Backend};

const READ_ONLY: &str = "\n  maintenance: {readonly: {enabled: true}}";

/// Every file and directory, with its time.
fn tree(directory: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = std::fs::metadata(&path).unwrap();
        if metadata.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        found.insert(path.display().to_string(), metadata.modified().unwrap());
    }
    found
}

/// Pushes an image by a registry that takes it. Answers the digest of its layer.
async fn push(backend: &Backend) -> String {
    let apus = Apus::start(backend.storage());
    let blob = apus.client().push_by_patch("a/b", random(3 << 20)).await;
    apus.client().push_manifest("a/b", "latest", std::slice::from_ref(&blob)).await;
    blob
}

async fn is_only_read(apus: &Apus, blob: &str) {
    let client = apus.client();
    client.get("/v2/a/b/manifests/latest").await.expect(200);
    let content = client.get(&format!("/v2/a/b/blobs/{blob}")).await.expect(200).body;
    assert_eq!(content.len(), 3 << 20);
    client.get("/v2/_catalog").await.expect(200);
    client.post("/v2/a/b/blobs/uploads/").await.expect(405);
    client.put("/v2/a/b/manifests/other", "{}").await.expect(405);
    client.delete("/v2/a/b/manifests/latest").await.expect(405);
    client.get(&format!("/v2/a/b/blobs/uploads/{}?_state=a", "0".repeat(32))).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_stays_as_it_is() {
    let backend = Backend::filesystem();
    let blob = push(&backend).await;
    let directory = backend.directory().unwrap();
    // As registry:2 leaves one.
    std::fs::remove_dir_all(directory.join(".apus")).unwrap();
    std::fs::remove_dir_all(directory.join("apus")).unwrap();
    let before = tree(directory);
    let apus = Apus::start(&format!("{}{READ_ONLY}", backend.storage()));
    is_only_read(&apus, &blob).await;
    drop(apus);
    assert_eq!(tree(directory), before);
}

/// With redirects, which want a key and an object where they are to work, and are used where both are there already.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_stays_as_it_is() {
    let backend = Backend::swift_v1();
    let blob = push(&backend).await;
    let container = Container::open(backend.container().unwrap()).await;
    let before = container.names().await;
    let storage = format!("{}{READ_ONLY}\n  redirect: {{disable: false}}", backend.storage());
    let apus = Apus::start(&storage);
    apus.until_it_logs("temporary URLs do not work").await;
    is_only_read(&apus, &blob).await;
    drop(apus);
    assert_eq!(container.names().await, before);

    let writable = Apus::start(backend.redirecting().storage());
    writable.until_it_logs(PROVEN).await;
    drop(writable);
    let before = container.names().await;
    let apus = Apus::start(&storage);
    apus.until_it_logs(PROVEN).await;
    is_only_read(&apus, &blob).await;
    let path = format!("/v2/a/b/blobs/{blob}");
    apus.client().get_here(&path, &[]).await.expect(307);
    drop(apus);
    assert_eq!(container.names().await, before);
    container.remove().await;
}

/// A container that is not there is not made.
#[tokio::test(flavor = "multi_thread")]
async fn no_container_is_made() {
    let backend = Backend::swift_v1();
    let apus = Apus::start(&format!("{}{READ_ONLY}", backend.storage()));
    apus.until_it_logs("this client only reads").await;
    apus.client().get("/v2/_catalog").await.expect(503);
    assert!(object_names(backend.container().unwrap()).await.is_empty());
}

/// Whatever Apus does in a while, only GET and HEAD reach Swift.
#[tokio::test(flavor = "multi_thread")]
async fn only_reads_reach_swift() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let backend = Backend::fake_v1(&fake);
    let blob = push(&backend).await;
    let _ = fake.take_requests();
    let apus = Apus::start(&format!("{}{READ_ONLY}\n  redirect: {{disable: false}}", backend.storage()));
    apus.until_it_logs("temporary URLs").await;
    is_only_read(&apus, &blob).await;
    let requests = fake.take_requests();
    assert!(!requests.is_empty());
    for request in requests.iter().filter(|request| request.kind.is_storage()) {
        assert!(["GET", "HEAD"].contains(&request.method.as_str()), "{request:?}");
    }
}
