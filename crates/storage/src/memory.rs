//! The backend that keeps everything in this process's memory, for tests and for `storage.inmemory`. What it holds grows
//! with the content and ends with the process: that is its nature. It does no I/O, and its lock is never held across
//! an await.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;

use crate::batches::Batches;
use crate::{
    Body, BoxError, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListEntry, ListPage,
    ListRequest, ObjectInfo, ObjectName, ObjectReader, Outcome, Publication, Result, StageEntry, StageId,
    StagePosition, StageRevision, StageState, Storage, StorageError, WriteMode,
};

/// Storage in memory. Clones share what they hold.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    shared: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    /// By name as text, so that a listing can begin at any text.
    objects: BTreeMap<String, Object>,
    stages: BTreeMap<StageId, Stage>,
    /// Counts publications: the next entity tag.
    published: u64,
}

struct Object {
    name: ObjectName,
    info: ObjectInfo,
    pieces: Vec<Bytes>,
}

struct Stage {
    state: StageState,
    modified: SystemTime,
    pieces: Vec<Bytes>,
}

impl MemoryStorage {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Every change under the lock is one insertion or removal, so a panic elsewhere leaves nothing half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for MemoryStorage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let contents = self.contents();
        formatter
            .debug_struct("MemoryStorage")
            .field("objects", &contents.objects.len())
            .field("stages", &contents.stages.len())
            .finish()
    }
}

impl Contents {
    fn publish(&mut self, name: &ObjectName, pieces: Vec<Bytes>, mode: WriteMode) -> Publication {
        if let (WriteMode::IfAbsent, Some(existing)) = (mode, self.objects.get(name.as_str())) {
            return Publication::Existing(existing.info.clone());
        }
        self.published += 1;
        let info = ObjectInfo {
            size: length(&pieces),
            modified: SystemTime::now(),
            entity_tag: Some(format!("{:x}", self.published)),
        };
        let object = Object { name: name.clone(), info: info.clone(), pieces };
        self.objects.insert(name.to_string(), object);
        Publication::Published(info)
    }

    /// The stage, if it stands at that revision.
    fn stage_at(&self, stage: &StageId, revision: &StageRevision) -> Option<&Stage> {
        self.stages.get(stage).filter(|found| found.state.revision == *revision)
    }

    fn stands_at(&self, stage: &StageId, position: StagePosition<'_>) -> bool {
        match position {
            StagePosition::Start => !self.stages.contains_key(stage),
            StagePosition::At(revision) => self.stage_at(stage, revision).is_some(),
        }
    }
}

fn length(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// The bytes of `range`, without copying them.
fn select(pieces: &[Bytes], range: &Range<u64>) -> ByteStream {
    let mut selected: Vec<Result<Bytes, BoxError>> = Vec::new();
    let mut start = 0_u64;
    for piece in pieces {
        // Both ends lie within the piece, so they fit its length.
        let within = |offset: u64| offset.clamp(start, start + piece.len() as u64) - start;
        let (first, end) = (within(range.start), within(range.end));
        if first < end {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "no more than the length of a piece in memory"
            )]
            selected.push(Ok(piece.slice(first as usize..end as usize)));
        }
        start += piece.len() as u64;
    }
    Box::pin(stream::iter(selected))
}

/// Takes a stream in. The pieces are copies: a slice of a network buffer would keep the whole buffer alive.
async fn take(stream: ByteStream) -> Result<Vec<Bytes>, BoxError> {
    let mut batches = Batches::new(stream);
    let mut pieces = Vec::new();
    while let Some(batch) = batches.next().await? {
        pieces.push(Bytes::copy_from_slice(&batch));
    }
    Ok(pieces)
}

fn moved(operation: &'static str, stage: &StageId) -> StorageError {
    StorageError::new(ErrorKind::StageMoved, operation, stage)
}

#[async_trait]
impl Storage for MemoryStorage {
    fn backend(&self) -> &'static str {
        "memory"
    }

    async fn stat(&self, name: &ObjectName, _freshness: Freshness) -> Result<Option<ObjectInfo>> {
        Ok(self.contents().objects.get(name.as_str()).map(|object| object.info.clone()))
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        _freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        Ok(self.contents().objects.get(name.as_str()).map(|object| {
            let range = range.of(object.info.size);
            let stream = select(&object.pieces, &range);
            ObjectReader { info: object.info.clone(), range, stream }
        }))
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        let pieces =
            take(body.into_stream()).await.map_err(|error| StorageError::body("write", name, error))?;
        Ok(self.contents().publish(name, pieces, mode))
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        Ok(match self.contents().objects.get_mut(name.as_str()) {
            Some(object) => {
                object.info.modified = SystemTime::now();
                Outcome::Done
            }
            None => Outcome::Absent,
        })
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let mut contents = self.contents();
        names
            .iter()
            .map(|name| match contents.objects.remove(name.as_str()) {
                Some(_) => Ok(Outcome::Done),
                None => Ok(Outcome::Absent),
            })
            .collect()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        let contents = self.contents();
        let prefix = request.prefix();
        let limit = request.limit.max(1);
        let after = request.after.as_deref().unwrap_or_default();
        let mut page = ListPage::default();
        // A name never equals the prefix, which ends in a slash: to begin after it is to begin in it.
        let mut from = Bound::Excluded(after.max(prefix.as_str()).to_owned());
        while let Some((key, object)) = contents.objects.range((from, Bound::Unbounded)).next() {
            let Some(rest) = key.strip_prefix(&prefix) else { break };
            let deeper = rest.split_once('/').filter(|_| request.one_level);
            let entry = match deeper {
                Some((folder, _)) => match ListEntry::prefix(&format!("{prefix}{folder}")) {
                    Ok(entry) => entry,
                    Err(invalid) => {
                        return Err(
                            StorageError::new(ErrorKind::Unexpected, "list", key).with_source(invalid)
                        );
                    }
                },
                None => ListEntry::Object {
                    name: object.name.clone(),
                    size: object.info.size,
                    modified: object.info.modified,
                },
            };
            from = match &entry {
                // What sorts directly behind everything that begins with `folder/`.
                ListEntry::Prefix(folder) => Bound::Included(format!("{folder}0")),
                ListEntry::Object { .. } => Bound::Excluded(key.clone()),
            };
            // A page that went on from within a folder does not show that folder again.
            if entry.key().as_str() <= after {
                continue;
            }
            if page.entries.len() == limit {
                page.next = page.entries.last().map(ListEntry::key);
                break;
            }
            page.entries.push(entry);
        }
        Ok(page)
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        _known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        Ok(self.contents().stages.get(stage).map(|found| found.state.clone()))
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        const OPERATION: &str = "stage_append";
        if !self.contents().stands_at(stage, position) {
            return Err(moved(OPERATION, stage));
        }
        let appended = take(stream).await.map_err(|error| StorageError::body(OPERATION, stage, error))?;
        let checkpoint = checkpoint();
        if checkpoint.len() > StageState::MAX_CHECKPOINT_BYTES {
            return Err(StorageError::new(ErrorKind::TooLarge, OPERATION, stage));
        }

        let mut contents = self.contents();
        // Another append may have come while this one took its stream.
        if !contents.stands_at(stage, position) {
            return Err(moved(OPERATION, stage));
        }
        let mut pieces = contents.stages.remove(stage).map(|found| found.pieces).unwrap_or_default();
        pieces.extend(appended);
        let state = StageState { revision: StageRevision::random(), offset: length(&pieces), checkpoint };
        let grown = Stage { state: state.clone(), modified: SystemTime::now(), pieces };
        contents.stages.insert(stage.clone(), grown);
        Ok(state)
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        let contents = self.contents();
        let found = contents.stage_at(stage, revision).ok_or_else(|| moved("stage_read", stage))?;
        Ok(select(&found.pieces, &(0..found.state.offset)))
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        let mut contents = self.contents();
        let found = contents.stage_at(stage, revision).ok_or_else(|| moved("stage_publish", stage))?;
        let pieces = found.pieces.clone();
        let publication = contents.publish(name, pieces, mode);
        if let Publication::Published(_) = publication {
            contents.stages.remove(stage);
        }
        Ok(publication)
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        Ok(match self.contents().stages.remove(stage) {
            Some(_) => Outcome::Done,
            None => Outcome::Absent,
        })
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        Ok(self.contents().stages.get(stage).map(|found| found.modified))
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let contents = self.contents();
        let stages = contents.stages.range((from, Bound::Unbounded)).take(limit.max(1));
        Ok(stages.map(|(id, stage)| StageEntry { id: id.clone(), modified: stage.modified }).collect())
    }
}
