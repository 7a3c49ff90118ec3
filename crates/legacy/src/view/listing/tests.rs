use std::sync::Arc;

use apus_registry::{Registry, RegistryOptions, RepositoryName};
use apus_storage::{ListEntry, ListRequest, MemoryStorage, ObjectName, Storage};

use crate::testing::put;
use crate::{LegacyRegistry, View, ViewOptions};

/// Repositories whose names are in another order here than there, with what is not listed among them.
async fn store() -> (Arc<MemoryStorage>, View) {
    let storage = Arc::new(MemoryStorage::new());
    let image = "6".repeat(64);
    for (folder, tags) in [
        ("library/base", &["1.0", "1.0-rc", "latest"][..]),
        ("library/acme", &["latest"]),
        ("acme/webapp", &["dev"]),
        ("acme/web-app", &["dev"]),
        ("acme/a%252Fb", &["dev"]),
        ("zoo/Upper", &["dev"]),
        ("zoo/hidden", &["dev"]),
        ("zoo/shown", &["dev", "-not-today"]),
    ] {
        for tag in tags {
            put(&*storage, &format!("repositories/{folder}/tag_{tag}"), &*image).await;
            put(&*storage, &format!("repositories/{folder}/tag{tag}_json"), "{}").await;
        }
        put(&*storage, &format!("repositories/{folder}/_index_images"), "[]").await;
    }
    put(&*storage, "repositories/zoo/hidden/_private", "").await;
    // What is known of the tag `_x`, and the tag `y_json`.
    put(&*storage, "repositories/zoo/shown/tag__x", &*image).await;
    put(&*storage, "repositories/zoo/shown/tag_x_json", "{}").await;
    put(&*storage, "repositories/zoo/shown/tag_y_json", &*image).await;
    let view = View::new(LegacyRegistry::new(Arc::clone(&storage) as _), ViewOptions::default());
    (storage, view)
}

async fn keys(view: &View, request: ListRequest) -> Vec<String> {
    let (mut request, mut keys) = (request, Vec::new());
    loop {
        let page = view.list(&request).await.unwrap();
        assert!(page.entries.len() <= request.limit);
        keys.extend(page.entries.iter().map(ListEntry::key));
        match page.next {
            Some(next) => request = request.after(next),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_are_one_listing_in_the_order_of_version_2() {
    let (_, view) = store().await;
    let whole = keys(&view, ListRequest::everything()).await;
    let mut sorted = whole.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(whole, sorted);
    assert_eq!(whole.len(), 10, "{whole:#?}");
    for limit in [1, 2, 3, 7] {
        assert_eq!(keys(&view, ListRequest::everything().limit(limit)).await, whole, "by {limit}");
    }
    let top = keys(&view, ListRequest::everything().one_level()).await;
    assert_eq!(top, ["docker/"]);
}

#[tokio::test]
async fn what_lies_under_a_prefix() {
    let (_, view) = store().await;
    let under = async |prefix: &str| {
        let prefix = format!("docker/registry/v2/{prefix}");
        let keys = keys(&view, ListRequest::under(ObjectName::parse(&*prefix).unwrap()).one_level().limit(2));
        let keys = keys.await;
        let own = |key: &String| key.strip_prefix(&format!("{prefix}/")).unwrap().to_owned();
        keys.iter().map(own).collect::<Vec<_>>()
    };
    assert_eq!(under("repositories").await, ["acme/", "base/", "zoo/"]);
    assert_eq!(under("repositories/acme").await, ["_manifests/", "a/", "web-app/", "webapp/"]);
    assert_eq!(under("repositories/base").await, ["_manifests/"]);
    assert_eq!(under("repositories/library").await, [] as [&str; 0]);
    assert_eq!(under("repositories/base/_manifests/tags").await, ["1.0-rc/", "1.0/", "latest/"]);
    assert_eq!(under("repositories/zoo/shown/_manifests/tags").await, ["_x/", "dev/", "y_json/"]);
    // A private one is in no list of many; who names it sees it.
    assert_eq!(under("repositories/zoo/hidden/_manifests/tags").await, ["dev/"]);
    for nothing in
        ["blobs", "repositories/base/_layers", "repositories/base/_referrers/1", "repositories/nobody"]
    {
        assert_eq!(under(nothing).await, [] as [&str; 0], "{nothing}");
    }
}

#[tokio::test]
async fn a_registry_lists_repositories_and_tags() {
    let (_, view) = store().await;
    let registry = Registry::new(Arc::new(view), RegistryOptions::default());
    let all = ["acme", "acme/a/b", "acme/web-app", "acme/webapp", "base", "zoo/shown"];
    for limit in 1..=7 {
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = registry.repositories(last.as_deref(), limit).await.unwrap();
            found.extend(page.repositories.iter().map(ToString::to_string));
            last = found.last().cloned();
            if !page.more {
                break;
            }
        }
        assert_eq!(found, all, "by {limit}");
    }
    let base = RepositoryName::parse("base").unwrap();
    let tags = registry.tags(&base, None, 10).await.unwrap();
    assert_eq!(tags.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1.0", "1.0-rc", "latest"]);
    let nobody = registry.tags(&RepositoryName::parse("nobody").unwrap(), None, 10).await;
    assert!(matches!(nobody, Err(apus_registry::Error::RepositoryUnknown { .. })), "{nobody:?}");
}
