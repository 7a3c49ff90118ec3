use std::sync::Arc;
use std::time::Duration;

use apus_storage::{Storage, WriteMode};
use futures_util::future::join_all;

use super::*;
use crate::testing::{TestStorage, name};
use crate::{Algorithm, Error, KeptTags, Reference};

async fn store(storage: &TestStorage, content: impl Into<Bytes>) -> Digest {
    let content = content.into();
    let digest = Digest::of(Algorithm::Sha256, &content);
    let data = layout::blob_data(&digest).unwrap();
    storage.objects.write(&data, content.into(), WriteMode::Replace).await.unwrap();
    digest
}

/// Lets the others do what they can do now.
async fn until(condition: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it does not come to pass");
}

fn ask(registry: &Arc<Registry>, digest: &Digest) -> tokio::task::JoinHandle<Result<Option<Bytes>>> {
    let (registry, digest) = (Arc::clone(registry), digest.clone());
    tokio::spawn(async move { registry.manifest_content(&digest).await })
}

#[tokio::test]
async fn what_many_want_is_fetched_once() {
    let storage = TestStorage::new();
    let digest = store(&storage, "content").await;
    // Also where there is no room to keep it.
    for manifest_cache in [0, 16 << 20] {
        let options = RegistryOptions { manifest_cache, ..RegistryOptions::default() };
        let registry = Arc::new(storage.replica_with(options));
        storage.set_flow(false);
        let all: Vec<_> = (0..50).map(|_| ask(&registry, &digest)).collect();
        until(|| storage.flowing() > 0).await;
        storage.set_flow(true);
        for content in join_all(all).await {
            assert_eq!(content.unwrap().unwrap().unwrap(), "content");
        }
        assert_eq!(storage.take_requests().len(), 1);
    }
}

#[tokio::test]
async fn who_waits_for_one_that_gives_up_goes_on_alone() {
    let storage = TestStorage::new();
    let digest = store(&storage, "content").await;
    let registry = Arc::new(storage.replica());
    storage.set_flow(false);
    let first = ask(&registry, &digest);
    until(|| storage.flowing() == 1).await;
    let others: Vec<_> = (0..20).map(|_| ask(&registry, &digest)).collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    // All at once, not one after the other.
    until(|| storage.flowing() == 20).await;
    storage.set_flow(true);
    for content in join_all(others).await {
        assert_eq!(content.unwrap().unwrap().unwrap(), "content");
    }
}

#[tokio::test]
async fn a_failure_is_the_failure_of_one() {
    let storage = TestStorage::new();
    let digest = store(&storage, "content").await;
    let registry = Arc::new(storage.replica());
    storage.set_out(true);
    for content in join_all((0..20).map(|_| ask(&registry, &digest))).await {
        assert!(matches!(content.unwrap(), Err(Error::Storage(_))));
    }
    storage.set_out(false);
    assert_eq!(registry.manifest_content(&digest).await.unwrap().unwrap(), "content");
    let absent = Digest::of(Algorithm::Sha256, b"absent");
    for content in join_all((0..20).map(|_| ask(&registry, &absent))).await {
        assert_eq!(content.unwrap().unwrap(), None);
    }
}

#[tokio::test]
async fn manifests_on_their_way_take_no_more_room_than_there_is() {
    let storage = TestStorage::new();
    let options = RegistryOptions { manifest_memory: 10 << 10, ..RegistryOptions::default() };
    let registry = Arc::new(storage.replica_with(options));
    let mut digests = Vec::new();
    for number in 0..10_u8 {
        digests.push(store(&storage, vec![number; 4 << 10]).await);
    }
    // Larger than all the room, it comes alone.
    digests.push(store(&storage, vec![b'x'; 100 << 10]).await);
    storage.set_flow(false);
    let all: Vec<_> = digests.iter().map(|digest| ask(&registry, digest)).collect();
    until(|| storage.flowing() == 2).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    storage.set_flow(true);
    for content in join_all(all).await {
        assert!(content.unwrap().unwrap().is_some());
    }
    assert_eq!(storage.most_flowing(), 2);
}

#[tokio::test]
async fn what_is_not_what_its_digest_says_is_damage() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let digest = store(&storage, "content").await;
    let data = layout::blob_data(&digest).unwrap();
    storage.objects.write(&data, Bytes::from("other").into(), WriteMode::Replace).await.unwrap();
    for _ in 0..2 {
        let refused = registry.manifest_content(&digest).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Storage(error) if error.kind() == ErrorKind::Damaged),
            "{refused:?}"
        );
    }
    let large = store(&storage, vec![0; (4 << 20) + 1]).await;
    let refused = registry.manifest_content(&large).await.unwrap_err();
    assert!(refused.to_string().contains("read manifest"), "{refused}");
}

#[tokio::test]
async fn stored_schema_1_is_served_with_its_bytes_as_they_are() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let plain =
        "{\n   \"schemaVersion\": 1,\n   \"name\": \"old\",\n   \"fsLayers\": [],\n   \"history\": []\n}";
    let signed = plain.replace("\n}", ",\n   \"signatures\": [{\"signature\": \"c2ln\"}]\n}");
    for (content, media_type) in [
        (plain.to_owned(), "application/vnd.docker.distribution.manifest.v1+json"),
        (signed, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ] {
        let digest = store(&storage, content.clone()).await;
        for link in [
            layout::revision_link(&name("old"), &digest).unwrap(),
            layout::tag_link(&name("old"), &crate::testing::tag("t")).unwrap(),
        ] {
            // registry:2 ends no link with a newline, but other tools do.
            let link_content = Bytes::from(format!("{digest}\n"));
            storage.objects.write(&link, link_content.into(), WriteMode::Replace).await.unwrap();
        }
        for reference in ["t", &digest.to_string()] {
            let manifest =
                registry.manifest(&name("old"), &Reference::parse(reference).unwrap()).await.unwrap();
            assert_eq!((&*manifest.content, manifest.media_type.as_str()), (content.as_bytes(), media_type));
            assert_eq!(manifest.digest, digest);
            assert!(manifest.media_type.is_schema_1());
        }
        registry.delete_manifest(&name("old"), &digest, KeptTags::NONE).await.unwrap();
    }
}
