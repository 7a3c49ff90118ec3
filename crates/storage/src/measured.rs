//! A backend that is measured: how long each operation takes, under the name and the words of registry:2 where it has the same
//! operation, else under the contract's own. Nothing is changed, and nothing is looked at.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use tracing::Instrument;

use crate::{
    Body, ByteRange, ByteStream, Checkpoint, Freshness, ListPage, ListRequest, ObjectInfo, ObjectName,
    ObjectReader, Outcome, Publication, Remnants, Result, StageEntry, StageId, StagePosition, StageRevision,
    StageState, Storage, UrlMethod, WriteMode,
};

/// Another backend, measured as `registry_storage_action_seconds`. Each operation has a span of its own, for traces.
///
/// What takes a stream takes as long as the stream: `PutContent` and `StageAppend` include the time in which the client sends.
/// What gives one is over with its first byte.
#[derive(Debug, Clone)]
pub struct MeasuredStorage {
    inner: Arc<dyn Storage>,
    driver: &'static str,
}

impl MeasuredStorage {
    /// Measures `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        let driver = match inner.backend() {
            // registry:2's word.
            "memory" => "inmemory",
            backend => backend,
        };
        Self { inner, driver }
    }

    /// Whatever comes of it. What is given up half way is not recorded.
    async fn timed<T>(&self, action: &'static str, operation: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let span = tracing::debug_span!("storage", otel.name = action, driver = self.driver);
        let outcome = operation.instrument(span).await;
        metrics::histogram!("registry_storage_action_seconds", "driver" => self.driver, "action" => action)
            .record(begun.elapsed());
        outcome
    }
}

#[async_trait]
impl Storage for MeasuredStorage {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.timed("Stat", self.inner.stat(name, freshness)).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.timed("GetContent", self.inner.read(name, range, freshness)).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        self.timed("PutContent", self.inner.write(name, body, mode)).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.timed("Touch", self.inner.touch(name)).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        self.timed("Delete", self.inner.delete(names)).await
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.timed("List", self.inner.list(request)).await
    }

    async fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        self.timed("URLFor", self.inner.temporary_url(name, method, lifetime)).await
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        self.timed("StageState", self.inner.stage_state(stage, known)).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.timed("StageAppend", self.inner.stage_append(stage, position, stream, checkpoint)).await
    }

    fn least_append(&self) -> Option<u64> {
        self.inner.least_append()
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        self.timed("StageRead", self.inner.stage_read(stage, revision)).await
    }

    /// What gives an upload its final name: a move, in registry:2.
    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        self.timed("Move", self.inner.stage_publish(stage, revision, name, mode)).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        self.timed("StageDrop", self.inner.stage_drop(stage)).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        self.timed("StageModified", self.inner.stage_modified(stage)).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.timed("StageList", self.inner.stage_list(after, limit)).await
    }

    async fn free_remnants(&self, min_age: Duration, dry_run: bool) -> Result<Remnants> {
        self.timed("FreeRemnants", self.inner.free_remnants(min_age, dry_run)).await
    }
}

#[cfg(test)]
mod tests;
