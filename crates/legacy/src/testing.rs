//! The store that the original wrote, in memory: for tests of all rooms.

use std::path::Path;
use std::sync::Arc;

use apus_storage::{MemoryStorage, ObjectName, Storage, WriteMode};

/// A copy of tests/data/docker-registry-0.x.
pub(crate) async fn sample() -> Arc<MemoryStorage> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/docker-registry-0.x");
    let storage = Arc::new(MemoryStorage::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                put(&*storage, name, std::fs::read(&path).unwrap()).await;
            }
        }
    }
    storage
}

pub(crate) async fn put(storage: &dyn Storage, name: &str, content: impl Into<Vec<u8>>) {
    let name = ObjectName::parse(name).unwrap();
    storage.write(&name, content.into().into(), WriteMode::Replace).await.unwrap();
}

pub(crate) async fn delete(storage: &dyn Storage, name: &str) {
    for outcome in storage.delete(&[ObjectName::parse(name).unwrap()]).await {
        outcome.unwrap();
    }
}
