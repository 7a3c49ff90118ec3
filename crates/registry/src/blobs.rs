//! Blobs: whether a repository has one, reading it, and letting another repository have it too.

use std::ops::Range;

use apus_storage::{ByteRange, ByteStream, ErrorKind, Freshness, Outcome, StorageError};

use crate::cache::Link;
use crate::{Digest, Error, Registry, RepositoryName, Result, layout};

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

    /// Opens a blob that was found by [`Registry::blob_info`], without asking again whose it is.
    ///
    /// # Errors
    /// [`Error::Storage`], also when the blob is gone meanwhile.
    pub async fn read_blob(&self, info: &BlobInfo, range: ByteRange) -> Result<Blob> {
        let name = layout::blob_data(&info.stored)?;
        if let Some(reader) = self.storage.read(&name, range, Freshness::Any).await? {
            return Ok(Blob { size: reader.info.size, range: reader.range, stream: reader.stream });
        }
        self.caches.missed_blob(&info.stored);
        Err(StorageError::new(ErrorKind::Damaged, "read", name).with_advice("push the blob again").into())
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

    /// Lets a repository have a blob that some repository has, whichever: for callers that may read all of them. Answers
    /// whether there is one.
    pub async fn mount_blob_from_anywhere(&self, digest: &Digest, into: &RepositoryName) -> Result<bool> {
        match self.storage.stat(&layout::blob_data(digest)?, Freshness::Newest).await? {
            Some(info) => {
                self.link_blob(into, digest, digest, info.size).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Takes a blob from a repository, at once. Other repositories keep it.
    ///
    /// # Errors
    /// [`Error::BlobUnknown`] when the repository has none, [`Error::DeletesDisabled`].
    pub async fn delete_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<()> {
        self.may_delete()?;
        self.caches.missed_link(Link::Blob, repository, digest);
        match self.links.delete(&layout::layer_link(repository, digest)?).await? {
            Outcome::Done => Ok(()),
            Outcome::Absent => {
                Err(Error::BlobUnknown { repository: repository.clone(), digest: digest.clone() })
            }
        }
    }

    pub(crate) async fn link_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        stored: &Digest,
        size: u64,
    ) -> Result<()> {
        self.links.write(&layout::layer_link(repository, digest)?, stored).await?;
        self.caches.saw_blob(stored, size);
        self.caches.saw_link(Link::Blob, repository, digest);
        Ok(())
    }

    async fn linked_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Digest> {
        if let Some(stored) = self.links.read(&layout::layer_link(repository, digest)?).await? {
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
