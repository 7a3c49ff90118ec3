//! The walk that the runner takes with each set of data: it is pushed, listed, asked for, got, found by what it refers to, and
//! deleted. What is deleted stays in the other repository.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::blobs;
use super::content::DataSet;
use super::manifests::{self, Manifest};
use super::pushing::{by_mount, is_taken};
use super::run::{OTHER, REPOSITORY, Run};

/// How the manifests of a set get their tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagging {
    /// Each by a PUT.
    OneByOne,
    /// All of them as parameters of the PUT by digest.
    ByParameters,
}

pub(super) async fn walk(run: &Run<'_>, data: &DataSet, tagging: Tagging) {
    push(run, data, tagging).await;
    list_head_and_pull(run, data).await;
    let referrers = referrers_of(data);
    if !referrers.is_empty() {
        run.step("referrers", find(run, &referrers)).await;
    }
    copy(run, data).await;
    delete(run, data).await;
    stays(run, data, &referrers).await;
}

/// Blobs first, then the manifests that name them, then tags.
pub(super) async fn push(run: &Run<'_>, data: &DataSet, tagging: Tagging) {
    for blob in &data.blobs {
        run.step("push/blob-post-put", blobs::put(run.client, REPOSITORY, blob)).await;
    }
    for manifest in &data.manifests {
        let tags = if tagging == Tagging::ByParameters { &*manifest.tags } else { &[] };
        run.step("push/manifest-by-digest", put_by_digest(run, REPOSITORY, manifest, tags)).await;
    }
    if tagging == Tagging::OneByOne {
        for (tag, manifest) in tagged(data) {
            run.step("push/manifest-by-tag", async {
                let answer = manifests::put(run.client, REPOSITORY, tag, manifest).await;
                manifests::is_taken(run.client, answer, REPOSITORY, manifest).await;
            })
            .await;
        }
    }
}

/// The answer tells each tag that came with it.
async fn put_by_digest(run: &Run<'_>, repository: &str, manifest: &Manifest, tags: &[String]) {
    let query: Vec<_> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    let separator = if tags.is_empty() { "" } else { "?" };
    let reference = format!("{}{separator}{}", manifest.digest, query.join("&"));
    let answer = manifests::put(run.client, repository, &reference, manifest).await;
    let told = answer.headers.get_all("oci-tag");
    assert!(told.iter().eq(tags), "{told:?}");
    manifests::is_taken(run.client, answer, repository, manifest).await;
}

/// Everything is there in every way to ask for it.
pub(super) async fn list_head_and_pull(run: &Run<'_>, data: &DataSet) {
    run.step("tag-list", list(run, &data.tags())).await;
    for (tag, manifest) in tagged(data) {
        let work = manifests::head(run.client, REPOSITORY, tag, manifest);
        run.step("head/manifest-head-by-tag", work).await;
    }
    for manifest in &data.manifests {
        let work = manifests::head(run.client, REPOSITORY, &manifest.digest, manifest);
        run.step("head/manifest-head-by-digest", work).await;
    }
    for blob in &data.blobs {
        run.step("head/blob-head", blobs::head(run.client, REPOSITORY, blob)).await;
    }
    for (tag, manifest) in tagged(data) {
        run.step("pull/manifest-by-tag", manifests::get(run.client, REPOSITORY, tag, manifest)).await;
    }
    for manifest in &data.manifests {
        let work = manifests::get(run.client, REPOSITORY, &manifest.digest, manifest);
        run.step("pull/manifest-by-digest", work).await;
    }
    for blob in &data.blobs {
        run.step("pull/blob-get", blobs::get(run.client, REPOSITORY, blob)).await;
    }
}

/// The tags are listed, all of them and those after one in the middle.
async fn list(run: &Run<'_>, tags: &[String]) {
    assert_eq!(manifests::tags(run.client, REPOSITORY, "").await, tags);
    if let Some(middle) = (tags.len() / 2).checked_sub(1) {
        let after = format!("?last={}", tags[middle]);
        assert_eq!(manifests::tags(run.client, REPOSITORY, &after).await, tags[middle + 1..]);
    }
}

/// The referrers of each subject are found: all of them, and those of each type.
async fn find(run: &Run<'_>, referrers: &BTreeMap<&str, Vec<Value>>) {
    for (subject, expected) in referrers {
        assert_eq!(manifests::referrers(run.client, REPOSITORY, subject, None).await, *expected);
        let types: BTreeSet<_> =
            expected.iter().map(|descriptor| descriptor["artifactType"].as_str().unwrap()).collect();
        for artifact_type in types.into_iter().chain(["application/vnd.example.none"]) {
            let found = manifests::referrers(run.client, REPOSITORY, subject, Some(artifact_type)).await;
            let wanted: Vec<_> = expected
                .iter()
                .filter(|descriptor| descriptor["artifactType"] == artifact_type)
                .cloned()
                .collect();
            assert_eq!(found, wanted, "{artifact_type}");
        }
    }
}

/// Each thing is gone at once when it is deleted, from lists too, and nothing else with it.
pub(super) async fn delete(run: &Run<'_>, data: &DataSet) {
    let mut left = data.tags();
    for (tag, manifest) in tagged(data) {
        run.step("delete/tag-delete", manifests::delete(run.client, REPOSITORY, tag)).await;
        manifests::head(run.client, REPOSITORY, &manifest.digest, manifest).await;
        left.retain(|other| other != tag);
        assert_eq!(manifests::tags(run.client, REPOSITORY, "").await, left);
    }
    for manifest in data.manifests.iter().rev() {
        run.step("delete/manifest-delete", manifests::delete(run.client, REPOSITORY, &manifest.digest)).await;
        if let Some(subject) = manifest.subject() {
            let others = manifests::referrers(run.client, REPOSITORY, subject, None).await;
            assert!(others.iter().all(|other| other["digest"] != manifest.digest), "{others:?}");
        }
    }
    for blob in &data.blobs {
        run.step("delete/blob-delete", blobs::delete(run.client, REPOSITORY, blob)).await;
    }
}

/// The other repository gets all of it as well.
async fn copy(run: &Run<'_>, data: &DataSet) {
    for blob in &data.blobs {
        let answer = by_mount(run.client, OTHER, Some(REPOSITORY), blob).await;
        is_taken(run.client, answer, OTHER, blob).await;
    }
    for manifest in &data.manifests {
        put_by_digest(run, OTHER, manifest, &manifest.tags).await;
    }
}

/// The other repository still has all of it.
async fn stays(run: &Run<'_>, data: &DataSet, referrers: &BTreeMap<&str, Vec<Value>>) {
    for blob in &data.blobs {
        blobs::get(run.client, OTHER, blob).await;
    }
    for manifest in &data.manifests {
        manifests::get(run.client, OTHER, &manifest.digest, manifest).await;
    }
    for (tag, manifest) in tagged(data) {
        manifests::get(run.client, OTHER, tag, manifest).await;
    }
    for (subject, expected) in referrers {
        assert_eq!(manifests::referrers(run.client, OTHER, subject, None).await, *expected);
    }
}

/// Each tag, and what it points to.
fn tagged(data: &DataSet) -> impl Iterator<Item = (&String, &Manifest)> {
    data.manifests.iter().flat_map(|manifest| manifest.tags.iter().map(move |tag| (tag, manifest)))
}

/// Each subject, and what refers to it.
fn referrers_of(data: &DataSet) -> BTreeMap<&str, Vec<Value>> {
    let mut referrers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for manifest in &data.manifests {
        if let Some(subject) = manifest.subject() {
            referrers.entry(subject).or_default().push(manifest.as_referrer());
        }
    }
    for descriptors in referrers.values_mut() {
        manifests::sort(descriptors);
    }
    referrers
}
