//! What docker-registry 0.x did with its store, and the rules by which it did it: an image goes from its mark over its description
//! and its layer to its checksum, which takes the mark away; tags mean images. Its traps are not rules: an upload that was cut
//! leaves nothing, an outage is never taken for absence, and a tag's name is what the client said. Nothing here knows HTTP.

mod files;
mod images;
mod json;
mod repositories;
mod search;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use apus_storage::{
    BoxError, ByteRange, ErrorKind, Freshness, InvalidName, ObjectName, ObjectReader, Outcome, Storage,
    StorageError, WriteMode, body,
};
use bytes::Bytes;
use tokio::sync::Semaphore;

pub use files::{FileEntry, Listing, Looked};
pub use images::{ImageState, LayerPlace, SaidImage};
pub use json::python_json;
pub use search::FoundRepository;
pub use tags::Client;

use crate::{Error, Repository};

/// The most that is read of a small object or taken in as one, in bytes. The original had no limit; the longest ancestry of its
/// time, of 127 images, has 9 KB, and no known description comes near.
pub const LARGEST: usize = 4 << 20;

/// Layers that are looked into at once: each takes a thread, and up to 128 MiB where it is in xz.
const LOOKING_AT_ONCE: usize = 2;

/// The latest tags that were written here, and how long a listing may take to show them.
const RECENT_TAGS: usize = 4096;
const LISTING_LAG: Duration = Duration::from_mins(10);

/// A registry as docker-registry 0.x was one, over a store of its layout. Cheap to clone; any number of them, in any number of
/// processes, may have the same store.
#[derive(Debug, Clone)]
pub struct LegacyRegistry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    storage: Arc<dyn Storage>,
    looking: Semaphore,
    recent: Mutex<VecDeque<(Instant, Repository, String)>>,
}

/// Why a request is refused. The texts are those of the original, where it had one: clients compare some of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such image, or not that part of it.
    #[error("Image not found")]
    ImageUnknown,
    /// Its upload has not come to its end.
    #[error("Image is being uploaded, retry later")]
    ImageUnfinished,
    /// An image is never replaced.
    #[error("Image already exists")]
    ImageExists,
    /// What was said of an image is no description of it.
    #[error("{0}")]
    Description(&'static str),
    /// The image below it is not here.
    #[error("Image depends on a non existing parent")]
    ParentUnknown,
    /// There is no upload that a checksum could end.
    #[error("Cannot set this image checksum")]
    NotUploading,
    /// The checksum came before the layer.
    #[error("Checksum mismatch, the layer was not uploaded")]
    LayerMissing,
    /// What was uploaded is not what the client meant.
    #[error("Checksum mismatch, ignoring the layer")]
    ChecksumMismatch,
    /// The layer is no archive that can be looked into.
    #[error("Layer format not supported")]
    LayerFormat,
    /// More files than anybody is told of at once.
    #[error("Layer has too many files")]
    TooManyFiles,
    /// There is no such tag.
    #[error("Tag not found")]
    TagUnknown,
    /// No tag can have this name.
    #[error("Invalid tag name")]
    TagInvalid,
    /// There is no such repository.
    #[error("Repository not found")]
    RepositoryUnknown,
    /// The client's list of images is none.
    #[error("Invalid data")]
    ListInvalid,
    /// A name that is too long.
    #[error("Invalid name: {0}")]
    Name(#[from] InvalidName),
    /// The client's content did not come to its end. Nothing was stored.
    #[error("The upload was not complete")]
    Incomplete(#[source] BoxError),
    /// Nobody knows: storage could not tell or could not do, or what it holds makes no sense.
    #[error(transparent)]
    Failed(Error),
}

/// A result with [`Refusal`].
pub type Answer<T> = Result<T, Refusal>;

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error.kind() {
            ErrorKind::Body => Self::Incomplete(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Name(error) => Self::Name(error),
            Error::Storage(error) => error.into(),
            error => Self::Failed(error),
        }
    }
}

impl LegacyRegistry {
    /// The registry over a store of its layout.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(Arc::new(Inner { storage, looking: Semaphore::new(LOOKING_AT_ONCE), recent: Mutex::default() }))
    }

    /// Where its objects lie.
    pub(crate) fn shared_storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.0.storage)
    }

    fn storage(&self) -> &dyn Storage {
        &*self.0.storage
    }

    async fn is_there(&self, object: &ObjectName) -> Answer<bool> {
        Ok(self.storage().stat(object, Freshness::Newest).await?.is_some())
    }

    /// A small object; `None` if there is none.
    async fn small(&self, object: &ObjectName) -> Answer<Option<Bytes>> {
        let Some(reader) = self.open(object, ByteRange::Full).await? else { return Ok(None) };
        if reader.info.size > LARGEST as u64 {
            let reason = format!("{} bytes are too many", reader.info.size);
            return Err(Refusal::Failed(Error::Damaged { object: object.clone(), reason }));
        }
        let collected = body::collect(reader.stream, LARGEST).await;
        let failed = |error| StorageError::new(ErrorKind::UNAVAILABLE, "read", object).with_source(error);
        Ok(Some(collected.map_err(failed)?))
    }

    async fn open(&self, object: &ObjectName, range: ByteRange) -> Answer<Option<ObjectReader>> {
        Ok(self.storage().read(object, range, Freshness::Newest).await?)
    }

    async fn put(&self, object: &ObjectName, content: impl Into<Bytes>) -> Answer<()> {
        self.storage().write(object, content.into().into(), WriteMode::Replace).await?;
        Ok(())
    }

    /// Deletes objects. Answers whether one of them was there.
    async fn delete(&self, objects: &[ObjectName]) -> Answer<bool> {
        let mut found = false;
        for outcome in self.storage().delete(objects).await {
            found |= outcome? == Outcome::Done;
        }
        Ok(found)
    }

    fn remember_tag(&self, repository: &Repository, tag: &str) {
        let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= RECENT_TAGS {
            recent.pop_front();
        }
        recent.push_back((Instant::now(), repository.clone(), tag.to_owned()));
    }

    /// Tags of a repository that were written here not long ago, and may be there still.
    fn recent_tags(&self, repository: &Repository) -> Vec<String> {
        let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|(at, ..)| at.elapsed() > LISTING_LAG) {
            recent.pop_front();
        }
        recent.iter().filter(|(_, of, _)| of == repository).map(|(.., tag)| tag.clone()).collect()
    }
}
