//! The images of docker-registry 0.x, shown where they are as those of today: a storage that cannot be written, in which lies what a
//! registry of version 2 would have written of them. So all that reads such a registry reads these, and nothing is copied.
//!
//! | room | what lives there |
//! |---|---|
//! | `names` | which object of version 2 is asked for |
//! | `images` | what an image is today: read once, then remembered |
//! | `places` | which image of a repository has a digest |
//! | `content` | the bytes of layers |
//! | `listing` | names of repositories and tags |
//! | `storage` | the contract of storage over all of that |
//!
//! What is asked for by a tag is found by the tag; what is asked for by a digest, by what is remembered of images that were shown,
//! here or by another replica: the small objects below `apus/`, which docker-registry does not look at. Where nothing may be
//! written, or nothing is remembered, the tags of the repository are gone through.

mod content;
mod images;
mod listing;
mod names;
mod places;
mod storage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apus_registry::RepositoryName;
use apus_storage::{ErrorKind, Storage, StorageError};
use tokio::sync::Semaphore;

use crate::registry::{Answer, LegacyRegistry, Refusal};
use crate::{Error, Repository, Store};
use images::Images;
use places::Places;

/// Layers that are compressed anew for clients at once: each takes a thread, and up to 128 MiB where it is in xz.
const COMPRESSED_AT_ONCE: usize = 4;

/// How images are shown.
#[derive(Debug, Clone, Copy)]
pub struct ViewOptions {
    /// Whether what was found out about images may be written beside them, for other replicas and for the next start.
    /// Can be changed later ([`View::keep_records`]).
    pub keeps_records: bool,
    /// Bytes of what is remembered of images.
    pub memory: u64,
}

impl Default for ViewOptions {
    /// With records, and 64 MiB.
    fn default() -> Self {
        Self { keeps_records: true, memory: 64 << 20 }
    }
}

/// The images of an old registry as a storage that a registry of today can read. Writes are refused
/// ([`ErrorKind::Denied`]). Cheap to clone; any number of them, in any number of processes, may show the same store,
/// also while it is written to.
#[derive(Debug, Clone)]
pub struct View(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: LegacyRegistry,
    storage: Arc<dyn Storage>,
    store: Store,
    images: Images,
    places: Places,
    keeps_records: Arc<AtomicBool>,
    compressing: Semaphore,
}

impl View {
    /// Shows what is in the store of `registry`. Asks nothing of it yet.
    #[must_use]
    pub fn new(registry: LegacyRegistry, options: ViewOptions) -> Self {
        let storage = registry.shared_storage();
        let keeps_records = Arc::new(AtomicBool::new(options.keeps_records));
        Self(Arc::new(Inner {
            images: Images::new(&storage, options.memory, Arc::clone(&keeps_records)),
            places: Places::new(&storage, options.memory, Arc::clone(&keeps_records)),
            keeps_records,
            store: Store::new(Arc::clone(&storage)),
            compressing: Semaphore::new(COMPRESSED_AT_ONCE),
            storage,
            registry,
        }))
    }

    /// Whether what is found out is written beside the images from now on.
    pub fn keep_records(&self, keeps_records: bool) {
        self.0.keeps_records.store(keeps_records, Ordering::Relaxed);
    }

    /// Whether the old registry kept a repository from those who have not signed in.
    ///
    /// # Errors
    /// Where storage could not tell.
    pub async fn is_private(&self, name: &RepositoryName) -> Result<bool, StorageError> {
        let Some(repository) = Repository::of_familiar(name.as_str()) else { return Ok(false) };
        let answer = self.0.registry.is_private(&repository).await;
        Ok(known(answer, "stat", name)?.unwrap_or(false))
    }
}

/// What the old registry's rules answer: `None` where there is no such thing, or none that could have this name.
fn known<T>(
    answer: Answer<T>,
    operation: &'static str,
    of: impl std::fmt::Display,
) -> Result<Option<T>, StorageError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Refusal::Failed(error)) => Err(failed(error, operation, of)),
        Err(Refusal::Incomplete(cause)) => {
            Err(StorageError::new(ErrorKind::UNAVAILABLE, operation, of).with_source(cause))
        }
        Err(_) => Ok(None),
    }
}

fn failed(error: Error, operation: &'static str, of: impl std::fmt::Display) -> StorageError {
    match error {
        Error::Storage(error) => error,
        error => StorageError::new(ErrorKind::Damaged, operation, of).with_source(error),
    }
}

#[cfg(test)]
mod tests;
