use apus_storage::body;

use super::*;
use crate::testing::{TestStorage, name, put_bare};
use crate::{Algorithm, Digest, KeptTags};

async fn repositories(registry: &Registry, limit: usize) -> Vec<String> {
    let (mut seen, mut last) = (Vec::new(), None::<String>);
    loop {
        let page = registry.repositories(last.as_deref(), limit).await.unwrap();
        assert!(page.repositories.len() <= limit);
        seen.extend(page.repositories.iter().map(ToString::to_string));
        last = seen.last().cloned();
        if !page.more {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_replica_shows_its_own_repositories_though_listings_lag() {
    let storage = TestStorage::new();
    let (here, there) = (storage.replica(), storage.replica());
    let digest = put_bare(&here, "b", "t").await;
    let only = put_bare(&here, "gone", "t").await;
    storage.freeze_listings().await;
    for repository in ["a", "b/1", "b-1", "z"] {
        put_bare(&here, repository, "t").await;
    }
    // A blob alone makes a repository too.
    let blob = Digest::of(Algorithm::Sha256, b"x");
    here.write_whole(&name("b/blob"), 1, body::once("x".into()), &blob).await.unwrap();
    here.delete_manifest(&name("gone"), &only, KeptTags::NONE).await.unwrap();
    for limit in 1..=8 {
        assert_eq!(repositories(&here, limit).await, ["a", "b", "b-1", "b/1", "b/blob", "z"], "{limit}");
        assert_eq!(repositories(&there, limit).await, ["b", "gone"], "{limit}");
    }
    here.delete_blob(&name("b/blob"), &blob).await.unwrap();
    there.delete_manifest(&name("b"), &digest, KeptTags::NONE).await.unwrap();
    assert_eq!(repositories(&here, 3).await, ["a", "b", "b-1", "b/1", "z"]);
    storage.catch_up();
    for registry in [&here, &there] {
        assert_eq!(repositories(registry, 1).await, ["a", "b-1", "b/1", "z"]);
    }
}
