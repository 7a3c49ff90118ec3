//! Blobs: from storage if they are there, else from the fetch that brings them.

use std::sync::Arc;

use apus_registry::{Blob, Digest, Error as RegistryError, RepositoryName};
use apus_storage::{ByteRange, ErrorKind};
use metrics::counter;

use crate::cache::Cache;
use crate::flights::{Begun, Ended, Flight};
use crate::reader::follow;
use crate::records::Kind;
use crate::routes::Target;
use crate::{Error, Result, UpstreamError, UpstreamErrorKind};

impl Cache {
    /// Bytes of a blob of a repository, whether it is here or only at the upstream.
    ///
    /// # Errors
    /// [`Error::Registry`] with [`BlobUnknown`](RegistryError::BlobUnknown) when neither has it; [`Error::Upstream`] when it is
    /// not here, and the upstream cannot be asked or refuses.
    pub async fn blob_size(self: &Arc<Self>, repository: &RepositoryName, digest: &Digest) -> Result<u64> {
        let Some(target) = self.target(repository) else {
            return Ok(self.registry.blob_info(repository, digest).await?.size);
        };
        match self.registry.blob_info(repository, digest).await {
            Ok(info) => {
                self.used(&target, digest);
                Ok(info.size)
            }
            Err(RegistryError::BlobUnknown { .. }) => {
                let size = target.upstream.head_blob(&target.remote, digest).await;
                size.map_err(|error| unknown(error, &target, digest))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a blob of a repository. One that is not here is fetched, kept, and streamed as it arrives: by one request for all
    /// who ask for it. The stream of a blob that proves wrong ends in an error before its last byte.
    ///
    /// # Errors
    /// As [`Cache::blob_size`].
    pub async fn open_blob(
        self: &Arc<Self>,
        repository: &RepositoryName,
        digest: &Digest,
        range: ByteRange,
    ) -> Result<Blob> {
        let Some(target) = self.target(repository) else {
            return Ok(self.registry.open_blob(repository, digest, range).await?);
        };
        if let Some(blob) = self.stored(&target, digest, range).await? {
            self.used(&target, digest);
            hit(blob.range.end - blob.range.start);
            return Ok(blob);
        }
        counter!("registry_proxy_requests_total", "type" => "blob").increment(1);
        counter!("registry_proxy_misses_total", "type" => "blob").increment(1);
        let flight = self.flight(&target, digest);
        if flight.repository != target.local {
            // It is fetched for another repository of this upstream: that ours has it too, only the upstream can say.
            let size = target.upstream.head_blob(&target.remote, digest).await;
            size.map_err(|error| unknown(error, &target, digest))?;
            self.link_after(&flight, &target, digest);
        }
        match flight.begun().await {
            Ok(Begun::Flowing(size, window)) => {
                let range = range.of(size);
                let stream = follow(self, &target, digest, flight, &window, range.clone());
                Ok(Blob { size, range, stream })
            }
            Ok(Begun::Stored) => {
                let target = Target { local: flight.repository.clone(), ..target };
                Ok(self.registry.open_blob(&target.local, digest, range).await?)
            }
            Err(Error::Upstream(error)) => Err(unknown(error, &target, digest)),
            Err(error) => Err(error),
        }
    }

    /// Says that a blob that is here was sent from elsewhere, `bytes` of it: by storage itself.
    pub fn sent_by_storage(self: &Arc<Self>, repository: &RepositoryName, digest: &Digest, bytes: u64) {
        if let Some(target) = self.target(repository) {
            self.used(&target, digest);
            hit(bytes);
        }
    }

    fn used(self: &Arc<Self>, target: &Target, digest: &Digest) {
        self.records.touch(target, Kind::Blob, digest);
    }

    /// A blob that is here; one that is damaged counts as absent, for the fetch mends it.
    async fn stored(&self, target: &Target, digest: &Digest, range: ByteRange) -> Result<Option<Blob>> {
        match self.registry.open_blob(&target.local, digest, range).await {
            Ok(blob) => Ok(Some(blob)),
            Err(RegistryError::BlobUnknown { .. }) => Ok(None),
            Err(RegistryError::Storage(error)) if error.kind() == ErrorKind::Damaged => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the blob to this repository too when it is there.
    fn link_after(self: &Arc<Self>, flight: &Arc<Flight>, target: &Target, digest: &Digest) {
        let (cache, flight, target, digest) =
            (Arc::clone(self), Arc::clone(flight), target.clone(), digest.clone());
        tokio::spawn(async move {
            if !matches!(flight.ended().await, Ok(Ended::Stored)) {
                return;
            }
            match cache.registry.mount_blob(&digest, &flight.repository, &target.local).await {
                Ok(Some(_)) => cache.records.keep(&target, Kind::Blob, &digest).await,
                // It will be asked for again.
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(repository = %target.local, %digest, %error, "a blob was not linked");
                }
            }
        });
    }
}

fn hit(bytes: u64) {
    counter!("registry_proxy_requests_total", "type" => "blob").increment(1);
    counter!("registry_proxy_hits_total", "type" => "blob").increment(1);
    counter!("registry_proxy_pushed_bytes_total", "type" => "blob").increment(bytes);
}

/// What an upstream does not have is unknown here.
fn unknown(error: UpstreamError, target: &Target, digest: &Digest) -> Error {
    match error.kind {
        UpstreamErrorKind::NotFound => {
            RegistryError::BlobUnknown { repository: target.local.clone(), digest: digest.clone() }.into()
        }
        _ => error.into(),
    }
}
