//! What a case runs against, and what it runs in: a part of the store of its own, which it leaves empty.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use super::content::{hash, random_text};
use crate::body::{collect, once};
use crate::{
    BoxError, ByteRange, ByteStream, ErrorKind, Freshness, ListEntry, ListRequest, ObjectInfo, ObjectName,
    ObjectReader, Outcome, Publication, Result, StageEntry, StageId, StagePosition, StageState, Storage,
    StorageError, UrlMethod, WriteMode,
};

/// No case takes longer, unless the backend hangs. With [`super::BIG`] set there is no limit.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// What came back when a temporary URL was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// The status of the answer.
    pub status: u16,
    /// Its `Content-Length`.
    pub content_length: Option<u64>,
    /// Its body.
    pub body: Bytes,
}

type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, BoxError>> + Send>>;
type Fetch = Box<dyn Fn(UrlMethod, String) -> Fetching + Send + Sync>;

/// A store to test, and what may be expected of it.
///
/// Any [`Storage`] becomes one by `into()`; the methods add what a backend needs beyond that.
pub struct Testbed {
    storage: Arc<dyn Storage>,
    other: Arc<dyn Storage>,
    listing_lag: Duration,
    fetch: Option<Fetch>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Testbed {
    /// A store whose listings are up to date at once.
    pub fn new(storage: impl Storage + 'static) -> Self {
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let other = Arc::clone(&storage);
        Self { storage, other, listing_lag: Duration::ZERO, fetch: None, kept: Vec::new() }
    }

    /// Another handle of the same store, as another process would have it. Without one, the first stands for it.
    #[must_use]
    pub fn second_handle(mut self, storage: impl Storage + 'static) -> Self {
        self.other = Arc::new(storage);
        self
    }

    /// How long listings may lag behind the objects. One that has caught up stays so.
    #[must_use]
    pub fn listing_lag(mut self, longest: Duration) -> Self {
        self.listing_lag = longest;
        self
    }

    /// How to fetch a temporary URL; without it, that a URL works is not tested.
    #[must_use]
    pub fn fetching_by(
        mut self,
        fetch: impl Fn(UrlMethod, String) -> Fetching + Send + Sync + 'static,
    ) -> Self {
        self.fetch = Some(Box::new(fetch));
        self
    }

    /// Keeps something until the case has ended, such as a temporary directory or a server.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(kept));
        self
    }
}

impl<S: Storage + 'static> From<S> for Testbed {
    fn from(storage: S) -> Self {
        Self::new(storage)
    }
}

impl Debug for Testbed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Testbed")
            .field("storage", &self.storage)
            .field("other", &self.other)
            .field("listing_lag", &self.listing_lag)
            .finish_non_exhaustive()
    }
}

/// A case, as [`run`] takes it: boxed, so that a suite of many backends is not compiled for each of them.
pub type BoxedCase = for<'case> fn(&'case Case) -> Pin<Box<dyn Future<Output = ()> + 'case>>;

/// Runs one case to its end, on a runtime of its own.
pub fn run(make: impl Future<Output = Testbed>, test: BoxedCase) {
    run_boxed(Box::pin(make), test);
}

fn run_boxed(make: Pin<Box<dyn Future<Output = Testbed> + '_>>, test: BoxedCase) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let whole = async {
            let case = Case::new(make.await);
            test(&case).await;
            case.finish().await;
        };
        if std::env::var_os(super::BIG).is_some() {
            whole.await;
        } else {
            tokio::time::timeout(TIME_LIMIT, whole).await.expect("the backend hangs");
        }
    });
}

/// A part of a store that belongs to one case: its objects lie under a prefix that nobody else has.
///
/// It notes every name and stage that it gives out, and [`Case::finish`] clears them away and checks that they are gone.
#[derive(Debug)]
pub struct Case {
    bed: Testbed,
    prefix: String,
    names: Mutex<BTreeSet<ObjectName>>,
    stages: Mutex<BTreeSet<StageId>>,
}

impl Case {
    /// A part of `bed` that nobody has used.
    #[must_use]
    pub fn new(bed: Testbed) -> Self {
        let prefix = format!("conformance-{}", random_text(16));
        Self { bed, prefix, names: Mutex::default(), stages: Mutex::default() }
    }

    /// The store.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.bed.storage
    }

    /// The store as another process has it.
    #[must_use]
    pub fn other(&self) -> &Arc<dyn Storage> {
        &self.bed.other
    }

    /// The prefix under which everything of this case lies.
    #[must_use]
    pub fn prefix(&self) -> ObjectName {
        ObjectName::parse(self.prefix.clone()).unwrap()
    }

    /// A name under the prefix of this case.
    #[must_use]
    pub fn name(&self, rest: &str) -> ObjectName {
        let name = ObjectName::parse(format!("{}/{rest}", self.prefix)).unwrap();
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        name
    }

    /// A name that the case has not used yet.
    #[must_use]
    pub fn new_name(&self) -> ObjectName {
        self.name(&random_text(16))
    }

    /// The identifier of a new stage. All of one case begin alike, and sort by the order in which they were made.
    #[must_use]
    pub fn stage(&self) -> StageId {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let stage = StageId::parse(format!("{}-{:03}", self.prefix, stages.len())).unwrap();
        stages.insert(stage.clone());
        stage
    }

    /// Fetches a temporary URL; `None` when the test bed has no means to.
    pub async fn fetch(&self, method: UrlMethod, url: String) -> Option<Fetched> {
        match &self.bed.fetch {
            Some(fetch) => Some(fetch(method, url).await.unwrap()),
            None => None,
        }
    }

    /// Writes an object, in place of any other.
    pub async fn put(&self, name: &ObjectName, content: impl Into<Bytes>) -> ObjectInfo {
        let content: Bytes = content.into();
        let size = content.len() as u64;
        let publication = self.storage().write(name, content.into(), WriteMode::Replace).await.unwrap();
        assert_published(&publication, size)
    }

    /// What is said of an object.
    pub async fn stat(&self, name: &ObjectName) -> Option<ObjectInfo> {
        self.storage().stat(name, Freshness::Newest).await.unwrap()
    }

    /// The whole content of an object, and that all that is said of it agrees with it.
    pub async fn get(&self, name: &ObjectName) -> Option<Bytes> {
        let reader = self.storage().read(name, ByteRange::Full, Freshness::Newest).await.unwrap()?;
        assert_eq!(reader.range, 0..reader.info.size, "{name}");
        let size = reader.info.size;
        let content = drain(reader.stream).await.unwrap();
        assert_eq!(content.len() as u64, size, "{name}: the size is not that of the content");
        Some(content)
    }

    /// That an object has this content.
    pub async fn assert_content(&self, name: &ObjectName, expected: &Bytes) {
        let found = self.get(name).await.unwrap_or_else(|| panic!("{name} is not there"));
        assert_same(name, &found, expected);
        assert_eq!(self.stat(name).await.map(|info| info.size), Some(expected.len() as u64), "{name}");
    }

    /// That there is no object of that name.
    pub async fn assert_absent(&self, name: &ObjectName) {
        assert_eq!(self.stat(name).await, None, "{name} is there");
        let reader = self.storage().read(name, ByteRange::Full, Freshness::Newest).await.unwrap();
        assert!(reader.is_none(), "{name} can be read");
    }

    /// That these objects are gone and stay so: who calls this writes none of them again. [`Case::finish`] need not ask for them.
    pub async fn assert_gone(&self, names: &[ObjectName]) {
        at_once(names, async |name| self.assert_absent(name).await).await;
        self.names.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| !names.contains(name));
    }

    /// Opens a part of an object that is there.
    pub async fn read(&self, name: &ObjectName, range: ByteRange) -> ObjectReader {
        let reader = self.storage().read(name, range, Freshness::Any).await.unwrap();
        reader.unwrap_or_else(|| panic!("{name} is not there"))
    }

    /// Deletes one object.
    pub async fn delete(&self, name: &ObjectName) -> Outcome {
        let mut outcomes = self.storage().delete(std::slice::from_ref(name)).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.pop().unwrap().unwrap()
    }

    /// Appends to a stage, with the hash of the appended bytes for a checkpoint.
    pub async fn append(&self, stage: &StageId, position: StagePosition<'_>, content: &Bytes) -> StageState {
        try_append(&**self.storage(), stage, position, content).await.unwrap()
    }

    /// A stage that holds `content`, appended at once.
    pub async fn staged(&self, content: &Bytes) -> (StageId, StageState) {
        let stage = self.stage();
        let state = self.append(&stage, StagePosition::Start, content).await;
        (stage, state)
    }

    /// That a stage stands at `state` and holds `content`, as both handles see it.
    pub async fn assert_stage(&self, stage: &StageId, state: &StageState, content: &Bytes) {
        for storage in [self.storage(), self.other()] {
            assert_eq!(storage.stage_state(stage, None).await.unwrap().as_ref(), Some(state));
            let known = storage.stage_state(stage, Some(&state.revision)).await.unwrap();
            assert_eq!(known.as_ref(), Some(state));
            let stream = storage.stage_read(stage, &state.revision).await.unwrap();
            assert_same(stage, &drain(stream).await.unwrap(), content);
        }
        assert_eq!(state.offset, content.len() as u64);
    }

    /// That there is no such stage: not to look at, not to go on with, not to publish.
    pub async fn assert_no_stage(&self, stage: &StageId, last: &StageState) {
        let (storage, revision) = (self.storage(), &last.revision);
        assert_eq!(storage.stage_state(stage, None).await.unwrap(), None, "{stage} is there");
        assert_eq!(storage.stage_state(stage, Some(revision)).await.unwrap(), None, "{stage} is remembered");
        let appended =
            try_append(&**storage, stage, StagePosition::At(revision), &Bytes::from_static(b"more")).await;
        assert_moved(appended, "an append to no stage");
        assert_moved(storage.stage_read(stage, revision).await, "reading no stage");
        let target = self.new_name();
        for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
            assert_moved(
                storage.stage_publish(stage, revision, &target, mode).await,
                "a publish of no stage",
            );
        }
        self.assert_absent(&target).await;
    }

    /// The keys of a listing, all pages of it; names without the prefix of this case.
    pub async fn keys(&self, request: &ListRequest) -> Vec<String> {
        let entries = self.entries(request).await;
        let beginning = format!("{}/", self.prefix);
        let short = |key: String| key.strip_prefix(&beginning).map(str::to_owned).unwrap_or(key);
        entries.iter().map(|entry| short(entry.key())).collect()
    }

    /// The entries of a listing, all pages of it, and that the pages keep to the contract.
    pub async fn entries(&self, request: &ListRequest) -> Vec<ListEntry> {
        let mut request = request.clone();
        let mut entries: Vec<ListEntry> = Vec::new();
        loop {
            let page = self.storage().list(&request).await.unwrap();
            assert!(page.entries.len() <= request.limit, "a page longer than asked for");
            entries.extend(page.entries);
            let Some(next) = page.next else { break };
            assert!(request.after.as_ref().is_none_or(|after| next > *after), "the listing does not advance");
            request.after = Some(next);
        }
        assert!(entries.is_sorted_by(|one, next| one.key() < next.key()), "not in the order of bytes");
        entries
    }

    /// That a listing shows these keys, now or before the lag has passed.
    pub async fn assert_keys(&self, request: &ListRequest, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&key| key.to_owned()).collect();
        self.eventually(&expected, async || self.keys(request).await).await;
    }

    /// The stages of this case that are listed, page after page.
    pub async fn stages(&self, limit: usize) -> Vec<StageEntry> {
        let mut entries: Vec<StageEntry> = Vec::new();
        let mut after = StageId::parse(self.prefix.clone()).unwrap();
        loop {
            let page = self.storage().stage_list(Some(&after), limit).await.unwrap();
            assert!(page.len() <= limit, "a page longer than asked for");
            let is_last = page.len() < limit;
            // Behind ours come those of others, in a store that others use too.
            let ours = page.into_iter().take_while(|entry| entry.id.as_str().starts_with(&self.prefix));
            let before = entries.len();
            entries.extend(ours);
            if is_last || entries.len() < before + limit {
                break;
            }
            after = entries.last().unwrap().id.clone();
        }
        assert!(entries.is_sorted_by(|one, next| one.id < next.id), "not in the order of bytes");
        entries
    }

    /// That `look` sees `expected`, now or before the lag has passed.
    pub async fn eventually<T: PartialEq + Debug>(&self, expected: &T, look: impl AsyncFn() -> T) {
        let deadline = Instant::now() + self.bed.listing_lag;
        loop {
            // One that was begun before may have looked too soon, however long it took.
            let is_last = Instant::now() >= deadline;
            let found = look().await;
            if found == *expected {
                return;
            }
            assert!(!is_last, "found {found:?}\nexpected {expected:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Clears away what the case made, and checks that nothing of it is left: by asking each object and stage, since a
    /// listing may lag, and then by a listing.
    pub async fn finish(self) {
        let names: Vec<_> =
            self.names.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for deleted in self.storage().delete(&names).await {
            deleted.unwrap();
        }
        at_once(&names, async |name| assert_eq!(self.stat(name).await, None, "{name} is left")).await;
        let stages: Vec<_> =
            self.stages.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for stage in &stages {
            self.storage().stage_drop(stage).await.unwrap();
            assert_eq!(self.storage().stage_state(stage, None).await.unwrap(), None, "{stage} is left");
        }
        self.assert_keys(&ListRequest::under(self.prefix()), &[]).await;
        self.eventually(&0, async || self.stages(1000).await.len()).await;
    }
}

/// Does something with each of the names, with a few of them at a time: for cases of many.
pub(super) async fn at_once(names: &[ObjectName], each: impl AsyncFn(&ObjectName)) {
    stream::iter(names).for_each_concurrent(8, |name| each(name)).await;
}

/// Appends to a stage by any handle, with the hash of the appended bytes for a checkpoint.
pub(super) async fn try_append(
    storage: &dyn Storage,
    stage: &StageId,
    position: StagePosition<'_>,
    content: &Bytes,
) -> Result<StageState> {
    let checkpoint = hash(content);
    let kept = checkpoint.clone();
    let state = storage.stage_append(stage, position, once(content.clone()), Box::new(move || kept)).await?;
    assert_eq!(state.checkpoint, checkpoint);
    Ok(state)
}

/// All of a stream.
pub(super) async fn drain(stream: ByteStream) -> Result<Bytes, BoxError> {
    collect(stream, usize::MAX).await
}

/// That two contents are the same, without printing megabytes.
pub(super) fn assert_same(what: &dyn std::fmt::Display, found: &Bytes, expected: &Bytes) {
    assert_eq!(found.len(), expected.len(), "{what}: another length");
    if found != expected {
        let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
        panic!("{what}: another content from offset {differs:?} on");
    }
}

/// That something was published, of that size.
pub(super) fn assert_published(publication: &Publication, size: u64) -> ObjectInfo {
    let Publication::Published(info) = publication else { panic!("not published: {publication:?}") };
    assert_eq!(info.size, size);
    info.clone()
}

/// That an operation failed, and how.
pub(super) fn assert_failed<T>(result: Result<T>, kind: ErrorKind, what: &str) -> StorageError {
    match result {
        Err(error) => {
            assert_eq!(error.kind(), kind, "{what}: {error:?}");
            error
        }
        Ok(_) => panic!("{what} was accepted"),
    }
}

/// That an operation found the stage elsewhere.
pub(super) fn assert_moved<T>(result: Result<T>, what: &str) {
    assert_failed(result, ErrorKind::StageMoved, what);
}
