//! What is kept and what goes, rule by rule, over a storage in memory.

mod doubts;
mod remnants;
mod untagged;

use std::sync::Arc;

use apus_storage::{Freshness, ObjectName, Storage, WriteMode};
use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::testing::{TestStorage, bare, name, objects_under, put};
use crate::{Algorithm, layout};

/// Everything is old, unless a test says otherwise.
pub(super) fn options() -> CollectOptions {
    CollectOptions { min_age: Duration::ZERO, pause: Duration::ZERO, ..CollectOptions::default() }
}

pub(super) fn untagged() -> CollectOptions {
    CollectOptions { delete_untagged: true, ..options() }
}

pub(super) async fn collect(
    storage: &Arc<TestStorage>,
    options: &CollectOptions,
) -> Result<CollectSummary, CollectError> {
    let later = SystemTime::now() + Duration::from_hours(1);
    storage.replica().collect_garbage_at(options, later, &|_| {}).await
}

/// Puts a blob into a repository, as a push does that is over.
pub(super) async fn blob(storage: &TestStorage, repository: &str, content: &str) -> Digest {
    let digest = stored(storage, content).await;
    link(storage, &layout::layer_link(&name(repository), &digest).unwrap(), &digest).await;
    digest
}

/// Puts a blob into storage only.
pub(super) async fn stored(storage: &TestStorage, content: &str) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    let body = Bytes::from(content.to_owned()).into();
    storage.objects.write(&layout::blob_data(&digest).unwrap(), body, WriteMode::Replace).await.unwrap();
    digest
}

pub(super) async fn link(storage: &TestStorage, link: &ObjectName, digest: &Digest) {
    storage.objects.write(link, Bytes::from(digest.to_string()).into(), WriteMode::Replace).await.unwrap();
}

/// Puts a manifest into storage, and a revision of it into the repository.
pub(super) async fn revision(storage: &TestStorage, repository: &str, content: &str) -> Digest {
    let digest = stored(storage, content).await;
    link(storage, &layout::revision_link(&name(repository), &digest).unwrap(), &digest).await;
    digest
}

pub(super) async fn tag(storage: &TestStorage, repository: &str, tag: &str, digest: &Digest) {
    let tag = crate::testing::tag(tag);
    link(storage, &layout::tag_link(&name(repository), &tag).unwrap(), digest).await;
}

/// A manifest of an image that names these.
pub(super) fn image(layers: &[&Digest]) -> String {
    let layers: Vec<_> =
        layers.iter().map(|digest| json!({"digest": digest.to_string(), "size": 1})).collect();
    json!({"schemaVersion": 2, "layers": layers}).to_string()
}

/// An index of these.
pub(super) fn index(manifests: &[&Digest]) -> String {
    let manifests: Vec<_> =
        manifests.iter().map(|digest| json!({"digest": digest.to_string(), "size": 1})).collect();
    json!({"schemaVersion": 2, "manifests": manifests}).to_string()
}

/// A manifest that says something about another.
pub(super) fn referrer(subject: &Digest, note: &str) -> String {
    json!({"schemaVersion": 2, "layers": [], "subject": {"digest": subject.to_string()},
           "annotations": {"note": note}})
    .to_string()
}

pub(super) async fn blobs(storage: &TestStorage) -> Vec<String> {
    objects_under(storage, "docker/registry/v2/blobs").await
}

pub(super) async fn is_stored(storage: &TestStorage, digest: &Digest) -> bool {
    storage.objects.stat(&layout::blob_data(digest).unwrap(), Freshness::Any).await.unwrap().is_some()
}

pub(super) async fn everything(storage: &TestStorage) -> Vec<String> {
    objects_under(storage, "docker").await
}

#[tokio::test]
async fn what_no_manifest_names_goes_with_its_links() {
    let storage = TestStorage::new();
    let layer = blob(&storage, "a/b", "layer").await;
    let garbage = blob(&storage, "a/b", "garbage").await;
    let elsewhere = layout::layer_link(&name("other"), &garbage).unwrap();
    link(&storage, &elsewhere, &garbage).await;
    let manifest = put(&storage.replica(), "a/b", "v1", image(&[&layer])).await.unwrap().digest;
    let orphan = stored(&storage, "orphan").await;

    let summary = collect(&storage, &options()).await.unwrap();
    let expected = CollectSummary {
        repositories: 2,
        marked: 2,
        eligible_blobs: 2,
        eligible_bytes: 13,
        deleted_blobs: 2,
        freed_bytes: 13,
        deleted_links: 2,
        ..CollectSummary::default()
    };
    assert_eq!(summary, expected);
    let left = everything(&storage).await;
    assert_eq!(left.len(), 5, "{left:#?}");
    for kept in [&layer, &manifest] {
        assert!(is_stored(&storage, kept).await);
    }
    assert!(!is_stored(&storage, &orphan).await && !is_stored(&storage, &garbage).await);

    let again = collect(&storage, &options()).await.unwrap();
    assert_eq!((again.eligible_blobs, again.deleted_links), (0, 0));
    assert_eq!(everything(&storage).await, left);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_does_nothing() {
    let storage = TestStorage::new();
    blob(&storage, "a", "garbage").await;
    revision(&storage, "a", &bare("untagged")).await;
    let tagged = revision(&storage, "a", &bare("tagged")).await;
    tag(&storage, "a", "v1", &tagged).await;
    let before = everything(&storage).await;
    let dry = CollectOptions { dry_run: true, ..untagged() };
    let told = collect(&storage, &dry).await.unwrap();
    assert_eq!(everything(&storage).await, before);
    assert_eq!((told.eligible_blobs, told.eligible_manifests), (2, 1));
    assert_eq!((told.deleted_blobs, told.deleted_manifests, told.deleted_links), (0, 0, 0));

    let done = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((done.eligible_blobs, done.eligible_bytes), (told.eligible_blobs, told.eligible_bytes));
    assert_eq!((done.deleted_blobs, done.deleted_manifests, done.deleted_links), (2, 1, 1));
}

/// Repositories in repositories, with names that sort before and behind their own objects, and some without any blob.
#[tokio::test]
async fn every_repository_counts() {
    let storage = TestStorage::new();
    let mut needed = Vec::new();
    for repository in ["a", "a/1b", "a/b", "a/b/c", "a-b", "a.b", "z"] {
        let layer = stored(&storage, repository).await;
        revision(&storage, repository, &image(&[&layer])).await;
        needed.push(layer);
    }
    stored(&storage, "garbage").await;
    let summary = collect(&storage, &options()).await.unwrap();
    assert_eq!((summary.repositories, summary.deleted_blobs), (7, 1));
    for digest in &needed {
        assert!(is_stored(&storage, digest).await);
    }
}

#[tokio::test]
async fn indexes_keep_what_they_name_at_any_depth() {
    let storage = TestStorage::new();
    let layer = stored(&storage, "layer").await;
    // Not in the repository: the other platforms of a sparse index.
    let child = stored(&storage, &image(&[&layer])).await;
    let mut inner = stored(&storage, &index(&[&child])).await;
    for _ in 0..12 {
        inner = stored(&storage, &index(&[&inner])).await;
    }
    let missing = Digest::of(Algorithm::Sha512, b"never pushed");
    revision(&storage, "a", &index(&[&inner, &missing])).await;
    let before = blobs(&storage).await;
    let garbage = stored(&storage, "garbage").await;
    for options in [options(), untagged()] {
        let top = Digest::of(Algorithm::Sha256, index(&[&inner, &missing]).as_bytes());
        tag(&storage, "a", "v1", &top).await;
        collect(&storage, &options).await.unwrap();
        assert_eq!(blobs(&storage).await, before);
    }
    assert!(!is_stored(&storage, &garbage).await);
}

/// An image of schema 1, its signatures, and the link by which registry:2 gives a blob another name.
#[tokio::test]
async fn what_old_registries_wrote_is_understood() {
    let storage = TestStorage::new();
    let (layer, signature) = (stored(&storage, "layer").await, stored(&storage, "signature").await);
    let content = json!({"schemaVersion": 1, "fsLayers": [{"blobSum": layer.to_string()}]}).to_string();
    let manifest = revision(&storage, "a", &content).await;
    let under = layout::revision_link(&name("a"), &manifest).unwrap();
    let signatures = under.as_str().strip_suffix("link").unwrap().to_owned() + "signatures";
    let path = format!("{signatures}/sha256/{}/link", signature.hex());
    link(&storage, &ObjectName::parse(path).unwrap(), &signature).await;

    let alias = Digest::of(Algorithm::Sha512, b"manifest by another name");
    let other = stored(&storage, &image(&[])).await;
    link(&storage, &layout::revision_link(&name("a"), &alias).unwrap(), &other).await;
    tag(&storage, "a", "v1", &other).await;
    // Uploads of registry:2 name nothing, and are not our business.
    let upload = ObjectName::parse("docker/registry/v2/repositories/a/_uploads/x/startedat").unwrap();
    link(&storage, &upload, &layer).await;

    let before = everything(&storage).await;
    collect(&storage, &options()).await.unwrap();
    assert_eq!(everything(&storage).await, before);

    let summary = collect(&storage, &untagged()).await.unwrap();
    assert_eq!((summary.deleted_manifests, summary.deleted_blobs, summary.deleted_links), (1, 3, 1));
    assert!(is_stored(&storage, &other).await && !is_stored(&storage, &signature).await);
}

#[tokio::test]
async fn what_is_young_is_kept_and_keeps() {
    let storage = TestStorage::new();
    let [layer, unnamed, named, garbage] =
        ["layer", "unnamed", "named", "garbage"].map(|content| stored(&storage, content));
    let (layer, unnamed, named, garbage) = (layer.await, unnamed.await, named.await, garbage.await);
    let untagged_one = stored(&storage, &image(&[&layer])).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let border = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(20)).await;
    // A push that is not over: its blob is an old one, and its link is new.
    link(&storage, &layout::layer_link(&name("a"), &unnamed).unwrap(), &unnamed).await;
    // A manifest whose link is not there yet, or not listed.
    let manifest = stored(&storage, &image(&[&named])).await;
    // An old manifest that was pushed again.
    link(&storage, &layout::revision_link(&name("a"), &untagged_one).unwrap(), &untagged_one).await;
    let fresh = stored(&storage, "fresh").await;

    let hour = CollectOptions { min_age: Duration::from_hours(1), ..untagged() };
    let registry = storage.replica();
    let now = border + Duration::from_hours(1);
    let summary = registry.collect_garbage_at(&hour, now, &|_| {}).await.unwrap();
    assert_eq!((summary.deleted_blobs, summary.young_blobs, summary.deleted_manifests), (1, 2, 0));
    assert!(!is_stored(&storage, &garbage).await);
    for kept in [&layer, &unnamed, &named, &manifest, &untagged_one, &fresh] {
        assert!(is_stored(&storage, kept).await, "{kept}");
    }
}

/// A storage may date what it has just taken ahead of our clock.
#[tokio::test]
async fn with_no_least_age_nothing_is_young() {
    let storage = TestStorage::new();
    revision(&storage, "a", &bare("kept")).await;
    let garbage = stored(&storage, "garbage").await;
    let earlier = SystemTime::now() - Duration::from_secs(1);
    let registry = storage.replica();
    let summary = registry.collect_garbage_at(&options(), earlier, &|_| {}).await.unwrap();
    assert_eq!((summary.deleted_blobs, summary.young_blobs), (1, 0));
    assert!(!is_stored(&storage, &garbage).await);
}

/// What is told is what registry:2 tells, and the counts add up.
#[tokio::test]
async fn what_happens_is_told() {
    let storage = TestStorage::new();
    let layer = blob(&storage, "a", "layer").await;
    let tagged = revision(&storage, "a", &image(&[&layer])).await;
    tag(&storage, "a", "v1", &tagged).await;
    let gone = revision(&storage, "a", &bare("gone")).await;
    let told = Mutex::new(Vec::new());
    let report = |event: CollectEvent<'_>| {
        if !matches!(event, CollectEvent::Progress(..) | CollectEvent::Counted(_)) {
            held(&told).push(format!("{event:?}"));
        }
    };
    let later = SystemTime::now() + Duration::from_hours(1);
    storage.replica().collect_garbage_at(&untagged(), later, &report).await.unwrap();
    let size = bare("gone").len();
    let expected = [
        "Repository(\"a\")".to_owned(),
        format!("Manifest(\"a\", {tagged})"),
        format!("Blob(\"a\", {layer})"),
        format!("EligibleManifest(\"a\", {gone})"),
        format!("EligibleBlob({gone}, {size})"),
    ];
    assert_eq!(*held(&told), expected);
}
