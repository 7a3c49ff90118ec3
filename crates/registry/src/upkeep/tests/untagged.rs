//! Manifests that no tag keeps.

use super::*;
use crate::KeptTags;

/// Promise: a tagged index keeps its manifests, tagged or not, and theirs.
#[tokio::test]
async fn an_index_keeps_its_manifests() {
    let storage = TestStorage::new();
    let layer = stored(&storage, "layer").await;
    let child = revision(&storage, "a", &image(&[&layer])).await;
    let inner = revision(&storage, "a", &index(&[&child])).await;
    let top = revision(&storage, "a", &index(&[&inner])).await;
    tag(&storage, "a", "v1", &top).await;
    let before = everything(&storage).await;
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.eligible_manifests, summary.eligible_blobs), (0, 0));
    assert_eq!(everything(&storage).await, before);

    // Without the tag all of it goes.
    let tag = layout::tag_link(&name("a"), &crate::testing::tag("v1")).unwrap();
    storage.objects.delete(&[tag]).await.remove(0).unwrap();
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.deleted_manifests, summary.deleted_blobs), (3, 4));
    assert_eq!(everything(&storage).await, [""; 0]);
}

/// Promise: referrers of what is kept are kept, and theirs; those of what is gone go, with their records.
#[tokio::test]
async fn referrers_stay_and_go_with_their_subject() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let subject = put(&registry, "a", "v1", bare("subject")).await.unwrap().digest;
    let layer = stored(&storage, "signature").await;
    let by_digest = |content: &str| Digest::of(Algorithm::Sha256, content.as_bytes());
    let signature = json!({"schemaVersion": 2, "blobs": [{"digest": layer.to_string()}],
                           "subject": {"digest": subject.to_string()}})
    .to_string();
    let signature_digest = by_digest(&signature);
    blob(&storage, "a", "signature").await;
    put(&registry, "a", &signature_digest.to_string(), signature).await.unwrap();
    let remark = referrer(&signature_digest, "on the signature");
    put(&registry, "a", &by_digest(&remark).to_string(), remark).await.unwrap();
    let before = everything(&storage).await;
    assert_eq!(collect(&storage, &untagged()).await.unwrap().eligible_manifests, 0);
    assert_eq!(everything(&storage).await, before);

    registry.delete_manifest(&name("a"), &subject, KeptTags::NONE).await.unwrap();
    // Untagged manifests are kept unless it is asked for, also those whose subject is gone.
    assert_eq!(collect(&storage, &options()).await.unwrap().deleted_blobs, 1);
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.deleted_manifests, summary.deleted_blobs), (2, 3));
    // Two records, and the link of the signature's blob.
    assert_eq!(summary.deleted_links, 3);
    assert_eq!(everything(&storage).await, [""; 0]);
}

/// The index that older clients keep under a tag made of the subject's digest is tagged, and so is all that it names.
#[tokio::test]
async fn the_fallback_tag_is_a_tag() {
    let storage = TestStorage::new();
    let subject = revision(&storage, "a", &bare("subject")).await;
    tag(&storage, "a", "v1", &subject).await;
    let signature = revision(&storage, "a", &bare("signature")).await;
    let list = revision(&storage, "a", &index(&[&signature])).await;
    tag(&storage, "a", &format!("sha256-{}", subject.hex()), &list).await;
    assert_eq!(collect(&storage, &untagged()).await.unwrap().eligible_manifests, 0);
}

#[tokio::test]
async fn the_history_of_tags_goes_with_what_it_names() {
    let storage = TestStorage::new();
    let (old, new) =
        (revision(&storage, "a", &bare("old")).await, revision(&storage, "a", &bare("new")).await);
    tag(&storage, "a", "v1", &new).await;
    for digest in [&old, &new] {
        let path = format!(
            "docker/registry/v2/repositories/a/_manifests/tags/v1/index/sha256/{}/link",
            digest.hex()
        );
        link(&storage, &ObjectName::parse(path).unwrap(), digest).await;
    }
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.deleted_manifests, summary.deleted_links), (1, 1));
    let left = objects_under(&storage, "docker/registry/v2/repositories/a/_manifests/tags").await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!left.iter().any(|name| name.contains(old.hex())));
}

/// The same manifest may be needed in one repository and not in another.
#[tokio::test]
async fn repositories_are_judged_one_by_one() {
    let storage = TestStorage::new();
    let shared = revision(&storage, "a", &bare("shared")).await;
    revision(&storage, "b", &bare("shared")).await;
    tag(&storage, "b", "v1", &shared).await;
    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.deleted_manifests, summary.deleted_blobs), (1, 0));
    assert!(is_stored(&storage, &shared).await);
    assert_eq!(everything(&storage).await.len(), 3);
}

/// What a process left behind that died while it deleted a manifest.
#[tokio::test]
async fn a_record_without_its_referrer_goes() {
    let storage = TestStorage::new();
    let subject = revision(&storage, "a", &bare("subject")).await;
    let gone = Digest::of(Algorithm::Sha256, b"gone");
    link(&storage, &layout::referrer_link(&name("a"), &subject, &gone).unwrap(), &gone).await;
    let summary = collect(&storage, &options()).await.unwrap();
    assert_eq!(summary.deleted_links, 1);
    assert_eq!(everything(&storage).await.len(), 2);
}

/// A tag whose manifest is not in the repository keeps what it can, and is told of.
#[tokio::test]
async fn a_dangling_tag_keeps_what_it_points_to() {
    let storage = TestStorage::new();
    let [layer, other] = [stored(&storage, "layer").await, stored(&storage, "other").await];
    let elsewhere = stored(&storage, &image(&[&layer])).await;
    let here = revision(&storage, "a", &image(&[&other])).await;
    let gone = stored(&storage, &index(&[&elsewhere, &here])).await;
    tag(&storage, "a", "v1", &gone).await;
    for options in [options(), untagged()] {
        let summary = collect(&storage, &options).await.unwrap();
        assert_eq!((summary.deleted_blobs, summary.deleted_manifests, summary.warnings), (0, 0, 1));
    }
}

/// A sparse index may name a manifest that the repository does not have, and that one a manifest that it has.
#[tokio::test]
async fn what_is_kept_by_way_of_elsewhere_keeps_its_blobs() {
    let storage = TestStorage::new();
    let layer = stored(&storage, "layer").await;
    let here = revision(&storage, "a", &image(&[&layer])).await;
    let elsewhere = stored(&storage, &index(&[&here])).await;
    let top = revision(&storage, "a", &index(&[&elsewhere])).await;
    tag(&storage, "a", "v1", &top).await;
    let before = blobs(&storage).await;
    collect(&storage, &untagged()).await.unwrap();
    assert_eq!(blobs(&storage).await, before);
}
