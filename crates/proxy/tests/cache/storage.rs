//! A storage that does not take blobs, and what the cache does then.

use apus_storage::testing::{Fate, WatchedStorage};
use apus_storage::{ByteRange, ErrorKind, body};
use bytes::Bytes;

use super::*;
use crate::upstream::{blob, digest};

/// Promise: a storage that is full, or takes longer than it may, keeps nobody from pulling; nothing is kept.
#[tokio::test]
async fn what_storage_does_not_take_is_passed_on() {
    let content = Bytes::from(vec![7; 3 << 20]);
    for hangs in [false, true] {
        let served = content.clone();
        let upstream = Upstream::start(move |asked| blob(asked, &served)).await;
        let storage = WatchedStorage::new(Arc::new(MemoryStorage::new()));
        let unwilling = if hangs { Fate::Hangs } else { Fate::Fails(ErrorKind::Full) };
        storage.set_rule(move |operation, object| {
            if operation == "write" && object.contains("/blobs/") { unwilling } else { Fate::Done }
        });
        let registry =
            Arc::new(Registry::new(Arc::<WatchedStorage>::clone(&storage), RegistryOptions::default()));
        let options = CacheOptions {
            upstreams: vec![options(&upstream.url())],
            write_timeout: Duration::from_millis(300),
            proxies: Proxies::default(),
        };
        let cache = Cache::new(registry, Arc::<WatchedStorage>::clone(&storage), options).unwrap();
        for times in 1..=2 {
            let opened = cache.open_blob(&name("a"), &digest(&content), ByteRange::Full).await.unwrap();
            let pulled =
                tokio::time::timeout(LIMIT, body::collect(opened.stream, content.len())).await.unwrap();
            assert_eq!(pulled.unwrap(), content);
            assert!(upstream.asked().len() <= times, "{:?}", upstream.asked());
        }
        let left = storage.list(&ListRequest::everything()).await.unwrap();
        assert!(left.entries.is_empty(), "{left:?}");
    }
}
