//! Which image a digest is of, and under which tag a repository has it. Remembered here for a while and, as small objects in storage,
//! for other replicas: what is remembered says only where to look, and is believed when the image has the digest and the tag
//! means the image.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apus_registry::Digest;
use apus_storage::{ByteRange, Freshness, ObjectName, Storage, StorageError, WriteMode, body};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use quick_cache::sync::Cache;

use super::images::ShownImage;
use crate::{ImageId, Repository};

/// Under which it is kept which image a digest is of. The number is the version of their format.
const FOLDER: &str = "apus/views/docker-registry/1";

/// The longest content of such an object, in bytes.
const LARGEST: usize = 128;

/// Bytes that one place takes in memory, about.
const PLACE: u64 = 1024;

/// Objects that are written at once.
const WRITTEN_AT_ONCE: usize = 8;

/// Where digests are found.
#[derive(Debug)]
pub(super) struct Places {
    storage: Arc<dyn Storage>,
    keeps_records: Arc<AtomicBool>,
    images: Cache<Digest, ImageId>,
    tags: Cache<(Repository, Digest), Arc<str>>,
}

impl Places {
    pub(super) fn new(storage: &Arc<dyn Storage>, memory: u64, keeps_records: Arc<AtomicBool>) -> Self {
        let entries = usize::try_from(memory / 4 / PLACE).unwrap_or(usize::MAX).max(16);
        Self {
            storage: Arc::clone(storage),
            keeps_records,
            images: Cache::new(entries),
            tags: Cache::new(entries),
        }
    }

    /// The image that had a digest when it was shown last; `None` if none is remembered.
    pub(super) async fn image(&self, digest: &Digest) -> Result<Option<ImageId>, StorageError> {
        if let Some(image) = self.images.get(digest) {
            return Ok(Some(image));
        }
        let Some(reader) = self.storage.read(&object(digest)?, ByteRange::Full, Freshness::Any).await? else {
            return Ok(None);
        };
        // What makes no sense is nothing.
        let content = body::collect(reader.stream, LARGEST).await.ok();
        let image = content.and_then(|content| ImageId::parse(std::str::from_utf8(&content).ok()?));
        if let Some(image) = &image {
            self.images.insert(digest.clone(), image.clone());
        }
        Ok(image)
    }

    /// The same, of what is remembered here.
    pub(super) fn image_known_here(&self, digest: &Digest) -> Option<ImageId> {
        self.images.get(digest)
    }

    /// The tag under which a repository had a digest last.
    pub(super) fn tag(&self, repository: &Repository, digest: &Digest) -> Option<Arc<str>> {
        self.tags.get(&(repository.clone(), digest.clone()))
    }

    /// Remembers that a repository has an image under a tag.
    pub(super) async fn keep(&self, repository: &Repository, tag: &str, id: &ImageId, shown: &ShownImage) {
        let tag: Arc<str> = tag.into();
        let mut new = Vec::new();
        for digest in shown.digests() {
            self.tags.insert((repository.clone(), digest.clone()), Arc::clone(&tag));
            // Of many images that have a layer, whichever is known will do.
            if self.images.get(digest).is_none() {
                new.push(digest);
            }
            self.images.insert(digest.clone(), id.clone());
        }
        if self.keeps_records.load(Ordering::Relaxed) {
            stream::iter(new).for_each_concurrent(WRITTEN_AT_ONCE, |digest| self.write(digest, id)).await;
        }
    }

    async fn write(&self, digest: &Digest, id: &ImageId) {
        let content = Bytes::from(id.to_string());
        let written =
            async { self.storage.write(&object(digest)?, content.into(), WriteMode::IfAbsent).await };
        if let Err(error) = written.await {
            tracing::warn!(%digest, error = %error.report(), "where it is found is not kept for other replicas");
        }
    }

    /// Remembers nothing more of a digest whose image turned out not to have it.
    pub(super) async fn forget(&self, digest: &Digest) {
        self.images.remove(digest);
        if !self.keeps_records.load(Ordering::Relaxed) {
            return;
        }
        let deleted = async {
            for deleted in self.storage.delete(&[object(digest)?]).await {
                deleted?;
            }
            Ok::<_, StorageError>(())
        };
        if let Err(error) = deleted.await {
            tracing::warn!(%digest, error = %error.report(), "what is kept of where it is found is wrong, and stays");
        }
    }
}

fn object(digest: &Digest) -> Result<ObjectName, StorageError> {
    let name = format!("{FOLDER}/{}/{}", digest.algorithm().name(), digest.hex());
    ObjectName::parse(name).map_err(|error| {
        StorageError::new(apus_storage::ErrorKind::InvalidName, "name", digest).with_source(error)
    })
}
