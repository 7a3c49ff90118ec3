//! The rules of a registry, over memory: what any client may do to it, in one replica and in two that share their storage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use apus_registry::{
    Algorithm, Digest, Error, MediaType, PutManifest, Reference, Registry, RegistryOptions, RepositoryName,
    Tag, Upload, layout,
};
use apus_storage::{
    ByteRange, ByteStream, Freshness, ListRequest, MemoryStorage, ObjectName, Storage, WriteMode, body,
};
use bytes::Bytes;
use futures_util::stream;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct House {
    storage: Arc<MemoryStorage>,
    registry: Registry,
}

impl House {
    fn new() -> Self {
        let storage = Arc::new(MemoryStorage::new());
        Self { registry: replica(&storage), storage }
    }

    async fn objects(&self) -> Vec<String> {
        let page = self.storage.list(&ListRequest::everything()).await.unwrap();
        let names = page.entries.iter().map(|entry| entry.name().to_string());
        names.filter(|name| name != layout::UPLOAD_SECRET).collect()
    }

    async fn assert_no_stage(&self) {
        assert_eq!(self.storage.stage_list(None, 10).await.unwrap(), []);
    }

    async fn begin(&self, repository: &RepositoryName) -> Upload {
        let position = self.registry.begin_upload(repository, Algorithm::Sha256);
        let token = self.registry.upload_token(&position).await.unwrap();
        self.registry.upload(repository, position.id().as_str(), Some(&token)).await.unwrap()
    }

    async fn push(&self, repository: &RepositoryName, content: &'static [u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, content);
        self.registry.write_whole(repository, content.len() as u64, once(content), &digest).await.unwrap();
        digest
    }

    async fn pull(&self, repository: &RepositoryName, digest: &Digest) -> Result<Bytes, Error> {
        let blob = self.registry.open_blob(repository, digest, ByteRange::Full).await?;
        Ok(body::collect(blob.stream, 1 << 20).await.unwrap())
    }

    async fn put(
        &self,
        repository: &RepositoryName,
        reference: &str,
        content: String,
    ) -> Result<Digest, Error> {
        let reference = Reference::parse(reference).unwrap();
        let media_type = MediaType::parse(MANIFEST);
        let content = Bytes::from(content);
        self.registry
            .put_manifest(PutManifest { repository, reference: &reference, media_type, content })
            .await
    }
}

fn replica(storage: &Arc<MemoryStorage>) -> Registry {
    Registry::new(Arc::clone(storage) as Arc<dyn Storage>, RegistryOptions::default())
}

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn once(content: &'static [u8]) -> ByteStream {
    body::once(Bytes::from_static(content))
}

fn image(layer: &Digest) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","layers":[{{"mediaType":"a/b","digest":"{layer}"}}]}}"#
    )
}

#[tokio::test]
async fn a_whole_blob_is_pushed_and_pulled() {
    let house = House::new();
    let digest = house.push(&name("a/b"), b"content").await;
    assert_eq!(house.pull(&name("a/b"), &digest).await.unwrap(), "content");
    assert_eq!(house.registry.blob_info(&name("a/b"), &digest).await.unwrap().size, 7);
    let hex = digest.hex();
    assert_eq!(
        house.objects().await,
        [
            format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]),
            format!("docker/registry/v2/repositories/a/b/_layers/sha256/{hex}/link"),
        ]
    );
    // What lies in the store belongs to the repositories that have a link, and to no other.
    assert!(matches!(house.pull(&name("a"), &digest).await, Err(Error::BlobUnknown { .. })));
}

#[tokio::test]
async fn a_wrong_digest_leaves_nothing_behind() {
    let house = House::new();
    let wrong = Digest::of(Algorithm::Sha256, b"other");
    let refused = house.registry.write_whole(&name("a"), 7, once(b"content"), &wrong).await.unwrap_err();
    assert!(matches!(refused, Error::DigestMismatch { .. }), "{refused:?}");

    let upload = house.begin(&name("a")).await;
    let upload = house.registry.append(upload, None, once(b"content")).await.unwrap();
    let refused = house.registry.finish(upload, None, Some(0), once(b""), &wrong).await.unwrap_err();
    assert!(matches!(refused, Error::DigestMismatch { .. }), "{refused:?}");

    assert!(house.objects().await.is_empty());
    house.assert_no_stage().await;
}

#[tokio::test]
async fn knowing_a_digest_is_not_having_the_content() {
    let house = House::new();
    let digest = house.push(&name("private"), b"content").await;
    let refused = house.registry.write_whole(&name("thief"), 5, once(b"guess"), &digest).await.unwrap_err();
    assert!(matches!(refused, Error::DigestMismatch { .. }), "{refused:?}");
    assert!(matches!(house.pull(&name("thief"), &digest).await, Err(Error::BlobUnknown { .. })));
}

#[tokio::test]
async fn chunks_are_taken_by_whichever_replica_and_their_order_is_kept() {
    let house = House::new();
    let other = replica(&house.storage);
    let repository = name("a");
    let position = house.registry.begin_upload(&repository, Algorithm::Sha256);
    let first_token = house.registry.upload_token(&position).await.unwrap();
    let id = position.id().as_str().to_owned();

    let upload = other.upload(&repository, &id, Some(&first_token)).await.unwrap();
    let upload = other.append(upload, Some(0), once(b"one ")).await.unwrap();
    let second_token = other.upload_token(upload.position()).await.unwrap();

    let upload = house.registry.upload(&repository, &id, Some(&second_token)).await.unwrap();
    let refused = house.registry.append(upload.clone(), Some(9), once(b"x")).await.unwrap_err();
    assert!(matches!(&refused, Error::ChunkOutOfOrder { position } if position.offset() == 4), "{refused:?}");
    let upload = house.registry.append(upload, Some(4), once(b"two ")).await.unwrap();
    assert_eq!(upload.position().offset(), 8);

    // The same chunk again, by the URL that was good for it once.
    let outdated = other.upload(&repository, &id, Some(&second_token)).await.unwrap();
    let refused = other.append(outdated, None, once(b"two ")).await.unwrap_err();
    assert!(matches!(&refused, Error::ChunkOutOfOrder { position } if position.offset() == 8), "{refused:?}");
    // So does the URL of the beginning.
    let outdated = other.upload(&repository, &id, Some(&first_token)).await.unwrap();
    let refused = other.append(outdated, None, once(b"one ")).await.unwrap_err();
    assert!(matches!(&refused, Error::ChunkOutOfOrder { position } if position.offset() == 8), "{refused:?}");
    assert_eq!(other.upload_status(&repository, &id, Some(&first_token)).await.unwrap().offset(), 8);

    let digest = Digest::of(Algorithm::Sha256, b"one two three");
    let upload = other.upload(&repository, &id, None).await.unwrap();
    other.finish(upload, Some(8), Some(5), once(b"three"), &digest).await.unwrap();
    assert_eq!(house.pull(&repository, &digest).await.unwrap(), "one two three");
    house.assert_no_stage().await;
    assert!(matches!(other.upload(&repository, &id, None).await, Err(Error::UploadUnknown { .. })));
}

#[tokio::test]
async fn an_upload_of_another_repository_is_unknown() {
    let house = House::new();
    let upload = house.begin(&name("mine")).await;
    let upload = house.registry.append(upload, None, once(b"secret")).await.unwrap();
    let token = house.registry.upload_token(upload.position()).await.unwrap();
    let id = upload.position().id().as_str();
    for token in [Some(token.as_str()), None, Some("")] {
        let found = house.registry.upload(&name("yours"), id, token).await;
        assert!(matches!(found, Err(Error::UploadUnknown { .. })), "{found:?}");
        let cancelled = house.registry.cancel_upload(&name("yours"), id, token).await;
        assert!(matches!(cancelled, Err(Error::UploadUnknown { .. })), "{cancelled:?}");
    }
    for id in ["", "..", "a/b", "0000", &"x".repeat(99)] {
        assert!(matches!(
            house.registry.upload(&name("mine"), id, None).await,
            Err(Error::UploadUnknown { .. })
        ));
    }
    assert_eq!(house.registry.upload_status(&name("mine"), id, None).await.unwrap().offset(), 6);
}

#[tokio::test]
async fn a_body_that_breaks_leaves_the_upload_as_it_was() {
    let house = House::new();
    let upload = house.begin(&name("a")).await;
    let upload = house.registry.append(upload, None, once(b"kept ")).await.unwrap();
    let broken = stream::iter([Ok(Bytes::from_static(b"lost")), Err("the line went dead".into())]);
    let refused = house.registry.append(upload.clone(), None, Box::pin(broken)).await.unwrap_err();
    assert!(matches!(refused, Error::ContentBroken(_)), "{refused:?}");
    let digest = Digest::of(Algorithm::Sha256, b"kept and whole");
    house.registry.finish(upload, None, None, once(b"and whole"), &digest).await.unwrap();
    assert_eq!(house.pull(&name("a"), &digest).await.unwrap(), "kept and whole");

    let refused = house.registry.write_whole(&name("a"), 9, once(b"short"), &digest).await.unwrap_err();
    assert!(refused.to_string().contains("5 of 9"), "{refused}");
}

#[tokio::test]
async fn cancelled_is_gone() {
    let house = House::new();
    for staged in [false, true] {
        let mut upload = house.begin(&name("a")).await;
        if staged {
            upload = house.registry.append(upload, None, once(b"x")).await.unwrap();
        }
        let token = house.registry.upload_token(upload.position()).await.unwrap();
        let id = upload.position().id().as_str();
        house.registry.cancel_upload(&name("a"), id, Some(&token)).await.unwrap();
        let found = house.registry.upload_status(&name("a"), id, Some(&token)).await;
        assert!(matches!(found, Err(Error::UploadUnknown { .. })), "{found:?}");
    }
    house.assert_no_stage().await;
}

#[tokio::test]
async fn sha512_is_an_equal() {
    let house = House::new();
    let digest = Digest::of(Algorithm::Sha512, b"content");
    // Announced, and found out only at the end.
    for algorithm in [Algorithm::Sha512, Algorithm::Sha256] {
        let position = house.registry.begin_upload(&name("a"), algorithm);
        let token = house.registry.upload_token(&position).await.unwrap();
        let upload = house.registry.upload(&name("a"), position.id().as_str(), Some(&token)).await.unwrap();
        let upload = house.registry.append(upload, None, once(b"con")).await.unwrap();
        house.registry.finish(upload, None, Some(4), once(b"tent"), &digest).await.unwrap();
        assert_eq!(house.pull(&name("a"), &digest).await.unwrap(), "content");
    }
    assert!(house.objects().await.iter().all(|object| object.contains("sha512")));
}

#[tokio::test]
async fn the_empty_blob_can_be_pushed_either_way() {
    let house = House::new();
    let digest = house.push(&name("a"), b"").await;
    assert_eq!(house.pull(&name("a"), &digest).await.unwrap(), "");
    let upload = house.begin(&name("b")).await;
    house.registry.finish(upload, None, Some(0), once(b""), &digest).await.unwrap();
    let upload = house.begin(&name("c")).await;
    let upload = house.registry.append(upload, None, once(b"")).await.unwrap();
    house.registry.finish(upload, None, Some(0), once(b""), &digest).await.unwrap();
    assert_eq!(house.pull(&name("c"), &digest).await.unwrap(), "");
    house.assert_no_stage().await;
}

#[tokio::test]
async fn a_damaged_blob_is_mended_by_the_next_push() {
    let house = House::new();
    let digest = house.push(&name("a"), b"content").await;
    let data = layout::blob_data(&digest).unwrap();
    house.storage.write(&data, Bytes::new().into(), WriteMode::Replace).await.unwrap();
    let upload = house.begin(&name("a")).await;
    let upload = house.registry.append(upload, None, once(b"content")).await.unwrap();
    house.registry.finish(upload, None, Some(0), once(b""), &digest).await.unwrap();
    assert_eq!(house.pull(&name("a"), &digest).await.unwrap(), "content");

    let _ = house.storage.delete(&[data]).await;
    assert!(matches!(house.pull(&name("a"), &digest).await, Err(Error::BlobUnknown { .. })));
    assert!(matches!(
        replica(&house.storage).blob_info(&name("a"), &digest).await,
        Err(Error::BlobUnknown { .. })
    ));
}

#[tokio::test]
async fn a_blob_is_mounted_from_who_has_it() {
    let house = House::new();
    let digest = house.push(&name("from"), b"content").await;
    assert!(house.registry.mount_blob(&digest, &name("from"), &name("into")).await.unwrap());
    assert_eq!(house.pull(&name("into"), &digest).await.unwrap(), "content");
    assert!(!house.registry.mount_blob(&digest, &name("nobody"), &name("other")).await.unwrap());
    assert!(matches!(house.pull(&name("other"), &digest).await, Err(Error::BlobUnknown { .. })));
}

#[tokio::test]
async fn a_manifest_is_kept_byte_for_byte_under_its_tag_and_its_digest() {
    let house = House::new();
    let repository = name("a/b");
    let layer = house.push(&repository, b"layer").await;
    let content = image(&layer).replace(":2", ":  2");
    let digest = house.put(&repository, "v1", content.clone()).await.unwrap();
    for registry in [&house.registry, &replica(&house.storage)] {
        for reference in ["v1".to_owned(), digest.to_string()] {
            let manifest =
                registry.manifest(&repository, &Reference::parse(&reference).unwrap()).await.unwrap();
            assert_eq!((manifest.content, manifest.media_type.as_str()), (content.clone().into(), MANIFEST));
            assert_eq!(manifest.digest, digest);
        }
    }
    for (repository, reference) in [("a/b", "v2"), ("a", "v1")] {
        let found = house.registry.manifest(&name(repository), &Reference::parse(reference).unwrap()).await;
        assert!(matches!(found, Err(Error::ManifestUnknown { .. })), "{found:?}");
    }
    let elsewhere = house.registry.manifest(&name("a"), &Reference::Digest(digest)).await;
    assert!(matches!(elsewhere, Err(Error::ManifestUnknown { .. })), "{elsewhere:?}");
}

#[tokio::test]
async fn a_manifest_that_names_what_is_not_there_is_refused_with_all_of_it() {
    let house = House::new();
    let repository = name("a");
    let there = house.push(&repository, b"layer").await;
    let absent = [Digest::of(Algorithm::Sha256, b"1"), Digest::of(Algorithm::Sha256, b"2")];
    let layers: Vec<String> =
        [&absent[0], &there, &absent[1]].iter().map(|digest| format!(r#"{{"digest":"{digest}"}}"#)).collect();
    let content = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
    let before = house.objects().await;
    match house.put(&repository, "v1", content).await {
        Err(Error::ManifestReferencesUnknown { missing }) => assert_eq!(missing, absent),
        other => panic!("{other:?}"),
    }
    // A blob is no manifest, though it was seen a moment ago.
    for digest in [&absent[0], &there] {
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}"}}]}}"#);
        let reference = Reference::parse("v1").unwrap();
        let put = PutManifest {
            repository: &repository,
            reference: &reference,
            media_type: None,
            content: index.into(),
        };
        let refused = house.registry.put_manifest(put).await;
        assert!(matches!(refused, Err(Error::ManifestReferencesUnknown { .. })), "{refused:?}");
    }
    assert_eq!(house.objects().await, before);
}

#[tokio::test]
async fn a_manifest_under_another_digest_or_too_large_is_refused() {
    let house = House::new();
    let other = Digest::of(Algorithm::Sha256, b"other").to_string();
    let refused = house.put(&name("a"), &other, r#"{"schemaVersion":2}"#.into()).await;
    assert!(matches!(refused, Err(Error::DigestMismatch { .. })), "{refused:?}");
    let refused = house.put(&name("a"), "v1", " ".repeat((4 << 20) + 1)).await;
    assert!(matches!(refused, Err(Error::ManifestTooLarge { .. })), "{refused:?}");
    assert!(house.objects().await.is_empty());
}

#[tokio::test]
async fn tags_are_listed_in_their_own_order_and_in_pages() {
    let house = House::new();
    let repository = name("a");
    let layer = house.push(&repository, b"layer").await;
    for tag in ["1.0", "1", "1.0-rc", "b", "B", "1-0"] {
        house.put(&repository, tag, image(&layer)).await.unwrap();
    }
    let all: Vec<Tag> =
        ["1", "1-0", "1.0", "1.0-rc", "B", "b"].iter().map(|tag| Tag::parse(tag).unwrap()).collect();
    assert_eq!(house.registry.tags(&repository, None, None).await.unwrap().tags, all);
    for size in 0..=7 {
        let page = house.registry.tags(&repository, Some("1-0"), Some(size)).await.unwrap();
        assert_eq!(page.tags, all[2..(2 + size).min(6)], "{size}");
        assert_eq!(page.more, size < 4, "{size}");
    }
    assert!(matches!(
        house.registry.tags(&name("b"), None, None).await,
        Err(Error::RepositoryUnknown { .. })
    ));
}

#[tokio::test]
async fn a_tag_moves_and_a_link_that_is_damaged_is_not_absent() {
    let house = House::new();
    let repository = name("a");
    let layer = house.push(&repository, b"layer").await;
    house.put(&repository, "v", image(&layer)).await.unwrap();
    let moved = house.put(&repository, "v", r#"{"schemaVersion":2}"#.into()).await.unwrap();
    let reference = Reference::parse("v").unwrap();
    assert_eq!(house.registry.manifest(&repository, &reference).await.unwrap().digest, moved);

    let link = ObjectName::parse("docker/registry/v2/repositories/a/_manifests/tags/v/current/link").unwrap();
    assert!(house.storage.stat(&link, Freshness::Newest).await.unwrap().is_some());
    house.storage.write(&link, Bytes::from_static(b"garbage").into(), WriteMode::Replace).await.unwrap();
    let found = house.registry.manifest(&repository, &reference).await;
    assert!(matches!(found, Err(Error::Storage(_))), "{found:?}");
}
