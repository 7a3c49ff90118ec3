//! The rules of a registry, over memory: what any client may do to it, in one replica and in two that share their storage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use apus_registry::{
    Algorithm, Digest, Error, KeptTags, MediaType, PutManifest, Reference, Registry, RegistryOptions,
    RepositoryName, StoredManifest, Tag, Upload, UploadOwner, layout,
};
use apus_storage::{
    ByteRange, ByteStream, Freshness, ListRequest, MemoryStorage, ObjectName, Storage, WriteMode, body,
};
use bytes::Bytes;
use futures_util::stream;
use secrecy::ExposeSecret as _;

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
        Ok(self.put_with(repository, reference, &[], content).await?.digest)
    }

    async fn put_with(
        &self,
        repository: &RepositoryName,
        reference: &str,
        tags: &[Tag],
        content: String,
    ) -> Result<StoredManifest, Error> {
        let (reference, content) = (Reference::parse(reference).unwrap(), Bytes::from(content));
        let media_type = MediaType::parse(MANIFEST);
        self.registry
            .put_manifest(PutManifest {
                repository,
                reference: &reference,
                tags,
                kept: KeptTags::NONE,
                media_type,
                content,
            })
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
async fn a7_an_upload_of_another_principal_is_unknown() {
    let house = House::new();
    let repository = name("a");
    let of = |principal| UploadOwner { repository: &repository, principal };
    let position = house.registry.begin_upload(of(Some("alice")), Algorithm::Sha256);
    let id = position.id().as_str();
    let begun = house.registry.upload_token(&position).await.unwrap();
    let upload = house.registry.upload(of(Some("alice")), id, Some(&begun)).await.unwrap();
    let upload = house.registry.append(upload, None, once(b"secret")).await.unwrap();
    assert_eq!(upload.position().owner(), of(Some("alice")));
    let token = house.registry.upload_token(upload.position()).await.unwrap();
    for principal in [Some("bob"), None, Some("")] {
        for token in [Some(begun.as_str()), Some(token.as_str()), None] {
            let unknown = |found: Result<(), Error>| {
                assert!(
                    matches!(found, Err(Error::UploadUnknown { .. })),
                    "{principal:?} {token:?} {found:?}"
                );
            };
            unknown(house.registry.upload(of(principal), id, token).await.map(drop));
            unknown(house.registry.upload_status(of(principal), id, token).await.map(drop));
            unknown(house.registry.cancel_upload(of(principal), id, token).await);
        }
    }
    let status = house.registry.upload_status(of(Some("alice")), id, None).await.unwrap();
    assert_eq!(status.offset(), 6, "nothing of it was harmed");
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
    assert!(house.registry.mount_blob(&digest, &name("from"), &name("into")).await.unwrap().is_some());
    assert_eq!(house.pull(&name("into"), &digest).await.unwrap(), "content");
    assert_eq!(house.registry.mount_blob(&digest, &name("nobody"), &name("other")).await.unwrap(), None);
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
            tags: &[],
            kept: KeptTags::NONE,
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
    assert_eq!(house.registry.tags(&repository, None, 100).await.unwrap().tags, all);
    for size in 0..=7 {
        let page = house.registry.tags(&repository, Some("1-0"), size).await.unwrap();
        assert_eq!(page.tags, all[2..(2 + size).min(6)], "{size}");
        assert_eq!(page.more, size < 4, "{size}");
    }
    assert!(matches!(house.registry.tags(&name("b"), None, 100).await, Err(Error::RepositoryUnknown { .. })));
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

#[tokio::test]
async fn a5_a_tag_that_must_stay_is_made_once_and_stays() {
    let house = House::new();
    let repository = name("a");
    let layers = [house.push(&repository, b"one").await, house.push(&repository, b"two").await];
    let manifests = layers.map(|layer| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","layers":[{{"digest":"{layer}","size":3}}]}}"#
        )
    });
    let is_kept = |tag: &Tag| tag.as_str().starts_with('v');
    let kept = KeptTags::those(&is_kept);
    let put = async |reference: &str, tags: &[&str], content: &str| {
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect();
        let reference = Reference::parse(reference).unwrap();
        let content = Bytes::from(content.to_owned());
        let put = PutManifest {
            repository: &repository,
            reference: &reference,
            tags: &tags,
            kept,
            media_type: None,
            content,
        };
        house.registry.put_manifest(put).await.map(|stored| stored.digest)
    };
    let refused = |result: Result<Digest, Error>| {
        assert!(matches!(&result, Err(Error::TagKept { tag, .. }) if tag.as_str() == "v1"), "{result:?}");
    };
    let one = put("v1", &["other"], &manifests[0]).await.unwrap();
    put("v1", &[], &manifests[0]).await.unwrap();
    put("other", &[], &manifests[1]).await.unwrap();
    let before = house.objects().await;

    let digest = Digest::of(Algorithm::Sha256, manifests[1].as_bytes());
    refused(put("v1", &[], &manifests[1]).await);
    refused(put("new", &["v1"], &manifests[1]).await);
    refused(put(&digest.to_string(), &["new", "v1"], &manifests[1]).await);
    let gone = house.registry.delete_manifest(&repository, &one, kept).await;
    assert!(matches!(gone, Err(Error::TagKept { .. })), "{gone:?}");
    assert_eq!(house.objects().await, before, "nothing was written or deleted");
    let tag = Reference::parse("v1").unwrap();
    assert_eq!(house.registry.manifest(&repository, &tag).await.unwrap().digest, one);

    house.registry.delete_manifest(&repository, &digest, kept).await.unwrap();
    house.registry.delete_manifest(&repository, &one, KeptTags::NONE).await.unwrap();
}

#[tokio::test]
async fn a_page_of_tags_holds_no_more_than_it_shows() {
    let house = House::new();
    let repository = name("a");
    let digest = house.put(&repository, "t", r#"{"schemaVersion":2}"#.into()).await.unwrap();
    for number in 0..3000 {
        let link = layout::tag_link(&repository, &Tag::parse(&format!("v1.{number:04}")).unwrap()).unwrap();
        house.storage.write(&link, digest.to_string().into_bytes().into(), WriteMode::Replace).await.unwrap();
    }
    let page = house.registry.tags(&repository, Some("v1.1499"), 2).await.unwrap();
    assert_eq!((page.tags[0].as_str(), page.tags[1].as_str(), page.more), ("v1.1500", "v1.1501", true));
    let page = house.registry.tags(&repository, Some("v1.2999"), 2).await.unwrap();
    assert_eq!((page.tags.len(), page.more), (0, false));
    assert_eq!(house.registry.tags(&repository, None, 10_000).await.unwrap().tags.len(), 3001);
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once_here_and_stays_elsewhere() {
    let house = House::new();
    let (here, there) = (name("here"), name("there"));
    let layer = house.push(&here, b"layer").await;
    house.push(&there, b"layer").await;
    let digest = house.put(&here, "v1", image(&layer)).await.unwrap();
    house.put(&here, "v2", image(&layer)).await.unwrap();
    house.put(&here, "other", r#"{"schemaVersion":2}"#.into()).await.unwrap();
    house.put(&there, "v1", image(&layer)).await.unwrap();

    let tag = |tag| Tag::parse(tag).unwrap();
    house.registry.delete_tag(&here, &tag("v1")).await.unwrap();
    assert!(matches!(house.registry.delete_tag(&here, &tag("v1")).await, Err(Error::ManifestUnknown { .. })));
    let get = async |repository, reference| house.registry.manifest(repository, &reference).await;
    assert!(matches!(get(&here, Reference::Tag(tag("v1"))).await, Err(Error::ManifestUnknown { .. })));
    assert!(get(&here, Reference::Tag(tag("v2"))).await.is_ok());

    house.registry.delete_manifest(&here, &digest, KeptTags::NONE).await.unwrap();
    assert!(matches!(
        house.registry.delete_manifest(&here, &digest, KeptTags::NONE).await,
        Err(Error::ManifestUnknown { .. })
    ));
    assert!(matches!(get(&here, Reference::Tag(tag("v2"))).await, Err(Error::ManifestUnknown { .. })));
    assert!(matches!(
        get(&here, Reference::Digest(digest.clone())).await,
        Err(Error::ManifestUnknown { .. })
    ));
    assert_eq!(house.registry.tags(&here, None, 9).await.unwrap().tags, [tag("other")]);
    assert!(get(&there, Reference::Digest(digest)).await.is_ok());

    house.registry.delete_blob(&here, &layer).await.unwrap();
    assert!(matches!(house.registry.delete_blob(&here, &layer).await, Err(Error::BlobUnknown { .. })));
    assert!(matches!(house.pull(&here, &layer).await, Err(Error::BlobUnknown { .. })));
    assert_eq!(house.pull(&there, &layer).await.unwrap(), "layer");
    // A manifest that names it is not taken any more.
    let refused = house.put(&here, "v3", image(&layer)).await;
    assert!(matches!(refused, Err(Error::ManifestReferencesUnknown { .. })), "{refused:?}");
}

#[tokio::test]
async fn where_deleting_is_switched_off_nothing_is_deleted() {
    let storage = Arc::new(MemoryStorage::new());
    let open = House { registry: replica(&storage), storage: Arc::clone(&storage) };
    let layer = open.push(&name("a"), b"layer").await;
    let digest = open.put(&name("a"), "v1", image(&layer)).await.unwrap();
    let options = RegistryOptions { deletes: false, ..RegistryOptions::default() };
    let closed = Registry::new(storage, options);
    let tag = Tag::parse("v1").unwrap();
    assert!(matches!(closed.delete_tag(&name("a"), &tag).await, Err(Error::DeletesDisabled)));
    assert!(matches!(
        closed.delete_manifest(&name("a"), &digest, KeptTags::NONE).await,
        Err(Error::DeletesDisabled)
    ));
    assert!(matches!(closed.delete_blob(&name("a"), &layer).await, Err(Error::DeletesDisabled)));
    assert!(closed.manifest(&name("a"), &Reference::Tag(tag)).await.is_ok());
    assert_eq!(open.pull(&name("a"), &layer).await.unwrap(), "layer");
}

#[tokio::test]
async fn the_catalog_is_exact_with_nested_names() {
    let house = House::new();
    assert!(house.registry.repositories(None, 10).await.unwrap().repositories.is_empty());
    let mut names = ["app", "foo", "foo-bar", "foo.d", "foo/1bar", "foo/zz", "zed", "foo/1bar/a"];
    for repository in names {
        house.put(&name(repository), "latest", r#"{"schemaVersion":2}"#.into()).await.unwrap();
        house.push(&name(repository), b"layer").await;
    }
    names.sort_unstable();
    for size in 1..=9 {
        let (mut seen, mut last) = (Vec::new(), None::<String>);
        loop {
            let page = house.registry.repositories(last.as_deref(), size).await.unwrap();
            assert!(page.repositories.len() <= size);
            seen.extend(page.repositories.iter().map(ToString::to_string));
            last = seen.last().cloned();
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, names, "{size}");
    }
}

#[tokio::test]
async fn referrers_come_with_their_manifest_and_go_with_it() {
    let house = House::new();
    let repository = name("a");
    let subject = Digest::of(Algorithm::Sha256, b"a manifest that need not exist");
    let list = async |artifact_type: Option<&str>| {
        let page = house.registry.referrers(&repository, &subject, artifact_type, None).await.unwrap();
        assert_eq!(page.next, None);
        page.referrers
    };
    assert!(list(None).await.is_empty());
    let referrer = |rest: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","layers":[],{rest}"annotations":{{"k":"v"}},
                "subject":{{"mediaType":"{MANIFEST}","digest":"{subject}","size":1}}}}"#
        )
    };
    let config = house.push(&repository, b"{}").await;
    let signature =
        house.put_with(&repository, "s", &[], referrer(r#""artifactType":"a/signature","#)).await.unwrap();
    assert_eq!(signature.subject.as_ref(), Some(&subject));
    let by_config = referrer(&format!(r#""config":{{"mediaType":"a/bill","digest":"{config}","size":2}},"#));
    let bill = house.put(&repository, "b", by_config.clone()).await.unwrap();

    assert_eq!(list(None).await.len(), 2);
    let bills = list(Some("a/bill")).await;
    assert_eq!(bills.len(), 1);
    assert_eq!(bills[0].digest, bill.to_string());
    assert_eq!(bills[0].size, by_config.len() as u64);
    assert_eq!(bills[0].annotations.as_ref().map(|annotations| annotations.get()), Some(r#"{"k":"v"}"#));
    assert!(list(Some("a/other")).await.is_empty());
    assert!(house.registry.referrers(&name("b"), &subject, None, None).await.unwrap().referrers.is_empty());

    // What an older client keeps under a tag is folded in, and nothing is shown twice.
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{MANIFEST}","digest":"{bill}","size":1,"artifactType":"a/bill"}},
            {{"mediaType":"{MANIFEST}","digest":"{signature}","size":1,"artifactType":"a/signature"}}]}}"#,
        signature = signature.digest
    );
    let fallback = Reference::parse(&format!("sha256-{}", subject.hex())).unwrap();
    let put = PutManifest {
        repository: &repository,
        reference: &fallback,
        tags: &[],
        kept: KeptTags::NONE,
        media_type: None,
        content: index.into(),
    };
    house.registry.put_manifest(put).await.unwrap();
    assert_eq!(list(None).await.len(), 2);

    // Deleted, it is shown only where somebody still says so.
    house.registry.delete_manifest(&repository, &signature.digest, KeptTags::NONE).await.unwrap();
    assert_eq!(list(Some("a/signature")).await.len(), 1);
    house.registry.delete_tag(&repository, &Tag::parse(&fallback.to_string()).unwrap()).await.unwrap();
    assert_eq!(
        list(None).await.iter().map(|found| found.digest.clone()).collect::<Vec<_>>(),
        [bill.to_string()]
    );
}

#[tokio::test]
async fn referrers_are_paged() {
    let house = House::new();
    let (repository, subject) = (name("a"), Digest::of(Algorithm::Sha256, b"subject"));
    for number in 0..205 {
        let content = format!(
            r#"{{"schemaVersion":2,"layers":[],"annotations":{{"n":"{number}"}},"subject":{{"digest":"{subject}"}}}}"#
        );
        let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
        house.put(&repository, &digest.to_string(), content).await.unwrap();
    }
    let (mut seen, mut last) = (BTreeSet::new(), None);
    loop {
        let page = house.registry.referrers(&repository, &subject, None, last.as_ref()).await.unwrap();
        seen.extend(page.referrers.into_iter().map(|descriptor| descriptor.digest));
        last = page.next;
        if last.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 205);
}

#[tokio::test]
async fn one_push_moves_several_tags() {
    let house = House::new();
    let tags = ["a", "b"].map(|tag| Tag::parse(tag).unwrap());
    let content = r#"{"schemaVersion":2,"layers":[]}"#;
    let digest = Digest::of(Algorithm::Sha512, content.as_bytes());
    let stored = house.put_with(&name("r"), &digest.to_string(), &tags, content.into()).await.unwrap();
    assert_eq!(stored.digest, digest);
    for tag in tags {
        assert_eq!(house.registry.manifest(&name("r"), &Reference::Tag(tag)).await.unwrap().digest, digest);
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_anywhere() {
    let house = House::new();
    let digest = house.push(&name("from"), b"content").await;
    assert!(house.registry.mount_blob_from_anywhere(&digest, &name("into")).await.unwrap().is_some());
    assert_eq!(house.pull(&name("into"), &digest).await.unwrap(), "content");
    let absent = Digest::of(Algorithm::Sha256, b"absent");
    assert_eq!(house.registry.mount_blob_from_anywhere(&absent, &name("into")).await.unwrap(), None);
}

/// A key for a purpose is the same in all replicas with the same secrets, in storage and in the configuration, and in no others.
#[tokio::test]
async fn replicas_derive_the_same_key() {
    const PURPOSE: &str = "a purpose";
    const LONG: &str = "a secret of more than thirty-two bytes";
    async fn key(
        storage: &Arc<MemoryStorage>,
        secret: Option<&str>,
        read_only: bool,
    ) -> Result<Vec<u8>, Error> {
        let upload_secret = secret.map(|secret| secret.to_owned().into());
        let options = RegistryOptions { upload_secret, read_only, ..RegistryOptions::default() };
        let registry = Registry::new(Arc::<MemoryStorage>::clone(storage), options);
        Ok(registry.derived_key(PURPOSE).await?.expose_secret().to_vec())
    }
    let storage = Arc::new(MemoryStorage::new());
    // Without a secret in storage that nobody may write there.
    for secret in [None, Some("short")] {
        assert!(matches!(key(&storage, secret, true).await, Err(Error::ReadOnly)));
    }
    let without = key(&storage, Some(LONG), true).await.unwrap();
    assert_eq!(key(&storage, Some(LONG), true).await.unwrap(), without);
    assert!(storage.list(&ListRequest::everything()).await.unwrap().entries.is_empty());

    let alone = key(&storage, None, false).await.unwrap();
    assert_eq!(alone.len(), 32);
    assert_eq!(key(&storage, None, true).await.unwrap(), alone);
    let with = key(&storage, Some("short"), false).await.unwrap();
    assert_eq!(key(&storage, Some("short"), true).await.unwrap(), with);
    let with_long = key(&storage, Some(LONG), true).await.unwrap();
    let elsewhere = key(&Arc::new(MemoryStorage::new()), None, false).await.unwrap();
    let all = BTreeSet::from([without, alone, with, with_long, elsewhere]);
    assert_eq!(all.len(), 5, "no two are the same");
}
