//! A storage that does not take blobs, and what the cache does then.

use std::sync::atomic::{AtomicBool, Ordering};

use apus_storage::{
    Body, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListPage, ObjectInfo, ObjectName,
    ObjectReader, Outcome, Publication, Result, StageEntry, StageId, StagePosition, StageRevision,
    StageState, StorageError, WriteMode, body,
};
use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::upstream::{blob, digest};

/// Memory that refuses blobs, or takes them without end.
#[derive(Debug, Default)]
struct Unwilling {
    objects: MemoryStorage,
    hangs: AtomicBool,
}

#[async_trait]
impl Storage for Unwilling {
    fn backend(&self) -> &'static str {
        self.objects.backend()
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.objects.stat(name, freshness).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.objects.read(name, range, freshness).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        if !name.as_str().contains("/blobs/") {
            return self.objects.write(name, body, mode).await;
        }
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Err(StorageError::new(ErrorKind::Full, "write", name))
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.objects.touch(name).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        self.objects.delete(names).await
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.objects.list(request).await
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        self.objects.stage_state(stage, known).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.objects.stage_append(stage, position, stream, checkpoint).await
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        self.objects.stage_read(stage, revision).await
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        self.objects.stage_publish(stage, revision, name, mode).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        self.objects.stage_drop(stage).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<std::time::SystemTime>> {
        self.objects.stage_modified(stage).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.objects.stage_list(after, limit).await
    }
}

/// Promise: a storage that is full, or takes longer than it may, keeps nobody from pulling; nothing is kept.
#[tokio::test]
async fn what_storage_does_not_take_is_passed_on() {
    let content = Bytes::from(vec![7; 3 << 20]);
    for hangs in [false, true] {
        let served = content.clone();
        let upstream = Upstream::start(move |asked| blob(asked, &served)).await;
        let storage = Arc::new(Unwilling { hangs: hangs.into(), ..Unwilling::default() });
        let registry = Arc::new(Registry::new(Arc::<Unwilling>::clone(&storage), RegistryOptions::default()));
        let options = CacheOptions {
            upstreams: vec![options(&upstream.url())],
            write_timeout: Duration::from_millis(300),
            proxies: Proxies::default(),
        };
        let cache = Cache::new(registry, Arc::<Unwilling>::clone(&storage), options).unwrap();
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
