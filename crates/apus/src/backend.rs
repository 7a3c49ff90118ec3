//! One line for each backend: from what the configuration says to the storage that it means.

pub(crate) mod swift;

use std::sync::Arc;

use apus_config::{StorageConfig, StorageDriver};
use apus_storage::{FilesystemStorage, MemoryStorage, Storage};
use apus_swift::SwiftStorage;

use crate::serve::ServeError;
pub(crate) use swift::config as swift_config;

/// Opens the storage. For Swift nothing is asked of the cloud yet: a registry starts while its cloud is away.
pub(crate) fn open(config: &StorageConfig) -> Result<Arc<dyn Storage>, ServeError> {
    Ok(match &config.driver {
        StorageDriver::InMemory => Arc::new(MemoryStorage::new()),
        StorageDriver::Filesystem(filesystem) => {
            Arc::new(FilesystemStorage::open(filesystem.root_directory.clone()).map_err(ServeError::Storage)?)
        }
        StorageDriver::Swift(swift) => {
            let storage = swift_config(swift).and_then(|config| SwiftStorage::new(&config));
            let storage = Arc::new(storage.map_err(ServeError::Swift)?);
            tokio::spawn(greet(Arc::clone(&storage), config.redirect.enabled));
            storage
        }
    })
}

/// Says in the log whether the cloud can be used, and whether clients can be sent to it, so that an operator learns it before
/// the first client does.
async fn greet(storage: Arc<SwiftStorage>, redirects: bool) {
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
