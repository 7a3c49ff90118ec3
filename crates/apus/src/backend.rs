//! One line for each backend: from what the configuration says to the storage that it means.

use std::sync::Arc;

use apus_config::{AuthVersion, EndpointType, StorageDriver, SwiftConfig};
use apus_storage::{FilesystemStorage, MemoryStorage, Storage};
use apus_swift::{Interface, SwiftStorage};

use crate::serve::ServeError;

/// Opens the storage. For Swift nothing is asked of the cloud yet: a registry starts while its cloud is away.
pub(crate) fn open(driver: &StorageDriver) -> Result<Arc<dyn Storage>, ServeError> {
    Ok(match driver {
        StorageDriver::InMemory => Arc::new(MemoryStorage::new()),
        StorageDriver::Filesystem(filesystem) => {
            Arc::new(FilesystemStorage::open(filesystem.root_directory.clone()).map_err(ServeError::Storage)?)
        }
        StorageDriver::Swift(swift) => {
            let storage = Arc::new(SwiftStorage::new(&swift_config(swift)).map_err(ServeError::Swift)?);
            tokio::spawn(greet(Arc::clone(&storage)));
            storage
        }
    })
}

/// Says in the log whether the cloud can be used, so that an operator learns it before the first client does.
async fn greet(storage: Arc<SwiftStorage>) {
    match storage.check().await {
        Ok(found) => tracing::info!(%found, "Swift is ready"),
        Err(error) => {
            tracing::error!(error = %error.report(), "Swift cannot be used; requests are answered 503 until it can");
        }
    }
}

fn swift_config(config: &SwiftConfig) -> apus_swift::SwiftConfig {
    let mut swift = apus_swift::SwiftConfig::new(
        &*config.auth_url,
        &*config.username,
        config.password.clone(),
        &*config.container,
    );
    swift.auth_version = config.auth_version.and_then(|version| match version {
        AuthVersion::V1 => Some(apus_swift::AuthVersion::V1),
        AuthVersion::V3 => Some(apus_swift::AuthVersion::V3),
        // Refused when the configuration was read.
        AuthVersion::V2 => None,
    });
    swift.tenant.clone_from(&config.tenant);
    swift.tenant_id.clone_from(&config.tenant_id);
    swift.domain.clone_from(&config.domain);
    swift.domain_id.clone_from(&config.domain_id);
    swift.tenant_domain.clone_from(&config.tenant_domain);
    swift.tenant_domain_id.clone_from(&config.tenant_domain_id);
    swift.region.clone_from(&config.region);
    swift.interface = match config.endpoint_type {
        EndpointType::Public => Interface::Public,
        EndpointType::Internal => Interface::Internal,
        EndpointType::Admin => Interface::Admin,
    };
    swift.prefix.clone_from(&config.prefix);
    swift.insecure = config.insecure_skip_verify;
    if let Some(chunk_size) = config.chunk_size {
        swift.segment_size = chunk_size;
    }
    swift
}
