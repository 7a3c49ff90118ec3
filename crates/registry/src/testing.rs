//! What the tests of several rooms need: a storage in memory that counts what it is asked, whose listings can lag behind its
//! objects as Swift's do, and that can be slow or out of order; and a client's words in short.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use apus_storage::{
    Body, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListEntry, ListPage, ListRequest,
    MemoryStorage, ObjectInfo, ObjectName, ObjectReader, Outcome, Publication, Remnants, Result, StageEntry,
    StageId, StagePosition, StageRevision, StageState, Storage, StorageError, WriteMode, body,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;

use crate::{
    Digest, Error, KeptTags, PutManifest, Reference, Registry, RegistryOptions, RepositoryName,
    StoredManifest, Tag,
};

/// A storage for tests. Several registries over one are several replicas.
#[derive(Debug)]
pub(crate) struct TestStorage {
    pub(crate) objects: MemoryStorage,
    /// What listings show while they lag.
    listed: Mutex<Option<MemoryStorage>>,
    requests: Mutex<Vec<(&'static str, String)>>,
    remnants: Mutex<Option<Result<Remnants>>>,
    is_out: AtomicBool,
    flow: watch::Sender<bool>,
    flowing: Arc<AtomicUsize>,
    most_flowing: Arc<AtomicUsize>,
}

impl TestStorage {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            objects: MemoryStorage::new(),
            listed: Mutex::default(),
            requests: Mutex::default(),
            remnants: Mutex::default(),
            is_out: AtomicBool::new(false),
            flow: watch::Sender::new(true),
            flowing: Arc::default(),
            most_flowing: Arc::default(),
        })
    }

    /// From now on listings show what there is now.
    pub(crate) async fn freeze_listings(&self) {
        let frozen = MemoryStorage::new();
        for entry in self.objects.list(&ListRequest::everything()).await.unwrap().entries {
            frozen.write(entry.name(), Bytes::new().into(), WriteMode::Replace).await.unwrap();
        }
        *self.listed.lock().unwrap() = Some(frozen);
    }

    /// From now on listings show what there is.
    pub(crate) fn catch_up(&self) {
        *self.listed.lock().unwrap() = None;
    }

    /// What it was asked since the last time: the operation, and the object or prefix.
    pub(crate) fn take_requests(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// What uploads have left, as it tells the next who asks.
    pub(crate) fn set_remnants(&self, remnants: Result<Remnants>) {
        *self.remnants.lock().unwrap() = Some(remnants);
    }

    /// Whether it fails to do anything but list.
    pub(crate) fn set_out(&self, is_out: bool) {
        self.is_out.store(is_out, Ordering::SeqCst);
    }

    /// Whether contents flow; where they do not, their readers wait.
    pub(crate) fn set_flow(&self, flows: bool) {
        self.flow.send_replace(flows);
    }

    /// The most contents that were read at once.
    pub(crate) fn most_flowing(&self) -> usize {
        self.most_flowing.load(Ordering::SeqCst)
    }

    /// Contents that are being read now.
    pub(crate) fn flowing(&self) -> usize {
        self.flowing.load(Ordering::SeqCst)
    }

    pub(crate) fn replica(self: &Arc<Self>) -> Registry {
        self.replica_with(RegistryOptions::default())
    }

    pub(crate) fn replica_with(self: &Arc<Self>, options: RegistryOptions) -> Registry {
        Registry::new(Arc::clone(self) as Arc<dyn Storage>, options)
    }

    fn note(&self, operation: &'static str, object: &(impl ToString + ?Sized)) -> Result<()> {
        let object = object.to_string();
        let failure = StorageError::new(ErrorKind::UNAVAILABLE, operation, &object);
        self.requests.lock().unwrap().push((operation, object));
        if self.is_out.load(Ordering::SeqCst) && operation != "list" { Err(failure) } else { Ok(()) }
    }

    /// The stream, once it may flow, and counted while it does.
    fn watched(&self, stream: ByteStream) -> ByteStream {
        struct Flowing(Arc<AtomicUsize>);
        impl Drop for Flowing {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let mut flow = self.flow.subscribe();
        let (now, most) = (Arc::clone(&self.flowing), Arc::clone(&self.most_flowing));
        Box::pin(stream::once(async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _flowing = Flowing(now);
            flow.wait_for(|flows| *flows).await?;
            body::collect(stream, 1 << 30).await
        }))
    }
}

#[async_trait]
impl Storage for TestStorage {
    fn backend(&self) -> &'static str {
        "test"
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.note("stat", name)?;
        self.objects.stat(name, freshness).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.note("read", name)?;
        let reader = self.objects.read(name, range, freshness).await?;
        Ok(reader.map(|reader| ObjectReader { stream: self.watched(reader.stream), ..reader }))
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        self.note("write", name)?;
        self.objects.write(name, body, mode).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.note("touch", name)?;
        self.objects.touch(name).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let mut outcomes = Vec::new();
        for name in names {
            outcomes.push(match self.note("delete", name) {
                Ok(()) => self.objects.delete(std::slice::from_ref(name)).await.remove(0),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.note("list", &request.prefix())?;
        let listed = self.listed.lock().unwrap().clone();
        listed.as_ref().unwrap_or(&self.objects).list(request).await
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

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        self.objects.stage_modified(stage).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.objects.stage_list(after, limit).await
    }

    async fn free_remnants(&self, min_age: Duration, dry_run: bool) -> Result<Remnants> {
        self.note("free_remnants", &format!("{} s, dry run: {dry_run}", min_age.as_secs()))?;
        self.remnants.lock().unwrap().take().unwrap_or_else(|| Ok(Remnants::default()))
    }
}

pub(crate) fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

/// Puts a manifest as a client does that does not say what it is.
pub(crate) async fn put(
    registry: &Registry,
    repository: &str,
    reference: &str,
    content: impl Into<Bytes>,
) -> Result<StoredManifest, Error> {
    let (repository, reference) = (name(repository), Reference::parse(reference).unwrap());
    let content = content.into();
    let put = PutManifest {
        repository: &repository,
        reference: &reference,
        tags: &[],
        kept: KeptTags::NONE,
        media_type: None,
        content,
    };
    registry.put_manifest(put).await
}

/// A manifest that names nothing, and differs from others by its note.
pub(crate) fn bare(note: &str) -> String {
    format!(r#"{{"schemaVersion":2,"layers":[],"annotations":{{"note":"{note}"}}}}"#)
}

/// Puts a manifest that names nothing under this tag.
pub(crate) async fn put_bare(registry: &Registry, repository: &str, tag: &str) -> Digest {
    put(registry, repository, tag, bare(tag)).await.unwrap().digest
}

/// The names of all objects under a prefix, as they are.
pub(crate) async fn objects_under(storage: &TestStorage, prefix: &str) -> Vec<String> {
    let request = ListRequest::under(ObjectName::parse(prefix).unwrap());
    let page = storage.objects.list(&request).await.unwrap();
    page.entries.iter().map(ListEntry::key).collect()
}
