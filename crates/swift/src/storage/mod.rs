//! The storage contract, kept by a Swift. One room for each thing that the contract asks for; [`names`] says where
//! everything lies, and [`session`] and [`record`] what our own objects look like.

mod append;
mod compact;
mod damage;
mod delete;
mod drop;
mod list;
mod names;
mod parts;
mod publish;
mod read;
mod record;
mod redirect;
mod remnants;
mod replaced;
mod session;
mod turns;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apus_storage::{
    Body, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListPage, ListRequest, ObjectInfo,
    ObjectName, ObjectReader, Outcome, Publication, Remnants, Result, StageEntry, StageId, StagePosition,
    StageRevision, StageState, Storage, StorageError, UrlMethod, WriteMode,
};
use async_trait::async_trait;

use crate::client::{
    Connected, Container, Deletion, ObjectMetadata, SwiftClient, TemporaryUrls, segment_length,
};
use crate::config::{ConfigError, SwiftConfig};
use crate::error::SwiftError;
use crate::info::Capabilities;
use names::Names;
pub(crate) use names::probes;
use redirect::ReadHere;
use session::SessionCache;
use turns::Turns;

/// Fewer bytes than this are kept in memory, and never become a segment of their own.
const SMALL: u64 = 1 << 20;
/// However large a segment must be at least, no more than this is kept in memory.
const LARGEST_SMALL: u64 = 4 << 20;
/// A publication takes no longer than so many requests may take in all.
const PUBLICATION: u32 = 5;

/// Storage in one container of a Swift.
///
/// An object lies under `<prefix>/files/<name>`, exactly where registry:2 has it, with the prefix taken as raw as it was
/// there: without a prefix under `files/<name>`, with `foo/` under `foo//files/<name>`; or where docker-registry 0.x has it
/// ([`Naming`](crate::Naming)). It is written in one PUT straight to this name. What is too large for that, or comes in parts, becomes segments and a static large object at this name.
/// Nothing is ever copied or moved, and no listing is believed where an object can be asked.
///
/// What registry:2 wrote is read and deleted as it is, dynamic large objects with their segments. A large object that misses
/// segments is [`ErrorKind::Damaged`] and counts as absent for whoever writes it again, in either mode.
///
/// An object of up to 4 KiB that replaces a large one leaves that one's segments to upkeep: to look for them would cost a
/// request for each link written. Their record (`<prefix>/apus/records/`) names them.
///
/// An append is a segment, from 1 MiB on. Very many are made fewer as the upload goes on; one stream of more than 1,000
/// segments (`/info` may allow fewer) is refused, which at the default size of a segment is more than 200 GB.
#[derive(Debug, Clone)]
pub struct SwiftStorage(Arc<Backend>);

/// What all handles of one storage share.
struct Backend {
    container: Container,
    names: Names,
    segment_size: u64,
    /// How long a publication may take that is under way.
    lease: Duration,
    sessions: SessionCache,
    turns: Turns,
    temporary_urls: TemporaryUrls,
    read_here: ReadHere,
}

/// What a check has found, for a log.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it is connected to.
    pub connected: Connected,
    /// The container, which is there.
    pub container: String,
}

impl fmt::Display for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Connected { storage_url, token_life, capabilities, .. } = &self.connected;
        write!(formatter, "container {} at {storage_url}", self.container)?;
        if let Some(life) = token_life {
            write!(formatter, ", token good for {} s", life.as_secs())?;
        }
        write!(formatter, "; {capabilities}")
    }
}

impl SwiftStorage {
    /// Storage by this configuration. Needs no network: it signs in and makes sure of its container when it is first used,
    /// so a Swift that is down now is no error.
    pub fn new(config: &SwiftConfig) -> Result<Self, ConfigError> {
        let client = SwiftClient::new(config)?;
        let container = client.container(config.container.clone());
        Ok(Self(Arc::new(Backend {
            temporary_urls: redirect::temporary_urls(&container, config),
            read_here: ReadHere::new(),
            container,
            names: Names::new(config),
            segment_size: config.segment_size,
            lease: config.total_timeout.saturating_mul(PUBLICATION),
            sessions: SessionCache::new(),
            turns: Turns::new(),
        })))
    }

    /// Whether nothing is written any more ([`SwiftClient::set_read_only`]). At first it is.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.container.client().set_read_only(read_only);
    }

    /// Signs in, makes sure of the container, and asks the cluster what it can.
    pub async fn check(&self) -> Result<Checked> {
        let container = self.0.container.name();
        let failed = |error: SwiftError| error.into_storage("check", container);
        let connected = self.0.container.client().connect().await.map_err(failed)?;
        self.0.container.ensure().await.map_err(failed)?;
        Ok(Checked { connected, container: container.to_owned() })
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Backend")
            .field("container", &self.container.name())
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// How much goes where, by what the cluster allows.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Less than this is no segment.
    small: u64,
    /// The most in one PUT.
    piece: u64,
    /// The most segments of one object.
    segments: usize,
    /// The size of the first segments.
    segment: u64,
    lacks_large_objects: bool,
}

impl Limits {
    fn new(capabilities: &Capabilities, segment_size: u64) -> Self {
        let piece = capabilities.largest_piece();
        let least = capabilities.min_segment_size.unwrap_or(1).min(LARGEST_SMALL);
        Self {
            // A session holds as much, and some more.
            small: SMALL.max(least).min(piece / 2).max(1),
            piece,
            segments: capabilities.most_segments(),
            segment: segment_size.max(least).min(piece),
            lacks_large_objects: capabilities.lacks_large_objects(),
        }
    }

    /// The size of the segment after so many.
    fn segment_after(&self, segments: usize) -> u64 {
        segment_length(self.segment, segments, self.piece)
    }
}

impl Backend {
    /// Makes sure that there is a container to work in.
    async fn ready(&self, operation: &'static str, object: &(dyn fmt::Display + Sync)) -> Result<()> {
        self.container.ensure().await.map_err(|error| error.into_storage(operation, object))
    }

    /// Where an object lies, in a container that is there.
    async fn place(&self, operation: &'static str, name: &ObjectName) -> Result<String> {
        self.ready(operation, name).await?;
        self.names.object(operation, name)
    }

    async fn limits(&self, operation: &'static str, object: &(dyn fmt::Display + Sync)) -> Result<Limits> {
        let capabilities = self.container.client().capabilities().await;
        let capabilities = capabilities.map_err(|error| error.into_storage(operation, object))?;
        Ok(Limits::new(&capabilities, self.segment_size))
    }
}

fn info_of(metadata: ObjectMetadata) -> ObjectInfo {
    ObjectInfo { size: metadata.size, modified: metadata.modified, entity_tag: metadata.entity_tag }
}

fn outcome_of(deletion: Deletion) -> Outcome {
    match deletion {
        Deletion::Done => Outcome::Done,
        Deletion::Absent => Outcome::Absent,
    }
}

fn moved(operation: &'static str, stage: &StageId) -> StorageError {
    StorageError::new(ErrorKind::StageMoved, operation, stage)
}

#[async_trait]
impl Storage for SwiftStorage {
    fn backend(&self) -> &'static str {
        "swift"
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        self.0.stat(name, freshness).await
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        self.0.read(name, range, freshness).await
    }

    async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        self.0.write(name, body, mode).await
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        self.0.touch(name).await
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        self.0.delete(names).await
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.0.list(request).await
    }

    async fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        self.0.temporary_url(name, method, lifetime)
    }

    async fn stage_state(
        &self,
        stage: &StageId,
        known: Option<&StageRevision>,
    ) -> Result<Option<StageState>> {
        self.0.stage_state(stage, known).await
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.0.stage_append(stage, position, stream, checkpoint).await
    }

    /// 10 MiB. An append is a segment at least, from 1 MiB on, and an object has no more than a thousand unless the cluster
    /// says otherwise: appends of this size make one of 9.7 GiB, which is more than layers have, where those of 1 MiB end
    /// below 1 GiB.
    fn least_append(&self) -> Option<u64> {
        Some(10 << 20)
    }

    async fn stage_read(&self, stage: &StageId, revision: &StageRevision) -> Result<ByteStream> {
        self.0.stage_read(stage, revision).await
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        let _turn = self.0.turns.of(stage).await;
        self.0.stage_publish(stage, revision, name, mode).await
    }

    async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        let _turn = self.0.turns.of(stage).await;
        self.0.stage_drop(stage).await
    }

    async fn stage_modified(&self, stage: &StageId) -> Result<Option<SystemTime>> {
        self.0.stage_modified(stage).await
    }

    async fn stage_list(&self, after: Option<&StageId>, limit: usize) -> Result<Vec<StageEntry>> {
        self.0.stage_list(after, limit).await
    }

    async fn free_remnants(&self, min_age: Duration, dry_run: bool) -> Result<Remnants> {
        self.0.free_remnants(min_age, dry_run).await
    }
}

#[cfg(test)]
mod tests;
