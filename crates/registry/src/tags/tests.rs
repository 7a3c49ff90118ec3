use apus_storage::{Storage, WriteMode};
use bytes::Bytes;

use super::*;
use crate::testing::{TestStorage, name, objects_under, put, put_bare, tag};

/// The tags of `a`, in pages of every size.
async fn tags(registry: &Registry) -> Vec<String> {
    let mut all = Vec::new();
    for limit in 1..=5 {
        let (mut seen, mut last) = (Vec::new(), None::<String>);
        loop {
            let page = registry.tags(&name("a"), last.as_deref(), limit).await.unwrap();
            assert!(page.tags.len() <= limit);
            seen.extend(page.tags.iter().map(ToString::to_string));
            last = seen.last().cloned();
            if !page.more {
                break;
            }
        }
        assert!(limit == 1 || seen == all, "in pages of {limit}: {seen:?}, not {all:?}");
        all = seen;
    }
    all
}

#[tokio::test]
async fn what_was_pushed_and_deleted_here_shows_at_once_though_listings_lag() {
    let storage = TestStorage::new();
    let (here, there) = (storage.replica(), storage.replica());
    for tag in ["b", "d"] {
        put_bare(&here, "a", tag).await;
    }
    storage.freeze_listings().await;
    for tag in ["a", "c", "c-1", "c.1", "e"] {
        put_bare(&here, "a", tag).await;
    }
    here.delete_tag(&name("a"), &tag("b")).await.unwrap();
    assert_eq!(tags(&here).await, ["a", "c", "c-1", "c.1", "d", "e"]);
    assert_eq!(tags(&there).await, ["b", "d"]);

    // The other replica has the last word on what it changes; what it says is found by asking the tag.
    there.delete_tag(&name("a"), &tag("c")).await.unwrap();
    put_bare(&there, "a", "b").await;
    put_bare(&there, "a", "f").await;
    assert_eq!(tags(&here).await, ["a", "b", "c-1", "c.1", "d", "e"]);
    assert_eq!(tags(&there).await, ["b", "d", "f"]);
    storage.catch_up();
    for registry in [&here, &there] {
        assert_eq!(tags(registry).await, ["a", "b", "c-1", "c.1", "d", "e", "f"]);
    }
}

#[tokio::test]
async fn the_tags_of_a_manifest_go_with_it_though_listings_lag() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    put_bare(&registry, "a", "other").await;
    storage.freeze_listings().await;
    let content = r#"{"schemaVersion":2}"#;
    let digest = put(&registry, "a", "one", content).await.unwrap().digest;
    put(&registry, "a", "two", content).await.unwrap();
    registry.delete_manifest(&name("a"), &digest, KeptTags::NONE).await.unwrap();
    assert_eq!(tags(&registry).await, ["other"]);
    assert_eq!(objects_under(&storage, layout::tags(&name("a")).unwrap().as_str()).await.len(), 1);
}

#[tokio::test]
async fn a_repository_is_there_from_the_first_push_to_the_last_deletion() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let digest = put_bare(&registry, "gone", "t").await;
    storage.freeze_listings().await;
    put_bare(&registry, "new", "t").await;
    registry.delete_tag(&name("new"), &tag("t")).await.unwrap();
    assert_eq!(registry.tags(&name("new"), None, 9).await.unwrap(), TagPage { tags: vec![], more: false });
    registry.delete_manifest(&name("gone"), &digest, KeptTags::NONE).await.unwrap();
    let gone = registry.tags(&name("gone"), None, 9).await;
    assert!(matches!(gone, Err(Error::RepositoryUnknown { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_tag_of_registry_2_goes_with_its_history() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    let digest = put_bare(&registry, "a", "v1").await;
    put_bare(&registry, "a", "v1-rc").await;
    let row = |tag: &str, name: &str| {
        let folder = layout::tags(&crate::testing::name("a")).unwrap();
        ObjectName::parse(format!("{folder}/{tag}/index/sha256/{name}/link")).unwrap()
    };
    for (tag, name) in [("v1", "1"), ("v1", "2"), ("v1-rc", "1"), ("phantom", "1")] {
        let link = Bytes::from(digest.to_string());
        storage.objects.write(&row(tag, name), link.into(), WriteMode::Replace).await.unwrap();
    }
    storage.take_requests();
    registry.delete_tag(&name("a"), &tag("v1")).await.unwrap();
    let requests: Vec<&str> = storage.take_requests().iter().map(|(operation, _)| *operation).collect();
    // The two rows go in one bulk deletion.
    assert_eq!(requests, ["delete", "list", "delete", "delete"]);
    assert_eq!(tags(&registry).await, ["phantom", "v1-rc"]);
    assert_eq!(tags(&storage.replica()).await, ["phantom", "v1-rc"]);

    // What an earlier deletion left, or registry:2 did, can be got rid of.
    let refused = registry.delete_tag(&name("a"), &tag("phantom")).await;
    assert!(matches!(refused, Err(Error::ManifestUnknown { .. })), "{refused:?}");
    assert_eq!(tags(&storage.replica()).await, ["v1-rc"]);

    // A tag that has no history costs one listing to find that out.
    storage.take_requests();
    registry.delete_tag(&name("a"), &tag("v1-rc")).await.unwrap();
    assert_eq!(storage.take_requests().len(), 3);
    put_bare(&registry, "a", "plain").await;
    storage.take_requests();
    registry.delete_tag(&name("a"), &tag("plain")).await.unwrap();
    assert_eq!(storage.take_requests().len(), 2);
}

#[tokio::test]
async fn a_tag_that_is_pushed_while_it_is_deleted_stays() {
    let storage = TestStorage::new();
    let registry = storage.replica();
    put_bare(&registry, "a", "t").await;
    // The listing still shows the link when the history is looked for.
    storage.freeze_listings().await;
    registry.delete_tag(&name("a"), &tag("t")).await.unwrap();
    let asked = storage.take_requests();
    assert_eq!(asked.iter().filter(|(operation, _)| *operation == "delete").count(), 1, "{asked:?}");
}
