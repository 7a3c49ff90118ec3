//! Where it is not certain what is needed, nothing is deleted.

use futures_util::FutureExt;

use super::*;

/// A registry with an image and some garbage.
async fn registry() -> (Arc<TestStorage>, Digest, Digest) {
    let storage = TestStorage::new();
    let layer = blob(&storage, "a", "layer").await;
    let manifest = put(&storage.replica(), "a", "v1", image(&[&layer])).await.unwrap().digest;
    blob(&storage, "a", "garbage").await;
    (storage, manifest, layer)
}

/// That it is in doubt, for this reason, and that nothing was deleted.
async fn assert_doubt(storage: &Arc<TestStorage>, reason: &str) {
    for options in [options(), untagged()] {
        let before = everything(storage).await;
        let error = collect(storage, &options).await.unwrap_err();
        assert!(matches!(error, CollectError::InDoubt { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(everything(storage).await, before);
    }
}

async fn assert_collects(storage: &Arc<TestStorage>) {
    let summary = collect(storage, &options()).await.unwrap();
    assert_eq!((summary.deleted_blobs, summary.failures), (1, 0));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_a_doubt() {
    let (storage, manifest, _) = registry().await;
    let data = layout::blob_data(&manifest).unwrap();
    let content = image(&[&Digest::of(Algorithm::Sha256, b"layer")]);
    storage.objects.write(&data, Bytes::from("{}").into(), WriteMode::Replace).await.unwrap();
    assert_doubt(&storage, "its content has the digest").await;
    storage.objects.delete(std::slice::from_ref(&data)).await.remove(0).unwrap();
    assert_doubt(&storage, "its content is gone").await;
    storage.objects.write(&data, Bytes::from(content).into(), WriteMode::Replace).await.unwrap();
    let odd = revision(&storage, "b", "no JSON").await;
    assert_doubt(&storage, "it is no manifest in JSON").await;
    storage.objects.delete(&[layout::revision_link(&name("b"), &odd).unwrap()]).await.remove(0).unwrap();
    let large = revision(&storage, "b", &(" ".repeat(5_000_000) + "{}")).await;
    assert_doubt(&storage, "it is larger than").await;
    storage.objects.delete(&[layout::revision_link(&name("b"), &large).unwrap()]).await.remove(0).unwrap();
    // What was wrong is garbage now.
    assert_eq!(collect(&storage, &options()).await.unwrap().deleted_blobs, 3);
}

#[tokio::test]
async fn a_link_that_cannot_be_read_is_a_doubt() {
    let (storage, ..) = registry().await;
    let link = layout::tag_link(&name("a"), &crate::testing::tag("v1")).unwrap();
    storage.objects.write(&link, Bytes::from("sha256:").into(), WriteMode::Replace).await.unwrap();
    assert_doubt(&storage, "it should hold one digest").await;
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_a_doubt() {
    let (storage, manifest, _) = registry().await;
    for own in ["_pins/latest/link", "_referrers/2/x", "_manifests/revisions/sha384/00/link"] {
        let object = ObjectName::parse(format!("docker/registry/v2/repositories/a/{own}")).unwrap();
        link(&storage, &object, &manifest).await;
        assert_doubt(&storage, "is nothing that this version of Apus knows").await;
        storage.objects.delete(&[object]).await.remove(0).unwrap();
    }
    assert_collects(&storage).await;
}

#[tokio::test]
async fn blobs_without_any_repository_are_a_doubt() {
    let storage = TestStorage::new();
    assert_eq!(collect(&storage, &options()).await.unwrap(), CollectSummary::default());
    stored(&storage, "blob").await;
    assert_doubt(&storage, "no repository at all").await;
}

#[tokio::test]
async fn an_outage_is_an_error_and_deletes_nothing() {
    let (storage, ..) = registry().await;
    let before = everything(&storage).await;
    storage.set_out(true);
    let error = collect(&storage, &options()).await.unwrap_err();
    assert!(matches!(error, CollectError::Storage(_)), "{error:?}");
    storage.set_out(false);
    assert_eq!(everything(&storage).await, before);
    assert_collects(&storage).await;
}

/// An outage that begins when it is known what to delete.
#[tokio::test]
async fn what_could_not_be_deleted_is_deleted_by_the_next_run() {
    let (storage, ..) = registry().await;
    revision(&storage, "a", &bare("untagged")).await;
    let before = everything(&storage).await;
    let outage = |event: CollectEvent<'_>| {
        if let CollectEvent::Counted(_) = event {
            storage.set_out(true);
        }
    };
    let later = SystemTime::now() + Duration::from_hours(1);
    let summary = storage.replica().collect_garbage_at(&untagged(), later, &outage).await.unwrap();
    assert_eq!((summary.failures, summary.deleted_manifests, summary.deleted_blobs), (1, 0, 0));
    storage.set_out(false);
    assert_eq!(everything(&storage).await, before);
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.failures, summary.deleted_manifests, summary.deleted_blobs), (0, 1, 2));
}

/// Promise: a manifest that is listed and is not there deletes nothing, until the listing has caught up.
#[tokio::test]
async fn a_listing_that_shows_what_is_gone_is_a_doubt() {
    let (storage, manifest, layer) = registry().await;
    storage.freeze_listings().await;
    storage.objects.delete(&[layout::revision_link(&name("a"), &manifest).unwrap()]).await.remove(0).unwrap();
    let tag = layout::tag_link(&name("a"), &crate::testing::tag("v1")).unwrap();
    storage.objects.delete(&[tag]).await.remove(0).unwrap();
    assert_doubt(&storage, "is listed and is not there").await;

    // It catches up while the collector waits.
    let caught_up = |event: CollectEvent<'_>| {
        if let CollectEvent::Repository(_) = event {
            storage.catch_up();
        }
    };
    let later = SystemTime::now() + Duration::from_hours(1);
    let summary = storage.replica().collect_garbage_at(&options(), later, &caught_up).await.unwrap();
    assert_eq!(summary.deleted_blobs, 3);
    assert!(!is_stored(&storage, &layer).await);
}

/// Promise: a manifest that is there and is not listed deletes nothing, where anything speaks of it.
#[tokio::test]
async fn a_listing_that_misses_what_is_there_is_a_doubt() {
    for witness in ["tag", "index", "subject", "history", "record"] {
        let (storage, ..) = registry().await;
        let content = bare("unlisted");
        let unlisted = stored(&storage, &content).await;
        match witness {
            "tag" => tag(&storage, "a", "v2", &unlisted).await,
            "index" => drop(revision(&storage, "a", &index(&[&unlisted])).await),
            "subject" => drop(revision(&storage, "a", &referrer(&unlisted, "remark")).await),
            "history" => {
                let path = "docker/registry/v2/repositories/a/_manifests/tags/v1/index/sha256";
                let path = format!("{path}/{}/link", unlisted.hex());
                link(&storage, &ObjectName::parse(path).unwrap(), &unlisted).await;
            }
            _ => {
                let subject = Digest::of(Algorithm::Sha256, b"subject");
                let record = layout::referrer_link(&name("a"), &subject, &unlisted).unwrap();
                link(&storage, &record, &unlisted).await;
            }
        }
        storage.freeze_listings().await;
        revision(&storage, "a", &content).await;
        assert_doubt(&storage, "is there and is not listed").await;
        storage.catch_up();
        assert_collects(&storage).await;
    }
}

/// Promise: what any walk has seen is kept, and two in a row must see the same.
#[tokio::test]
async fn what_does_not_hold_still_is_a_doubt() {
    let (storage, ..) = registry().await;
    let count = Mutex::new(0);
    let pushes = |event: CollectEvent<'_>| {
        if let CollectEvent::Progress("objects of repositories listed", _) = event {
            let mut count = held(&count);
            *count += 1;
            // The storage is in memory, and does not wait.
            revision(&storage, "a", &bare(&count.to_string())).now_or_never().unwrap();
        }
    };
    let later = SystemTime::now() + Duration::from_hours(1);
    let error = storage.replica().collect_garbage_at(&options(), later, &pushes).await.unwrap_err();
    assert!(error.to_string().contains("did not hold still"), "{error}");
    assert_eq!(*held(&count), MOST_WALKS);
    assert_collects(&storage).await;
}

/// Promise: an image that no listing shows at all is still there, if the link of one of its blobs is listed.
#[tokio::test]
async fn blobs_speak_for_a_manifest_that_is_not_listed() {
    let (storage, ..) = registry().await;
    let layer = blob(&storage, "b/c", "layer of the unlisted").await;
    let content = image(&[&layer]);
    stored(&storage, &content).await;
    storage.freeze_listings().await;
    let unlisted = revision(&storage, "b/c", &content).await;
    tag(&storage, "b/c", "v1", &unlisted).await;
    assert_doubt(&storage, "is there and is not listed").await;
    storage.catch_up();
    assert_collects(&storage).await;
    assert!(is_stored(&storage, &layer).await);
}
