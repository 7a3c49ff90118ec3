//! Blobs: whether a repository has one, reading it, and letting another repository have it too.

use std::ops::Range;

use apus_storage::{ByteRange, ByteStream, Freshness};

use crate::cache::Link;
use crate::{Digest, Error, Registry, RepositoryName, Result, layout, link};

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// The digest under which its bytes lie; not the one asked for where a link of registry:2 points from SHA-512 to SHA-256.
    pub stored: Digest,
    /// Bytes of content.
    pub size: u64,
}

/// A blob that is being read.
pub struct Blob {
    /// Bytes of the whole blob.
    pub size: u64,
    /// The bytes that `stream` gives; empty when the range that was asked for selects none.
    pub range: Range<u64>,
    /// The content.
    pub stream: ByteStream,
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Blob")
            .field("size", &self.size)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// What is known of a blob of a repository.
    ///
    /// # Errors
    /// [`Error::BlobUnknown`] when the repository has none, or has only the link to a blob that is gone: told so, a client
    /// pushes it again and mends it.
    pub async fn blob_info(&self, repository: &RepositoryName, digest: &Digest) -> Result<BlobInfo> {
        let stored = self.linked_blob(repository, digest).await?;
        let size = match self.caches.size(&stored) {
            Some(size) => size,
            None => match self.storage.stat(&layout::blob_data(&stored)?, Freshness::Any).await? {
                Some(info) => info.size,
                None => return Err(self.blob_lost(repository, digest, &stored)),
            },
        };
        self.caches.saw_blob(&stored, size);
        self.caches.saw_link(Link::Blob, repository, digest);
        Ok(BlobInfo { stored, size })
    }

    /// Opens a blob of a repository for reading.
    ///
    /// # Errors
    /// As [`Registry::blob_info`]. A range that selects nothing is no error.
    pub async fn open_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        range: ByteRange,
    ) -> Result<Blob> {
        let stored = self.linked_blob(repository, digest).await?;
        match self.storage.read(&layout::blob_data(&stored)?, range, Freshness::Any).await? {
            Some(reader) => {
                self.caches.saw_blob(&stored, reader.info.size);
                Ok(Blob { size: reader.info.size, range: reader.range, stream: reader.stream })
            }
            None => Err(self.blob_lost(repository, digest, &stored)),
        }
    }

    /// Lets `into` have a blob that `from` has. Answers whether it could: `false` when `from` has no such blob.
    pub async fn mount_blob(
        &self,
        digest: &Digest,
        from: &RepositoryName,
        into: &RepositoryName,
    ) -> Result<bool> {
        let info = match self.blob_info(from, digest).await {
            Ok(info) => info,
            Err(Error::BlobUnknown { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        self.link_blob(into, digest, &info.stored, info.size).await?;
        Ok(true)
    }

    pub(crate) async fn link_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        stored: &Digest,
        size: u64,
    ) -> Result<()> {
        link::write(&*self.storage, &layout::layer_link(repository, digest)?, stored).await?;
        self.caches.saw_blob(stored, size);
        self.caches.saw_link(Link::Blob, repository, digest);
        Ok(())
    }

    async fn linked_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Digest> {
        if let Some(stored) = link::read(&*self.storage, &layout::layer_link(repository, digest)?).await? {
            return Ok(stored);
        }
        self.caches.missed_link(Link::Blob, repository, digest);
        Err(Error::BlobUnknown { repository: repository.clone(), digest: digest.clone() })
    }

    fn blob_lost(&self, repository: &RepositoryName, digest: &Digest, stored: &Digest) -> Error {
        tracing::warn!(%repository, %digest, "the repository has a link to a blob that is gone; the next push mends it");
        self.caches.missed_blob(stored);
        self.caches.missed_link(Link::Blob, repository, digest);
        Error::BlobUnknown { repository: repository.clone(), digest: digest.clone() }
    }
}
