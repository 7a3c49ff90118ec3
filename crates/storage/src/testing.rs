//! A storage for the tests of other rooms: it passes on to another one what it is asked, writes down what that was, and where a
//! test says so fails, hangs, or has URLs of its own.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::{
    Body, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListPage, ListRequest, ObjectInfo,
    ObjectName, ObjectReader, Outcome, Publication, Remnants, Result, StageEntry, StageId, StagePosition,
    StageRevision, StageState, Storage, StorageError, UrlMethod, WriteMode,
};

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on.
    Done,
    /// It fails, and nothing is done.
    Fails(ErrorKind),
    /// It never ends.
    Hangs,
}

type Rule = dyn Fn(&'static str, &str) -> Fate + Send + Sync;

/// A storage that is watched.
pub struct WatchedStorage {
    inner: Arc<dyn Storage>,
    rule: Mutex<Arc<Rule>>,
    asked: Mutex<Vec<(&'static str, String)>>,
    has_urls: Mutex<bool>,
}

impl WatchedStorage {
    /// Watches a storage. Everything is passed on, and there are no URLs.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            rule: Mutex::new(Arc::new(|_, _| Fate::Done)),
            asked: Mutex::default(),
            has_urls: Mutex::default(),
        })
    }

    /// From now on this says what becomes of an operation, by its name in the contract and by its object, prefix or stage.
    pub fn set_rule(&self, rule: impl Fn(&'static str, &str) -> Fate + Send + Sync + 'static) {
        *held(&self.rule) = Arc::new(rule);
    }

    /// Whether it has URLs: [`WatchedStorage::url`].
    pub fn set_urls(&self, has_urls: bool) {
        *held(&self.has_urls) = has_urls;
    }

    /// The URL that it has for reading an object.
    #[must_use]
    pub fn url(name: &ObjectName, lifetime: Duration) -> String {
        format!("https://storage.example/{name}?for={}", lifetime.as_secs())
    }

    /// What it was asked since the last time: the operation, and the object, prefix or stage. Questions for URLs do not count.
    #[must_use]
    pub fn take_asked(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut held(&self.asked))
    }

    async fn ask(&self, operation: &'static str, object: &str) -> Result<()> {
        held(&self.asked).push((operation, object.to_owned()));
        let rule = Arc::clone(&held(&self.rule));
        match rule(operation, object) {
            Fate::Done => Ok(()),
            Fate::Fails(kind) => Err(StorageError::new(kind, operation, object)),
            Fate::Hangs => std::future::pending().await,
        }
    }
}

impl fmt::Debug for WatchedStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WatchedStorage").field("inner", &self.inner).finish_non_exhaustive()
    }
}

fn held<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Storage for WatchedStorage {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.ask("stat", name.as_str()).await?;
        self.inner.stat(name, freshness).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.ask("read", name.as_str()).await?;
        self.inner.read(name, range, freshness).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        self.ask("write", name.as_str()).await?;
        self.inner.write(name, body, mode).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.ask("touch", name.as_str()).await?;
        self.inner.touch(name).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let mut outcomes = Vec::new();
        for name in names {
            match self.ask("delete", name.as_str()).await {
                Ok(()) => outcomes.extend(self.inner.delete(std::slice::from_ref(name)).await),
                Err(error) => outcomes.push(Err(error)),
            }
        }
        outcomes
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.ask("list", &request.prefix()).await?;
        self.inner.list(request).await
    }

    async fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        let has_url = *held(&self.has_urls) && method == UrlMethod::Get;
        Ok(has_url.then(|| Self::url(name, lifetime)))
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        self.ask("stage_state", stage.as_str()).await?;
        self.inner.stage_state(stage, known).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.ask("stage_append", stage.as_str()).await?;
        self.inner.stage_append(stage, position, stream, checkpoint).await
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        self.ask("stage_read", stage.as_str()).await?;
        self.inner.stage_read(stage, revision).await
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        self.ask("stage_publish", stage.as_str()).await?;
        self.inner.stage_publish(stage, revision, name, mode).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        self.ask("stage_drop", stage.as_str()).await?;
        self.inner.stage_drop(stage).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        self.ask("stage_modified", stage.as_str()).await?;
        self.inner.stage_modified(stage).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.ask("stage_list", "").await?;
        self.inner.stage_list(after, limit).await
    }

    async fn free_remnants(&self, min_age: Duration, dry_run: bool) -> Result<Remnants> {
        self.ask("free_remnants", "").await?;
        self.inner.free_remnants(min_age, dry_run).await
    }
}
