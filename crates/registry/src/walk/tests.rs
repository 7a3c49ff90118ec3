use super::*;
use crate::testing::{TestStorage, bare, name, put, put_bare};
use crate::{Algorithm, Error, Reference, layout};
use apus_storage::{Storage, WriteMode};
use std::fmt::Write;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index of these, as indexes. The note tells it from others.
fn index(children: &[Digest], note: &str) -> String {
    index_of(children, &format!(r#""mediaType":"{OCI_INDEX}","#), note)
}

fn index_of(children: &[Digest], media_type: &str, note: &str) -> String {
    let mut manifests = String::new();
    for child in children {
        let comma = if manifests.is_empty() { "" } else { "," };
        write!(manifests, r#"{comma}{{{media_type}"digest":"{child}","size":1}}"#).unwrap();
    }
    format!(r#"{{"schemaVersion":2,"annotations":{{"note":"{note}"}},"manifests":[{manifests}]}}"#)
}

/// Puts content into storage with a link, as another registry would that checks nothing.
async fn store(storage: &TestStorage, content: String) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content.as_bytes());
    let link = layout::revision_link(&name("a"), &digest).unwrap();
    for (object, content) in [(layout::blob_data(&digest).unwrap(), content), (link, digest.to_string())] {
        storage.objects.write(&object, content.into_bytes().into(), WriteMode::Replace).await.unwrap();
    }
    digest
}

fn refusal(result: Result<crate::StoredManifest>) -> String {
    match result {
        Err(Error::ManifestInvalid { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn so_many_indexes_may_be_nested_and_no_more() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let image = put_bare(&registry, "a", "image").await;
    let of_images = |note: &str| index_of(std::slice::from_ref(&image), r#""mediaType":"a/image","#, note);
    let mut top = put(&registry, "a", "t", of_images("1")).await.unwrap().digest;
    for _ in 2..=DEEPEST {
        top = put(&registry, "a", "t", index(&[top], "")).await.unwrap().digest;
    }
    let reason = refusal(put(&registry, "a", "t", index(&[top.clone()], "")).await);
    assert!(reason.contains("more than 8 deep"), "{reason}");
    // It is the longest way that counts, and what was refused was not stored.
    let flat = put(&registry, "a", "flat", of_images("flat")).await.unwrap().digest;
    assert!(refusal(put(&registry, "a", "t", index(&[flat, top.clone()], "")).await).contains("deep"));
    let tagged = registry.manifest(&name("a"), &Reference::parse("t").unwrap()).await.unwrap();
    assert_eq!(tagged.digest, top);
}

#[tokio::test]
async fn an_index_of_images_costs_no_request_more() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let images = [put_bare(&registry, "a", "1").await, put_bare(&registry, "a", "2").await];
    let content = index_of(&images, r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#, "");
    storage.take_requests();
    put(&registry, "a", "t", content.clone()).await.unwrap();
    assert_eq!(storage.take_requests().len(), 3, "content, revision, tag");
    // On a replica that has not seen them: one for the link of each.
    put(&storage.replica(), "a", "t", content).await.unwrap();
    assert_eq!(storage.take_requests().len(), 5);
    // Where the index does not say what they are, they are read.
    put(&storage.replica(), "a", "t", index_of(&images, "", "")).await.unwrap();
    assert_eq!(storage.take_requests().len(), 7);
}

#[tokio::test]
async fn a_bomb_ends_soon_wherever_it_comes_from() {
    const LEVELS: usize = 10;
    const ENTRIES: usize = 30;
    let storage = TestStorage::new();
    let mut level = vec![store(&storage, bare("image")).await];
    for depth in 0..LEVELS {
        let mut above = Vec::new();
        for entry in 0..ENTRIES {
            above.push(store(&storage, index(&level, &format!("{depth} {entry}"))).await);
        }
        level = above;
    }
    let registry = storage.replica();
    let reason = refusal(put(&registry, "a", "t", index(&level, "top")).await);
    assert!(reason.contains("deep"), "{reason}");
    // The links of the uppermost level, and each index on the way once; not 30 to the power of 10.
    let requests = storage.take_requests().len();
    assert!(requests <= ENTRIES + DEEPEST * ENTRIES, "{requests}");

    // Nobody walks into what is said to be no index.
    let liar = index_of(&level, r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#, "");
    put(&registry, "a", "t", liar).await.unwrap();
}

#[tokio::test]
async fn a_walk_reads_so_many_manifests_and_no_more() {
    let storage = TestStorage::new();
    let mut below = Vec::new();
    for number in 0..=MOST_READ {
        below.push(store(&storage, index(&[], &number.to_string())).await);
    }
    let registry = storage.replica();
    put(&registry, "a", "t", index(&below[1..], "")).await.unwrap();
    storage.take_requests();
    let reason = refusal(put(&registry, "a", "t", index(&below, "")).await);
    assert!(reason.contains("more than 1000"), "{reason}");
    assert!(storage.take_requests().len() <= 1, "only the one that was not looked for before");
    // As many in two halves, below two indexes.
    let (one, two) = below.split_at(MOST_READ / 2);
    let halves = [store(&storage, index(one, "")).await, store(&storage, index(two, "")).await];
    assert!(refusal(put(&registry, "a", "t", index(&halves, "")).await).contains("more than 1000"));
}

#[tokio::test]
async fn what_is_not_there_or_no_manifest_has_nothing_below() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let garbage = store(&storage, "garbage".to_owned()).await;
    let lost = store(&storage, bare("lost")).await;
    let _ = storage.objects.delete(&[layout::blob_data(&lost).unwrap()]).await;
    put(&registry, "a", "t", index(&[garbage, lost], "")).await.unwrap();
}

#[tokio::test]
async fn an_outage_is_no_end_of_the_way() {
    let storage = TestStorage::new();
    let child = store(&storage, index(&[], "")).await;
    let registry = storage.replica();
    let child = [Child { digest: child, may_be_index: true, platform: None }];
    registry.walk_down(child.iter(), |_| true).await.unwrap();
    storage.set_out(true);
    let registry = storage.replica();
    assert!(matches!(registry.walk_down(child.iter(), |_| true).await, Err(Error::Storage(_))));
}
