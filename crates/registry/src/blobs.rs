//! Blobs: whether a repository has one, reading it, and letting another repository have it too.

use std::ops::Range;

use apus_storage::{ByteRange, ByteStream, ErrorKind, Freshness, Outcome, StorageError, UrlMethod};

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

/// Where a client can fetch a blob itself.
pub struct BlobUrl {
    /// By GET, as long as it is good. It is a secret: whoever has it needs no other right.
    pub url: String,
    /// Bytes of the blob.
    pub size: u64,
}

impl std::fmt::Debug for BlobUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BlobUrl").field("size", &self.size).finish_non_exhaustive()
    }
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
    /// [`Error::BlobUnknown`] when the repository has none, or has only the link to a blob that is gone or damaged: told so,
    /// a client pushes it again and mends it.
    pub async fn blob_info(&self, repository: &RepositoryName, digest: &Digest) -> Result<BlobInfo> {
        match self.find_blob(repository, digest).await {
            Err(Error::Storage(error)) if error.kind() == ErrorKind::Damaged => {
                tracing::error!(%repository, %digest, %error, "the blob is damaged; the next push mends it");
                Err(Error::BlobUnknown { repository: repository.clone(), digest: digest.clone() })
            }
            found => found,
        }
    }

    /// The same for who is about to read the blob: one that is damaged is an error, for it may only not be listed yet.
    async fn find_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<BlobInfo> {
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

    /// Where a client can fetch a blob of a repository from storage itself, for as long as
    /// [`RegistryOptions::blob_url_lifetime`](crate::RegistryOptions) says. `None` when storage has no such URLs or they
    /// are not wanted: the blob is yet to be looked for, and as a rule nothing was asked of storage.
    ///
    /// # Errors
    /// As [`Registry::open_blob`].
    pub async fn blob_url(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<BlobUrl>> {
        if self.url_of_data(digest).await?.is_none() {
            return Ok(None);
        }
        let BlobInfo { stored, size } = self.find_blob(repository, digest).await?;
        // Storage may have learned just now that it sends this one poorly.
        Ok(self.url_of_data(&stored).await?.map(|url| BlobUrl { url, size }))
    }

    /// A URL to the bytes of a blob, whosever it is and whether there is one or not.
    async fn url_of_data(&self, digest: &Digest) -> Result<Option<String>> {
        let Some(lifetime) = self.options.blob_url_lifetime else { return Ok(None) };
        Ok(self.storage.temporary_url(&layout::blob_data(digest)?, UrlMethod::Get, lifetime).await?)
    }

    /// Opens a blob of a repository for reading.
    ///
    /// # Errors
    /// As [`Registry::blob_info`], but a blob that is damaged is [`Error::Storage`]. A range that selects nothing is no error.
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

    /// Lets `into` have a blob that `from` has. Answers its bytes; `None` when `from` has no such blob.
    pub async fn mount_blob(
        &self,
        digest: &Digest,
        from: &RepositoryName,
        into: &RepositoryName,
    ) -> Result<Option<u64>> {
        let info = match self.blob_info(from, digest).await {
            Ok(info) => info,
            Err(Error::BlobUnknown { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.link_blob(into, digest, &info.stored, info.size).await?;
        Ok(Some(info.size))
    }

    /// Lets a repository have a blob that some repository has, whichever: for callers that may read all of them. Answers its
    /// bytes; `None` when there is no such blob.
    pub async fn mount_blob_from_anywhere(
        &self,
        digest: &Digest,
        into: &RepositoryName,
    ) -> Result<Option<u64>> {
        match self.storage.stat(&layout::blob_data(digest)?, Freshness::Newest).await? {
            Some(info) => {
                self.link_blob(into, digest, digest, info.size).await?;
                Ok(Some(info.size))
            }
            None => Ok(None),
        }
    }

    /// Bytes of a blob that some repository has, whichever; `None` when none is known to.
    pub async fn stored_size(&self, digest: &Digest) -> Result<Option<u64>> {
        let info = self.storage.stat(&layout::blob_data(digest)?, Freshness::Newest).await?;
        Ok(info.map(|info| info.size))
    }

    /// Deletes the bytes of a blob or manifest that no repository has any more, which is for the caller to know.
    ///
    /// # Errors
    /// [`Error::DeletesDisabled`].
    pub async fn delete_content(&self, digest: &Digest) -> Result<()> {
        self.may_delete()?;
        self.caches.missed_blob(digest);
        let deleted = self.storage.delete(&[layout::blob_data(digest)?]).await;
        deleted.into_iter().collect::<Result<Vec<Outcome>, _>>()?;
        Ok(())
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
