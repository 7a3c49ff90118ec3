//! One line for each backend: from what the configuration says to the storage that it means.

pub(crate) mod swift;

use std::sync::Arc;

use apus_config::{StorageConfig, StorageDriver};
use apus_storage::{FilesystemStorage, MemoryStorage, Storage, StorageError};
use apus_swift::SwiftStorage;

use crate::serve::ServeError;
pub(crate) use swift::config as swift_config;

/// A storage that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) storage: Arc<dyn Storage>,
    driver: Driver,
}

#[derive(Debug)]
enum Driver {
    Memory,
    Filesystem(FilesystemStorage),
    Swift(SwiftStorage),
}

/// Opens the storage. For Swift nothing is asked of the cloud yet: a registry starts while its cloud is away.
pub(crate) fn open(config: &StorageConfig, read_only: bool) -> Result<Opened, ServeError> {
    Ok(match &config.driver {
        StorageDriver::InMemory => Opened { storage: Arc::new(MemoryStorage::new()), driver: Driver::Memory },
        StorageDriver::Filesystem(filesystem) => {
            let root = filesystem.root_directory.clone();
            let open = if read_only { FilesystemStorage::open_to_read } else { FilesystemStorage::open };
            let storage = open(root).map_err(ServeError::Storage)?;
            Opened { storage: Arc::new(storage.clone()), driver: Driver::Filesystem(storage) }
        }
        StorageDriver::Swift(swift) => {
            let storage = swift_config(swift).and_then(|config| SwiftStorage::new(&config));
            let storage = storage.map_err(ServeError::Swift)?;
            storage.set_read_only(read_only);
            tokio::spawn(greet(storage.clone(), config.redirect.enabled));
            Opened { storage: Arc::new(storage.clone()), driver: Driver::Swift(storage) }
        }
    })
}

impl Opened {
    /// Whether the backend writes nothing of its own accord from now on. What clients write is refused elsewhere.
    pub(crate) fn set_read_only(&self, read_only: bool) -> Result<(), StorageError> {
        match &self.driver {
            Driver::Memory => Ok(()),
            Driver::Filesystem(_) if read_only => Ok(()),
            Driver::Filesystem(storage) => storage.prepare_to_write(),
            Driver::Swift(storage) => {
                storage.set_read_only(read_only);
                Ok(())
            }
        }
    }
}

/// Says in the log whether the cloud can be used, and whether clients can be sent to it, so that an operator learns it before
/// the first client does.
async fn greet(storage: SwiftStorage, redirects: bool) {
    match storage.check().await {
        Ok(found) => tracing::info!(%found, "Swift is ready"),
        Err(error) => {
            tracing::error!(error = %error.report(), "Swift cannot be used; requests are answered 503 until it can");
            return;
        }
    }
    if redirects {
        // What comes of it is in the log by then, with what to do.
        let _ = storage.prove_temporary_urls().await;
    }
}
